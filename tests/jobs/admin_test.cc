// Settings at run time, the dead letter, logs, checkpoints, uniqueness, pruning.
#include <doctest/doctest.h>

#include "base/json.h"
#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

StatusOr<std::string> Adjust(Process& process, const std::string& queue, const Json& patch) {
  std::string settings;
  Status status = process.Commit([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(settings, process.queues->Adjust(transaction, queue, patch));
    return OkStatus();
  });
  if (!status.ok()) return status;
  return settings;
}

TEST_CASE("a pause holds for every process, also for one that is started later, until it is taken back") {
  Machine machine;
  Process one(machine, 1), other(machine, 2);
  one.Enqueue("mail");
  CHECK(Adjust(one, "mail", {{"paused", true}}).ok());
  other.Drive();
  CHECK(one.Claims({"mail"}, 1).empty());
  CHECK(other.Claims({"mail"}, 1).empty());
  Process later(machine, 3);
  CHECK(later.Claims({"mail"}, 1).empty());
  CHECK(Adjust(other, "mail", {{"paused", nullptr}}).ok());
  CHECK(later.Claims({"mail"}, 1).size() == 1);
}

TEST_CASE("settings at run time lie over the configuration, field by field") {
  Machine machine;
  Process process(machine);
  process.queues->Configure("mail", {.concurrency = 7, .per_user = 2});
  StatusOr<std::string> settings =
      Adjust(process, "mail", {{"rate", {{"cost", 5}, {"perMs", 1000}}}, {"perKey", {{"model", 1}}}});
  REQUIRE(settings.ok());
  process.Drive();
  QueueSettings now = process.queues->SettingsOf("mail");
  CHECK(now.concurrency == 7);
  CHECK(now.per_user == 2);
  CHECK(now.per_model == 1);
  CHECK(now.rate.amount == 5);
  CHECK(Json::parse(*settings)["rate"]["cost"] == 5);
  CHECK(Adjust(process, "mail", {{"concurrency", 9}}).ok());
  process.Drive();
  CHECK(process.queues->SettingsOf("mail").rate.amount == 5);
  CHECK(process.queues->SettingsOf("mail").concurrency == 9);
  CHECK(Adjust(process, "mail", {{"rate", nullptr}, {"concurrency", nullptr}, {"perKey", nullptr}}).ok());
  process.Drive();
  CHECK(process.queues->SettingsOf("mail").concurrency == 7);
  CHECK(process.queues->SettingsOf("mail").rate.amount == 0);
  for (const Json& bad : {Json{{"concurrency", 0}}, Json{{"color", 1}}, Json{{"rate", 5}}, Json::array()})
    CHECK(CodeOf(Adjust(process, "mail", bad).status()) == Code::kInvalid);
}

TEST_CASE("a checkpoint is what the next try finds, and log lines stay with their job") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue("work");
  Claim claim = process.ClaimOne("work");
  auto checkpoint = [&](const Claim& by) {
    return process.Commit([&](Transaction& transaction) {
      return process.queues->Checkpoint(transaction, by.id(), by.fence(), R"({"done":17})");
    });
  };
  auto log = [&](const Claim& by) {
    return process.Commit([&](Transaction& transaction) {
      return process.queues->Log(transaction, by.id(), by.fence(), "info", "seventeen");
    });
  };
  CHECK(checkpoint(claim).ok());
  CHECK(log(claim).ok());
  CHECK(process.Finish(claim, Outcome::Defer(0)).ok());
  CHECK(process.ClaimOne("work").job.checkpoint_json == R"({"done":17})");
  CHECK(CodeOf(checkpoint(claim)) == Code::kStaleFence);
  CHECK(CodeOf(log(claim)) == Code::kStaleFence);
  CHECK(process.store
            ->Read([&](const Snapshot& snapshot) -> Status {
              ASSIGN_OR_RETURN(auto lines, snapshot.jobs().LogOf(id, 0, 10));
              CHECK(lines.size() == 1);
              return OkStatus();
            })
            .ok());
}

