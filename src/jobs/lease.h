// Lease: the one row by which a worker says that it lives, its file, and their renewal.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "jobs/worker_file.h"
#include "store/store.h"

namespace mediagen {

// LeftMs is thread-safe; the rest is called by one thread at a time (the renewer's; before it starts and
// after it ended, the owner's).
//
// A worker that others declared dead (it was frozen for longer than its lease, or somebody removed its file)
// finds its row gone. What it held was given to others, so it says so (`lost`) and stays without a lease for
// one more lease_ms: a handler that was about to pay when it froze asks LeftMs first, and must be told no.
// Then it registers anew.
class Lease {
 public:
  struct Options {
    std::string dir;
    Id worker;
    int64_t lease_ms = 0, renew_ms = 0;
  };
  // `lost`: everything that was held is held no more; how many that were. `regained`: claims may go on.
  struct Listener {
    std::function<size_t()> lost;
    std::function<void()> regained;
  };
  Lease(Store* store, Clock* clock, FileSystem* files, Metrics* metrics, LogSink* log, Options options,
        Listener listener);

  // File, then row: a row without a file is a dead worker's.
  Status Begin();
  // Renews when it is time to. The monotonic ms of the next time.
  int64_t RenewIfDue();
  int64_t next_due() const { return next_due_; }
  // Of the last committed renewal; 0 when it has run out.
  int64_t LeftMs() const;
  // The row is gone by now (the transaction that removed it has committed): the file goes, too.
  Status End();
  void Abandon();

 private:
  Status Renew();
  Status EnsureFile();
  void Lose(int64_t now);

  Store* const store_;
  Clock* const clock_;
  FileSystem* const files_;
  LogSink* const log_;
  const Options options_;
  const Listener listener_;
  Counter failures_;
  std::unique_ptr<WorkerFile> file_;
  int64_t started_ms_ = 0;
  int64_t quarantine_until_ = -1;  // -1: registered
  std::atomic<int64_t> until_{0};  // monotonic; of the last committed renewal
  std::atomic<int64_t> next_due_{0};
};

}  // namespace mediagen
