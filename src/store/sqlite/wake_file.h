// WakeFile: <dir>/wake, through which the engines of one directory tell each other that something was
// committed.
//
// It holds two counters: commits that published events, and commits that made queues worth looking at. They
// are raised under the write lock, so they never lose a step. Every engine counts its own touches: what the
// file counts beyond them was done by others, so one's own writes wake nobody twice. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/file.h"
#include "base/status.h"

namespace mediagen {

class WakeFile {
 public:
  static StatusOr<std::unique_ptr<WakeFile>> Open(const std::string& path);

  struct Signs {
    bool events = false;
    bool queues = false;
    bool any() const { return events || queues; }
  };
  // After a commit, with the write lock still held. A failure is only a delay: others poll behind.
  void Touch(const Signs& signs);
  // What others have done since the last call.
  Signs Foreign();

  // Counts the beginning and the end of every write of this engine: while the count moves, a changed
  // data_version may be our own doing.
  void OwnWrite() { own_writes_.fetch_add(1); }
  uint64_t own_writes() const { return own_writes_.load(); }

 private:
  struct Counters {
    uint64_t events = 0, queues = 0;
  };
  explicit WakeFile(Fd fd) : fd_(std::move(fd)) {}
  Counters Read() const;

  Fd fd_;
  std::mutex mutex_;
  std::atomic<uint64_t> own_writes_{0};
  Counters own_, seen_;  // touches of ours; what others' had come to at the last look
};

}  // namespace mediagen
