// Tick: the clock's milliseconds, asked of the clock only when the millisecond may be over.
//
// Reading the system's monotonic clock takes longer than all the rest of a check. On x86 the time stamp
// counter tells, for half of that, how much of the millisecond that was read last is left. The counter's rate
// is measured against the clock, so an odd counter (another processor's, one that jumps, one that changes its
// rate) makes the clock be asked sooner, or a millisecond last a little longer than it should; never does
// time go back. A clock that is not the system's is asked each time. Not thread-safe: a stripe's lock guards
// it.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace mediagen::limit {

class Tick {
 public:
  explicit Tick(Clock* clock) : clock_(clock), system_(clock == SystemClock()) {}

  // To be read before the lock is taken, which takes as long as the reading: both are then done at once. Who
  // had to wait for the lock is told the time at which it came, or a later one.
  static uint64_t Counter() {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
  }
  int64_t NowMs(uint64_t counter) { return counter - from_ < length_ ? now_ms_ : Ask(counter); }
  // What another tick of the same step said.
  void AtLeast(int64_t now_ms) {
    if (now_ms <= now_ms_) return;
    now_ms_ = now_ms;
    length_ = 0;
  }

 private:
  int64_t Ask(uint64_t counter);

  uint64_t from_ = 0, length_ = 0;  // of the counter: how long now_ms_ holds
  int64_t now_ms_ = 0;
  Clock* const clock_;
  const bool system_;
  // The counter and the clock at one moment, seconds ago: what the rate is measured by.
  uint64_t then_counter_ = 0;
  int64_t then_ns_ = 0;
  double counts_a_ns_ = 0;
};

}  // namespace mediagen::limit
