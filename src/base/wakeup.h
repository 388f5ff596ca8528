// How a thread is woken. WakeupPipe: one descriptor that a host's event loop can watch. Level-triggered:
// while a byte stands in it, it is readable. A pipe and not an eventfd, because Node's sockets refuse the
// latter. Both ends are O_CLOEXEC and O_NONBLOCK. WakeScope: who answers many at once wakes nobody twice.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/file.h"
#include "base/status.h"

namespace mediagen {

// Something that a thread sleeps on. Wake is thread-safe and never blocks.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void Wake() = 0;
};

// What a thread would wake by WakeSoon while it holds one of these, it wakes at the end of its outermost one,
// each once. A wake-up is a system call, and a thread that runs at the first of a hundred answers only fights
// for the locks of the other ninety-nine. To be held for a millisecond or so.
class WakeScope {
 public:
  WakeScope();
  ~WakeScope();
  WakeScope(const WakeScope&) = delete;
  WakeScope& operator=(const WakeScope&) = delete;

 private:
  friend void WakeSoon(std::shared_ptr<Sleeper> sleeper);
  WakeScope* const outer_;
  std::vector<std::shared_ptr<Sleeper>> sleepers_;
};
// Now, when the thread holds no WakeScope.
void WakeSoon(std::shared_ptr<Sleeper> sleeper);

class WakeupPipe : public Sleeper {
 public:
  static StatusOr<std::unique_ptr<WakeupPipe>> New();
  // The end to read or poll. Owned here; hosts dup it.
  int fd() const { return read_.get(); }
  // Writes one byte. Thread-safe; never blocks; a full pipe is awake already.
  void Wake() override;
  // Takes every byte out. Thread-safe; never blocks.
  void Drain();

 private:
  WakeupPipe(Fd read, Fd write) : read_(std::move(read)), write_(std::move(write)) {}
  Fd read_, write_;
};

}  // namespace mediagen
