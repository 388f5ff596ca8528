#include <doctest/doctest.h>

#include "base/json.h"
#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

Json ErrorOf(const Job& job) { return Json::parse(job.error_json); }

TEST_CASE("a done job keeps its result and refuses every later move of its claim") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue("work");
  Claim claim = process.ClaimOne("work");
  CHECK(claim.id() == id);
  CHECK(claim.job.state == JobState::kRunning);
  CHECK(process.queues->held() == 1);
  CHECK(process.Finish(claim, Outcome::Done(R"({"ok":true})")).ok());
  CHECK(process.queues->held() == 0);
  Job row = process.Row(id);
  CHECK(row.state == JobState::kDone);
  CHECK(row.result_json == R"({"ok":true})");
  CHECK(row.finished_ms == machine.fake.WallMs());
  CHECK(row.worker.empty());

  CHECK(CodeOf(process.Finish(claim, Outcome::Done())) == Code::kStaleFence);
  CHECK(CodeOf(process.Heartbeat(claim)) == Code::kStaleFence);
  CHECK(CodeOf(process.Progress(claim, "{}")) == Code::kStaleFence);
  CHECK(CodeOf(process.Park(claim)) == Code::kStaleFence);
  CHECK(CodeOf(process.Unpark(claim)) == Code::kStaleFence);
  CHECK(process.Row(id).result_json == R"({"ok":true})");
  CHECK(process.metrics.Text().find(R"(mediagen_jobs_finished_total{outcome="done",queue="work"} 1)") !=
        std::string::npos);
  CHECK(process.metrics.Text().find(R"(mediagen_jobs_held{queue="work"} 0)") != std::string::npos);
}

TEST_CASE("a fence that is not the row's changes nothing, and an unknown job is stale, too") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue("work");
  Claim claim = process.ClaimOne("work");
  Claim wrong = claim;
  wrong.job.fence += 1;
  CHECK(CodeOf(process.Finish(wrong, Outcome::Done())) == Code::kStaleFence);
  CHECK(process.Row(id).state == JobState::kRunning);
  wrong = claim;
  wrong.job.id = process.ids.Next();
  CHECK(CodeOf(process.Finish(wrong, Outcome::Done())) == Code::kStaleFence);
  CHECK(process.queues->held() == 1);
}

TEST_CASE("a retried job waits out its backoff, then runs again with a higher fence") {
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.retry = {.tries = 5, .base_ms = 1000, .cap_ms = 60'000}});
  Id id = process.Enqueue("work");
  Claim first = process.ClaimOne("work");
  CHECK(process.Finish(first, Outcome::Retry("the provider coughed", 5000)).ok());
  Job row = process.Row(id);
  CHECK(row.state == JobState::kScheduled);
  CHECK(row.tries == 1);
  CHECK(ErrorOf(row)["message"] == "the provider coughed");
  CHECK(row.due_mono == machine.fake.MonotonicMs() + 5000);

  machine.fake.Advance(4999);
  CHECK(process.Claims({"work"}, 1).empty());
  machine.fake.Advance(1);
  Claim again = process.ClaimOne("work");
  CHECK(again.id() == id);
  CHECK(again.fence() > first.fence());
  CHECK(again.job.tries == 1);
  CHECK(CodeOf(process.Finish(first, Outcome::Done())) == Code::kStaleFence);
  CHECK(process.Finish(again, Outcome::Done()).ok());
  CHECK(process.Row(id).error_json.empty());
}

TEST_CASE("a deferred job burns no try") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue("work");
  for (int i = 0; i < 20; ++i) {
    CHECK(process.Finish(process.ClaimOne("work"), Outcome::Defer(1000, "rate limited")).ok());
    CHECK(process.Row(id).state == JobState::kScheduled);
    machine.fake.Advance(1000);
  }
  CHECK(process.Row(id).tries == 0);
  CHECK(process.Finish(process.ClaimOne("work"), Outcome::Defer(0)).ok());
  CHECK(process.Row(id).state == JobState::kReady);
}