TEST_CASE("all dead jobs of a queue and kind are retried, those whose key is taken stay dead") {
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.concurrency = 1000});
  for (int i = 0; i < 450; ++i) process.Enqueue(NewJob{.queue = "work", .kind = i % 3 == 0 ? "a" : "b"});
  process.Enqueue({.queue = "work", .kind = "a", .unique_key = "k"});
  for (int round = 0; round < 3; ++round) {
    for (const Claim& claim : process.Claims({"work"}, 200))
      CHECK(process.Finish(claim, Outcome::Discard("no")).ok());
  }
  process.Enqueue({.queue = "work", .kind = "a", .unique_key = "k"});
  auto retry_all = [&](const std::string& kind) {
    std::optional<StatusOr<Queues::Retried>> answer;
    process.queues->RetryAll("work", kind, [&](StatusOr<Queues::Retried> retried) { answer = retried; });
    process.Drive();
    REQUIRE(answer.has_value());
    REQUIRE(answer->ok());
    return **answer;
  };
  Queues::Retried first = retry_all("a");
  CHECK(first.retried == 150);
  CHECK(first.in_conflict == 1);
  CHECK(retry_all("").retried == 300);
}

TEST_CASE("a unique job with a period is made once a period, though it has ended") {
  Machine machine;
  Process process(machine);
  NewJob hourly{.queue = "work", .kind = "report", .unique_key = "report"};
  hourly.unique_states = kActiveStates | StateBit(JobState::kDone);
  hourly.unique_period_ms = 3'600'000;
  Id first = process.Enqueue(hourly);
  CHECK(process.Finish(process.ClaimOne("work"), Outcome::Done()).ok());
  CHECK(process.Enqueue(hourly) == first);
  machine.fake.JumpWall(3'600'000);
  CHECK(process.Enqueue(hourly) != first);
}

TEST_CASE("a job that goes back to wait gives up a unique key that another has taken meanwhile") {
  Machine machine;
  Process process(machine);
  NewJob job{.queue = "work", .kind = "test", .unique_key = "k"};
  job.unique_states =
      StateBit(JobState::kReady) | StateBit(JobState::kScheduled) | StateBit(JobState::kWaiting);
  Id first = process.Enqueue(job);
  Claim claim = process.ClaimOne("work");
  Id second = process.Enqueue(job);
  CHECK(second != first);
  CHECK(process.Finish(claim, Outcome::Defer(0)).ok());
  CHECK(process.Row(first).state == JobState::kReady);
  CHECK(process.Row(first).unique_key == "");
  CHECK(process.Row(second).unique_key == "k");
}

TEST_CASE("a delay is waited out by a clock that nobody sets, and maxTries is the job's own") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue({.queue = "work", .kind = "test", .delay_ms = 5000, .max_tries = 0});
  machine.fake.JumpWall(86'400'000);
  CHECK(process.Claims({"work"}, 1).empty());
  machine.fake.Advance(5000);
  CHECK(process.Finish(process.ClaimOne("work"), Outcome::Retry("no")).ok());
  CHECK(process.Row(id).state == JobState::kDead);
  CHECK(
      CodeOf(process.TryEnqueue({.queue = "work", .kind = "test", .run_at_ms = 1, .delay_ms = 1}).status()) ==
      Code::kInvalid);
}

TEST_CASE("finished jobs go when they are too many or too old, with the blob of their result") {
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.concurrency = 1000, .done = {.age_ms = 600'000, .count = 5}});
  std::vector<Id> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(process.Enqueue("work"));
  for (const Claim& claim : process.Claims({"work"}, 100)) {
    Outcome outcome = Outcome::Done();
    if (claim.id() == ids[0]) outcome.result_blob = "jobs/result", outcome.result_json = "{}";
    CHECK(process.Finish(claim, outcome).ok());
    machine.fake.Advance(1);
  }
  machine.fake.Advance(60'000);
  process.Drive();
  for (int i = 0; i < 8; ++i) CHECK(process.Find(ids[static_cast<size_t>(i)]).has_value() == (i >= 3));
  machine.fake.JumpWall(600'000);
  machine.fake.Advance(60'000);
  process.Drive();
  CHECK_FALSE(process.Find(ids[7]));
  CHECK(process.store
            ->Read([&](const Snapshot& snapshot) -> Status {
              ASSIGN_OR_RETURN(auto tombstones, snapshot.records().Tombstones(10));
              CHECK(tombstones == std::vector<std::string>{"jobs/result"});
              return OkStatus();
            })
            .ok());
}

}  // namespace
}  // namespace mediagen
