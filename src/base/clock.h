// Time. Everything in mediagen asks a Clock, so a test can stop it, turn it forward, or make it jump.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mediagen {

// Thread-safe. All values are ms.
class Clock {
 public:
  virtual ~Clock() = default;
  // Since the Unix epoch, UTC. May jump both ways; only records and user-set times use it.
  virtual int64_t WallMs() = 0;
  // CLOCK_MONOTONIC: never goes back, comparable between processes of one boot. Leases, backoff and timers
  // use it.
  virtual int64_t MonotonicMs() = 0;
  // Whether time passes by itself. A fake clock's does not: waits against it end by Advance().
  virtual bool real() const { return true; }
  // Calls `wake` whenever time was moved by hand (fake clocks only). Never forgotten: `wake` must stay
  // callable.
  virtual void OnAdvance(std::function<void()> wake) { (void)wake; }
};

// The machine's clock; lives for ever.
Clock* SystemClock();

// The kernel's boot id: monotonic times are comparable only within one.
const std::string& BootId();

// A clock that stands still until it is told. Starts at 2026-01-01T00:00:00Z, monotonic 1,000,000.
class FakeClock : public Clock {
 public:
  int64_t WallMs() override;
  int64_t MonotonicMs() override;
  bool real() const override { return false; }
  void OnAdvance(std::function<void()> wake) override;
  // Both clocks go forward.
  void Advance(int64_t ms);
  // Only the wall clock jumps, forward or back.
  void JumpWall(int64_t ms);

 private:
  std::mutex mutex_;
  int64_t wall_ms_ = 1767225600000;
  int64_t monotonic_ms_ = 1'000'000;
  std::vector<std::function<void()>> wakes_;
};

// RFC 3339 with ms, UTC: "2026-11-20T12:00:00.000Z". Times outside the years 0 to 9999 are written as the
// nearest one inside.
std::string FormatTime(int64_t wall_ms);
constexpr size_t kTimeSize = 24;
void WriteTime(int64_t wall_ms, char* out);  // the same, kTimeSize bytes
// The inverse; accepts any RFC 3339 offset and up to nine fractional digits. kInvalid with the text
// otherwise.
StatusOr<int64_t> ParseTime(std::string_view text);

}  // namespace mediagen