TEST_CASE("past its tries a job is dead, keeps its error, and can be retried from the start") {
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.retry = {.tries = 2, .base_ms = 10, .cap_ms = 10}});
  Id id = process.Enqueue("work");
  for (int i = 0; i < 3; ++i) {
    CHECK(process.Row(id).state != JobState::kDead);
    CHECK(process.Finish(process.ClaimOne("work"), Outcome::Retry("broken")).ok());
    machine.fake.Advance(10);
  }
  Job dead = process.Row(id);
  CHECK(dead.state == JobState::kDead);
  CHECK(ErrorOf(dead)["message"] == "broken");
  CHECK(process.Claims({"work"}, 1).empty());

  CHECK(process.Retry(id).ok());
  Claim claim = process.ClaimOne("work");
  CHECK(claim.job.tries == 0);
  CHECK(process.Finish(claim, Outcome::Done()).ok());
  CHECK(CodeOf(process.Retry(id)) == Code::kConflict);
  CHECK(CodeOf(process.Retry(process.ids.Next())) == Code::kNotFound);
}

TEST_CASE("a discarded job is dead at once; an error document given as its reason is kept as it is") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue("work");
  std::string document = R"({"code":"safety","message":"refused"})";
  CHECK(process.Finish(process.ClaimOne("work"), Outcome::Discard(document)).ok());
  CHECK(process.Row(id).state == JobState::kDead);
  CHECK(process.Row(id).error_json == document);
  CHECK(process.Row(id).tries == 0);

  id = process.Enqueue("work");
  CHECK(process.Finish(process.ClaimOne("work"), Outcome::Discard("{ no JSON")).ok());
  CHECK(ErrorOf(process.Row(id))["message"] == "{ no JSON");
}

TEST_CASE("a unique key stands for the job that holds it until that has ended") {
  Machine machine;
  Process process(machine);
  NewJob job{.queue = "work", .kind = "test", .unique_key = "daily"};
  Id first = process.Enqueue(job);
  CHECK(process.Enqueue(job) == first);
  Claim claim = process.ClaimOne("work");
  CHECK(process.Enqueue(job) == first);
  CHECK(process.Finish(claim, Outcome::Done()).ok());
  CHECK(process.Enqueue(job) != first);
}

TEST_CASE("a job without a queue or a kind is refused") {
  Machine machine;
  Process process(machine);
  CHECK(CodeOf(process.TryEnqueue({.kind = "test"}).status()) == Code::kInvalid);
  CHECK(CodeOf(process.TryEnqueue({.queue = "work"}).status()) == Code::kInvalid);
}

TEST_CASE("a wall-clock jump neither ends a lease nor releases a backoff early") {
  Machine machine;
  Process process(machine);
  Id user_timed =
      process.Enqueue({.queue = "work", .kind = "test", .run_at_ms = machine.fake.WallMs() + 1000});
  machine.fake.Advance(1000);
  Claim claim = process.ClaimOne("work");
  CHECK(claim.id() == user_timed);
  CHECK(process.Finish(claim, Outcome::Defer(60'000)).ok());
  Id held = process.Enqueue("work");
  Claim holding = process.ClaimOne("work");
  CHECK(holding.id() == held);
  for (int64_t jump : {int64_t{10} * 86'400'000, int64_t{-20} * 86'400'000}) {
    machine.fake.JumpWall(jump);
    process.queues->Released(held);  // causes a look; the claim stays held
    process.Drive();
    CHECK(process.Row(user_timed).state == JobState::kScheduled);
    CHECK(process.queues->LeaseLeftMs() > 20'000);
    CHECK(process.Row(held).state == JobState::kRunning);
  }
  machine.fake.Advance(60'000);
  CHECK(process.ClaimOne("work").id() == user_timed);
}

TEST_CASE("a run time of the user's is wall time") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue({.queue = "work", .kind = "test", .run_at_ms = machine.fake.WallMs() + 3'600'000});
  CHECK(process.Row(id).state == JobState::kScheduled);
  CHECK(process.Claims({"work"}, 1).empty());
  machine.fake.JumpWall(3'600'000);
  machine.fake.Advance(machine.options.scan_ms);  // the next look
  CHECK(process.ClaimOne("work").id() == id);
}

}  // namespace
}  // namespace mediagen
