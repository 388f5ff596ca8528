// One machine (a directory and a clock) and any number of processes on it, each with a store, an executor and
// Queues of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "jobs/queue.h"
#include "store/sqlite/open.h"
#include "store/store.h"

namespace mediagen::test {

// A directory that is removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Machine {
  TempDir dir;
  FakeClock fake;
  Clock* clock = &fake;
  bool threaded = false;
  std::string vfs;        // SQLite's, "" for its own
  QueuesOptions options;  // dir and threaded are filled in
};

// What its handlers and waiting claims refer to must be declared before it: they may be called until it is
// gone.
class Process {
 public:
  explicit Process(Machine& machine, uint64_t seed = 1);
  ~Process();

  // Manual mode: runs whatever is due until nothing is.
  void Drive();
  Status Commit(const Operation& operation);
  StatusOr<Id> TryEnqueue(NewJob job);
  Id Enqueue(NewJob job);
  Id Enqueue(const std::string& queue) { return Enqueue(NewJob{.queue = queue, .kind = "test"}); }
  std::optional<Job> Find(const Id& id);
  Job Row(const Id& id);
  // What a host worker gets now, without waiting. Manual mode.
  std::vector<Claim> Claims(const std::vector<std::string>& queues, int max);
  Claim ClaimOne(const std::string& queue);
  // As a handler does it: the commit, then the release.
  Status Finish(const Claim& claim, const Outcome& outcome);
  Status Heartbeat(const Claim& claim);
  Status Progress(const Claim& claim, const std::string& json);
  Status Park(const Claim& claim);
  Status Unpark(const Claim& claim);
  StatusOr<bool> RequestCancel(const Id& id);
  Status Retry(const Id& id);
  bool Logged(std::string_view text) const;
  // As if it were killed: its lock is gone and it does nothing any more.
  void Die();

  Machine& machine;
  Metrics metrics;
  LogSink log;
  std::unique_ptr<Random> random;
  IdSource ids;
  std::unique_ptr<Store> store;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Queues> queues;
  bool dead = false;
};

}  // namespace mediagen::test
