// The wall clock jumps, by a day or ten years, either way; the monotonic one goes on.
#include <doctest/doctest.h>

#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kJumps[] = {kDayMs, -kDayMs, 3650 * kDayMs, -3650 * kDayMs};

}  // namespace

TEST_CASE("a jump of the wall clock takes no job from its holder, and ends no backoff") {
  for (int64_t jump : kJumps) {
    CAPTURE(jump);
    Machine machine;
    Process one(machine, 1), two(machine, 2);
    const Id held = one.Enqueue("work"), waiting = one.Enqueue("later");
    Claim claim = one.ClaimOne("work");
    CHECK(one.Finish(one.ClaimOne("later"), Outcome::Retry("no", 60'000)).ok());
    const int64_t left = one.queues->LeaseLeftMs();

    machine.fake.JumpWall(jump);
    CHECK(one.queues->LeaseLeftMs() == left);
    machine.fake.Advance(machine.options.scan_ms);
    one.Drive();
    two.Drive();
    CHECK(two.Row(held).state == JobState::kRunning);
    CHECK(two.Row(held).tries == 0);
    CHECK(two.Row(waiting).state == JobState::kScheduled);
    CHECK(one.Heartbeat(claim).ok());
    CHECK(one.Finish(claim, Outcome::Done()).ok());
    for (int i = 0; i < 13; ++i) {  // while both renew
      machine.fake.Advance(5'000);
      one.Drive();
      two.Drive();
    }
    CHECK(one.ClaimOne("later").id() == waiting);
  }
}

TEST_CASE("a run time that a user set is wall time: a jump past it is its time, a jump back puts it off") {
  for (int64_t jump : kJumps) {
    CAPTURE(jump);
    Machine machine;
    Process process(machine);
    const int64_t hour = 3'600'000;
    const Id id =
        process.Enqueue(NewJob{.queue = "work", .kind = "test", .run_at_ms = machine.fake.WallMs() + hour});
    machine.fake.JumpWall(jump);
    machine.fake.Advance(machine.options.scan_ms);
    process.Drive();
    CHECK((process.Row(id).state == JobState::kReady) == (jump > 0));
    if (jump > 0) continue;
    machine.fake.JumpWall(-jump + hour);
    machine.fake.Advance(machine.options.scan_ms);
    process.Drive();
    CHECK(process.Row(id).state == JobState::kReady);
  }
}

}  // namespace mediagen
