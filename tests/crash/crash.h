// The crash harness: working processes are killed at random, and what became of every accepted generation is
// judged by the simulator's journal.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace mediagen::crash {

struct RoundOptions {
  uint64_t seed = 0;
  int generations = 50;
  int kills = 4;
  int workers = 1;  // processes on the one directory at a time
  std::string dir;  // of this round alone
};

// What one generation came to, as the last process reports it.
struct Fate {
  std::string id, prompt, status, provider;
  int outputs = 0;
  bool served = false;  // every output's bytes are there and have the hash of their row
  struct Attempt {
    std::string state;
    int64_t created_ms = 0, updated_ms = 0;
  };
  std::vector<Attempt> attempts;
};

// All that a verdict needs.
struct Evidence {
  std::set<std::string> accepted;     // prompts whose submit was answered as durable
  std::vector<Fate> fates;            // from the store, at the end
  std::map<std::string, int> paid;    // prompt → requests in the journal that were not definitely rejected
  std::vector<int64_t> kills_ms;      // wall times of SIGKILLs
  std::vector<std::string> troubles;  // processes that could not open the directory, and the like
};

struct Verdict {
  int generations = 0, completed = 0, lost = 0, paid_twice = 0, unknown = 0, unknown_by_journal = 0,
      unknown_by_kill = 0;
  std::vector<std::string> complaints;  // one sentence each; empty: the round is good
};

// Runs one round: simulator, workers, kills, last worker, report. Blocks for some seconds.
Evidence RunRound(const RoundOptions& options, const std::string& self);
Verdict Judge(const Evidence& evidence);

// In a worker process: submits what is missing of the round's prompts, works, and prints one JSON line an
// event to stdout. With `final` it ends when everything rests, and reports.
int WorkerMain(const Json& options);

std::string PromptOf(uint64_t seed, int index);

}  // namespace mediagen::crash
