// WriteLocks: the file locks under which everything that changes a database file runs (architecture.md rule
// 7).
//
// SQLite before 3.51.3 can lose WAL frames when two connections write and checkpoint at the same instant, so
// every write transaction, checkpoint, open, recovery and DDL is done under an exclusive flock. Two files
// keep the waiting fair: who waits for the write lock holds the gate, so one engine waits there and the
// others queue behind the gate, and an engine that has just written cannot overtake them all. flock and not
// fcntl: fcntl locks belong to the process, so they would not exclude two engines of one process.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/file.h"
#include "base/status.h"

namespace mediagen {

// Thread-safe.
class WriteLocks {
 public:
  // Opens <dir>/gate.lock, write.lock and open.lock, and takes nothing. `enabled` false: Hold excludes only
  // this object's threads.
  static StatusOr<std::unique_ptr<WriteLocks>> Open(const std::string& dir, bool enabled);
  ~WriteLocks();

  // Waits for its turn; holds until destroyed. Not recursive. status() tells when the lock could not be had.
  class Hold {
   public:
    explicit Hold(WriteLocks& locks);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    const Status& status() const { return status_; }

   private:
    WriteLocks& locks_;
    std::unique_lock<std::mutex> mutex_;
    Status status_;
  };

  // open.lock: shared by every engine that has the directory open; exclusive for a migration that older
  // builds could not live with.
  Status HoldOpen();
  bool TryOpenAlone();  // true: this engine is the only one, and nobody else can open until ShareOpen
  Status ShareOpen();

  // Releases and closes all; in a forked child only closes.
  void Close();
  void Abandon();

 private:
  WriteLocks() = default;
  bool enabled_ = true;
  std::mutex mutex_;  // between the threads of this engine: they share one descriptor
  std::unique_ptr<FileLock> gate_, write_, open_;
};

}  // namespace mediagen
