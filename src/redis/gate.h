// Gate: what the callers' threads see of a client's loop: its budget, its circuit breaker, whether it is up.
//
// Thread-safe; without a lock as long as the breaker is closed.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/status.h"

namespace mediagen::redis {

class Gate {
 public:
  Gate(size_t max_commands, size_t max_bytes) : max_commands_(max_commands), max_bytes_(max_bytes) {}

  // Counts a command of so many bytes in. False, and not counted: there are too many.
  bool Enter(size_t bytes) {
    const bool one_more = commands_.fetch_add(1) < max_commands_;
    const bool room = bytes_.fetch_add(bytes) + bytes <= max_bytes_;
    if (one_more && room) return true;
    Leave(bytes);
    return false;
  }
  void Leave(size_t bytes) {
    commands_.fetch_sub(1);
    bytes_.fetch_sub(bytes);
  }
  size_t commands() const { return commands_.load(); }

  // The breaker: as long as it is open, every command is answered with Refusal.
  bool open() const { return open_.load(std::memory_order_acquire); }
  void Open(Status why, int64_t next_try_ms) {
    std::lock_guard lock(mutex_);
    why_ = std::move(why);
    next_try_ms_ = next_try_ms;
    open_.store(true, std::memory_order_release);
  }
  void Close() { open_.store(false, std::memory_order_release); }
  Status Refusal(int64_t now_ms) {
    std::lock_guard lock(mutex_);
    const ErrorInfo info = InfoOf(why_);
    return Error(info.code, info.message,
                 {.hint = info.hint, .retry_after_ms = std::max<int64_t>(1, next_try_ms_ - now_ms)});
  }

  bool up() const { return up_.load(); }
  void SetUp(bool up) { up_.store(up); }

 private:
  const size_t max_commands_, max_bytes_;
  std::atomic<size_t> commands_{0}, bytes_{0};
  std::atomic<bool> open_{false}, up_{false};
  std::mutex mutex_;
  Status why_;
  int64_t next_try_ms_ = 0;
};

}  // namespace mediagen::redis
