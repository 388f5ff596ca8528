#include "jobs/beat.h"

#include <doctest/doctest.h>

#include <future>
#include <latch>

namespace mediagen {
namespace {

TEST_CASE("a beat runs at once, when kicked, and when its time has come") {
  FakeClock clock;
  const int64_t start = clock.MonotonicMs();
  std::promise<bool> runs[3];
  int count = 0;
  Beat beat(&clock);
  beat.Start("test", [&](bool kicked) {
    if (count < 3) runs[count++].set_value(kicked);
    return start + 100;
  });
  CHECK_FALSE(runs[0].get_future().get());
  beat.Kick();
  CHECK(runs[1].get_future().get());
  clock.Advance(100);
  CHECK_FALSE(runs[2].get_future().get());
}

TEST_CASE("a kick that arrives while the beat runs makes it run again") {
  FakeClock clock;
  Beat beat(&clock);
  std::latch running(1), kicked_meanwhile(1), again(1);
  int count = 0;
  beat.Start("test", [&](bool kicked) {
    if (++count == 1) {
      running.count_down();
      kicked_meanwhile.wait();
    } else if (kicked) {
      again.count_down();
    }
    return INT64_MAX;
  });
  running.wait();
  beat.Kick();
  kicked_meanwhile.count_down();
  again.wait();
  beat.Stop();
  CHECK(count == 2);
}

TEST_CASE("a beat without a thread remembers a kick, also one that comes after its end") {
  FakeClock clock;
  std::function<void()> late;
  {
    Beat beat(&clock);
    late = beat.Kicker();
    CHECK_FALSE(beat.TakeKick());
    late();
    CHECK(beat.kicked());
    CHECK(beat.TakeKick());
    CHECK_FALSE(beat.kicked());
  }
  late();
  clock.Advance(1);
}

TEST_CASE("a beat on the real clock waits for its time") {
  Beat beat(SystemClock());
  std::latch runs(3);
  int count = 0;
  beat.Start("test", [&](bool) {
    if (++count <= 3) runs.count_down();
    return count < 3 ? SystemClock()->MonotonicMs() + 2 : INT64_MAX;
  });
  runs.wait();
  beat.Stop();
  CHECK(count == 3);
}

}  // namespace
}  // namespace mediagen
