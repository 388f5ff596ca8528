#include <doctest/doctest.h>

#include "base/json.h"
#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

// Lets time pass as it does for a living process: renewals and scans on the way.
void Pass(Process& process, int64_t ms) {
  for (int64_t step = 500; ms > 0; ms -= step) {
    process.machine.fake.Advance(std::min(step, ms));
    process.Drive();
  }
}

NewJob Limited(int64_t timeout_ms) { return {.queue = "work", .kind = "test", .timeout_ms = timeout_ms}; }

TEST_CASE("a job that gives no sign of life for its time limit is taken away and runs again") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue(Limited(60'000));
  Claim hung = process.ClaimOne("work");
  Pass(process, 59'500);
  CHECK(process.Row(id).state == JobState::kRunning);
  Pass(process, 500);
  CHECK(process.Row(id).state == JobState::kReady);
  CHECK(process.Row(id).tries == 1);
  CHECK(process.queues->held() == 0);
  CHECK(process.Logged("time limit"));
  Claim again = process.ClaimOne("work");
  CHECK(CodeOf(process.Finish(hung, Outcome::Done())) == Code::kStaleFence);
  process.queues->Released(id);  // by the hung holder: not the new claim's
  CHECK(process.queues->held() == 1);
  CHECK(process.Finish(again, Outcome::Done()).ok());
}

TEST_CASE("the queue's time limit holds for jobs without one, and a hung job's last try leaves it dead") {
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.timeout_ms = 2000, .retry = {.tries = 0}});
  Id id = process.Enqueue("work");
  process.ClaimOne("work");
  Pass(process, 2000);
  CHECK(process.Row(id).state == JobState::kDead);
  CHECK(Json::parse(process.Row(id).error_json)["code"] == "timeout");
}

TEST_CASE("heartbeats and progress move the time limit back") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue(Limited(10'000));
  Claim claim = process.ClaimOne("work");
  for (int i = 0; i < 5; ++i) {
    Pass(process, 9'000);
    CHECK((i % 2 ? process.Heartbeat(claim) : process.Progress(claim, R"({"fraction":0.5})")).ok());
  }
  CHECK(process.Row(id).state == JobState::kRunning);
  CHECK(process.Row(id).progress_json == R"({"fraction":0.5})");
  Pass(process, 10'000);
  CHECK(process.Row(id).state == JobState::kReady);
}

TEST_CASE("a parked job's time limit does not run; unparked, it starts anew") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue(Limited(10'000));
  Claim claim = process.ClaimOne("work");
  CHECK(process.Park(claim).ok());
  CHECK(process.Row(id).state == JobState::kParked);
  Pass(process, 100'000);
  CHECK(process.Row(id).state == JobState::kParked);
  CHECK(process.Unpark(claim).ok());
  Pass(process, 9'500);
  CHECK(process.Row(id).state == JobState::kRunning);
  Pass(process, 500);
  CHECK(process.Row(id).state == JobState::kReady);
  CHECK(process.Row(id).tries == 1);
}

TEST_CASE("a release that never came is noticed, so that its slot is used again") {
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.concurrency = 1});
  process.Enqueue("work");
  Id second = process.Enqueue("work");
  Claim claim = process.ClaimOne("work");
  CHECK(process
            .Commit([&](Transaction& t) {
              return process.queues->Finish(t, claim.id(), claim.fence(), Outcome::Done());
            })
            .ok());
  CHECK(process.Claims({"work"}, 1).empty());
  Pass(process, machine.options.lease_ms + 500);
  CHECK(process.ClaimOne("work").id() == second);
}

}  // namespace
}  // namespace mediagen
