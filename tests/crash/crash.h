// The crash harness: working processes are killed at every landmark and at random, and frozen for longer than
// their lease; what became of every accepted generation is judged by the simulator's journal.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "crash/plan.h"
#include "store/ledger.h"

namespace mediagen::crash {

struct RoundOptions {
  uint64_t seed = 0;
  int generations = 50;
  int workers = 1;          // processes on the one directory at a time
  std::vector<Trap> traps;  // in this order, each in a process of its own
  bool freeze = false;      // the traps stop their process, and let it go on when its lease is over
  std::string dir;          // of this round alone
};

// What one generation came to, as the last process reports it.
struct Fate {
  std::string id, prompt, status;
  int wanted = 0, outputs = 0;
  bool served = false;                // every output's bytes are there and have the hash of their row
  std::string decision, then;         // of an unknown one: "retry" or "abandon", and the status after it
  std::set<int64_t> undecided_parts;  // those that were unknown when it was decided
  struct Attempt {
    std::string id, state;  // the state when it first came to rest
    int64_t part = 0, created_ms = 0, updated_ms = 0;
  };
  std::vector<Attempt> attempts;  // those of a retry, too
};

// A request in the simulator's journal that was not definitely rejected.
struct PaidRequest {
  std::string attempt, prompt;
};

// A landmark that a commit has passed; the log of a directory has them in the order of the commits.
struct Passing {
  std::string point, job;
  int64_t process = 0, fence = 0;
};

// All that a verdict needs.
struct Evidence {
  std::set<std::string> accepted;     // prompts whose submit was answered as durable
  std::vector<Fate> fates;            // from the store, at the end
  std::vector<PaidRequest> paid;      // from the journal
  std::vector<Passing> passed;        // from the log of landmarks
  std::vector<int64_t> cuts_ms;       // wall times of SIGKILLs and SIGSTOPs
  std::vector<Trap> hit, missed;      // traps in which a process was caught, and those that nobody came by
  std::set<std::string> billed;       // attempts that the ledger has spent money on
  int random_kills = 0, freezes = 0;  // a freeze: long enough for the lease to end
  std::vector<std::string> troubles;  // processes that could not open the directory, and the like
};

struct Verdict {
  int generations = 0, completed = 0, lost = 0, paid_twice = 0, unknown = 0, unknown_by_journal = 0,
      unknown_by_kill = 0, retried = 0, abandoned = 0, taken_over = 0;
  std::vector<std::string> complaints;  // one sentence each; empty: the round is good
};

// Runs one round: simulator, workers, traps, last worker, report. Blocks for some seconds.
Evidence RunRound(const RoundOptions& options, const std::string& self);
Verdict Judge(const Evidence& evidence);
// Claims of jobs that another process held when it was frozen or killed.
int CountTakenOver(const std::vector<Passing>& passed);

// What is wrong with a ledger in which nothing is under way any more, and the attempts that it spent money
// on.
struct Audit {
  std::vector<std::string> complaints, billed;
};
StatusOr<Audit> AuditLedger(const Ledger& ledger);

// Reads what the processes of a round left in `dir`.
std::vector<PaidRequest> ReadJournal(const std::string& path);
std::vector<Passing> ReadLandmarks(const std::string& path);

// In a worker process: submits what is missing of the round's prompts, works, and prints one JSON line an
// event to stdout. With "final" it decides what is unknown, reports and ends.
int WorkerMain(const Json& options);

std::string PromptOf(uint64_t seed, int index);

}  // namespace mediagen::crash
