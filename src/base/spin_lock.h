// SpinLock: one byte-sized lock for sections of some dozens of nanoseconds, where std::mutex would be a
// third of the work.
//
// Meets BasicLockable. Who waits spins, then yields, then sleeps for 50 µs at a time: a holder that the
// kernel has taken off its core is waited for without burning another core. Not fair, not recursive.
#pragma once

#include <atomic>

namespace mediagen {

class SpinLock {
 public:
  SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

  void lock() {
    if (held_.exchange(true, std::memory_order_acquire)) Wait();
  }
  bool try_lock() {
    return !held_.load(std::memory_order_relaxed) && !held_.exchange(true, std::memory_order_acquire);
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  void Wait();

  std::atomic<bool> held_{false};
};

}  // namespace mediagen
