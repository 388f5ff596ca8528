// The limiter's time: that of the clock, though the clock is not asked each time.
#include "limit/memory/tick.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace mediagen::limit {
namespace {

TEST_CASE("a clock that is not the system's is asked each time, and never goes back") {
  FakeClock clock;
  Tick tick(&clock);
  const int64_t start = clock.MonotonicMs();
  for (int64_t passed = 0; passed < 50; ++passed) {
    CHECK(tick.NowMs(Tick::Counter()) == start + passed);
    clock.Advance(1);
  }
  tick.AtLeast(start + 60);  // another stripe's tick was ahead
  CHECK(tick.NowMs(Tick::Counter()) == start + 60);
  clock.Advance(9);
  CHECK(tick.NowMs(Tick::Counter()) == start + 60);
  clock.Advance(2);
  CHECK(tick.NowMs(Tick::Counter()) == start + 61);
}

TEST_CASE("the system's time is never behind by more than the counter may err, nor ahead, nor goes back") {
  Tick tick(SystemClock());
  int64_t last = 0, behind = 0;
  const int64_t start = SystemClock()->MonotonicMs();
  for (int64_t now = start; now < start + 100; now = SystemClock()->MonotonicMs()) {
    const int64_t told = tick.NowMs(Tick::Counter());
    REQUIRE(told >= last);
    REQUIRE(told <= SystemClock()->MonotonicMs());
    behind = std::max(behind, now - told);
    last = told;
  }
  CHECK(behind <= 1);
}

}  // namespace
}  // namespace mediagen::limit
