#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

NewJob Work(int priority = 0, const std::string& user = "", const std::string& provider = "") {
  return {.queue = "work", .kind = "test", .user = user, .provider_key = provider, .priority = priority};
}

TEST_CASE("jobs are claimed by priority, then by time") {
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.concurrency = 10});
  Id low = process.Enqueue(Work(-1)), first = process.Enqueue(Work());
  machine.fake.Advance(1);
  Id second = process.Enqueue(Work()), high = process.Enqueue(Work(5));
  std::vector<Claim> claims = process.Claims({"work"}, 10);
  REQUIRE(claims.size() == 4);
  CHECK(claims[0].id() == high);
  CHECK(claims[1].id() == first);
  CHECK(claims[2].id() == second);
  CHECK(claims[3].id() == low);
}

TEST_CASE("a queue's concurrency counts running and parked jobs of every worker") {
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  for (Process* process : {&one, &two}) process->queues->Configure("work", {.concurrency = 3});
  for (int i = 0; i < 6; ++i) one.Enqueue(Work());
  std::vector<Claim> first = one.Claims({"work"}, 2);
  CHECK(first.size() == 2);
  std::vector<Claim> second = two.Claims({"work"}, 6);
  CHECK(second.size() == 1);
  CHECK(one.Park(first[0]).ok());
  CHECK(one.Claims({"work"}, 6).empty());
  CHECK(one.Finish(first[0], Outcome::Done()).ok());
  CHECK(two.Claims({"work"}, 6).size() == 1);
}

TEST_CASE("per-user and per-provider slots hold across workers") {
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  for (Process* process : {&one, &two}) {
    process->queues->Configure("work", {.concurrency = 100, .per_provider = 3, .per_user = 2});
  }
  for (int i = 0; i < 4; ++i) {
    for (const char* user : {"ann", "bob", "cyd"}) one.Enqueue(Work(0, user, "fal"));
  }
  one.Enqueue(Work(0, "dan", "replicate"));
  std::vector<Claim> claims = one.Claims({"work"}, 2);
  for (Claim& claim : two.Claims({"work"}, 50)) claims.push_back(std::move(claim));
  std::map<std::string, int> by_user, by_provider;
  for (const Claim& claim : claims) {
    ++by_user[claim.job.user];
    ++by_provider[claim.job.provider_key];
  }
  CHECK(by_provider == std::map<std::string, int>{{"fal", 3}, {"replicate", 1}});
  for (const auto& [user, count] : by_user) CHECK(count <= 2);
}

TEST_CASE("a handler gets every job of its queue, never more at once than there are slots") {
  std::vector<Claim> held;
  int handled = 0;
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.concurrency = 2});
  process.queues->Serve(
      "work", [&](Claim claim) { held.push_back(claim), ++handled; }, nullptr);
  for (int i = 0; i < 7; ++i) process.Enqueue(Work());
  process.Drive();
  while (!held.empty()) {
    CHECK(held.size() <= 2);
    CHECK(held.size() == process.queues->held());
    Claim claim = held.front();
    held.erase(held.begin());
    CHECK(process.Finish(claim, Outcome::Done()).ok());
    process.Drive();
  }
  CHECK(handled == 7);
}

TEST_CASE("between the commit of a finish and its release the slot is not used; after it, it is") {
  std::vector<Claim> held;
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.concurrency = 1});
  process.queues->Serve(
      "work", [&](Claim claim) { held.push_back(claim); }, nullptr);
  process.Enqueue(Work());
  process.Enqueue(Work());
  process.Drive();
  REQUIRE(held.size() == 1);
  Claim first = held[0];
  CHECK(process
            .Commit([&](Transaction& t) {
              return process.queues->Finish(t, first.id(), first.fence(), Outcome::Done());
            })
            .ok());
  process.Drive();  // the commit wakes, too
  CHECK(held.size() == 1);
  process.queues->Released(first.id());
  process.Drive();
  CHECK(held.size() == 2);
  process.queues->Released(first.id());  // too many: the second job's claim is not touched
  CHECK(process.queues->held() == 1);
}

TEST_CASE("a wake that arrives while a claim is in flight causes another look") {
  std::vector<Claim> held;
  Machine machine;
  Process process(machine);
  process.queues->Serve(
      "work", [&](Claim claim) { held.push_back(claim); }, nullptr);
  process.Drive();
  process.queues->Configure("work", {.concurrency = 5});
  process.Enqueue(Work());
  while (process.queues->RunOnce()) {  // reads, and starts a round whose commit waits in the store
  }
  CHECK(held.empty());
  // Committed behind the round, in the same drive of the writer.
  Id late;
  bool committed = false;
  process.store->CommitAsync(
      [&](Transaction& transaction) -> Status {
        ASSIGN_OR_RETURN(late, process.queues->Enqueue(transaction, Work()));
        return OkStatus();
      },
      [&](Status status) { committed = status.ok(); });
  process.Drive();
  CHECK(committed);
  REQUIRE(held.size() == 2);
  CHECK(held[1].id() == late);
}

TEST_CASE("a paused queue is not claimed from until the pause ends") {
  int handled = 0;
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.paused = true});
  process.queues->Serve(
      "work", [&](Claim) { ++handled; }, nullptr);
  process.Enqueue(Work());
  process.Drive();
  CHECK(handled == 0);
  CHECK(process.queues->SettingsOf("work").paused);
  process.queues->Configure("work", {});
  process.Drive();
  CHECK(handled == 1);
}

TEST_CASE("a host's claim waits for a job of any of its queues, which another process enqueues") {
  std::vector<StatusOr<std::vector<Claim>>> answers;
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  one.queues->ClaimAsync({"mail", "work"}, 5, [&](auto got) { answers.push_back(std::move(got)); });
  one.Drive();
  CHECK(answers.empty());
  Id id = two.Enqueue(Work());
  two.Drive();
  one.Drive();
  REQUIRE(answers.size() == 1);
  REQUIRE(answers[0].ok());
  REQUIRE(answers[0]->size() == 1);
  CHECK((*answers[0])[0].id() == id);
}

TEST_CASE("one round serves many waiting claims, first come first served") {
  std::vector<std::pair<int, size_t>> answers;  // outlives the process, whose end answers what still waits
  Machine machine;
  Process process(machine);
  process.queues->Configure("work", {.concurrency = 5});
  for (int i = 0; i < 4; ++i) {
    process.queues->ClaimAsync(
        {"work"}, 2, [&answers, i](auto got) { answers.emplace_back(i, got.ok() ? got->size() : 99); });
  }
  for (int i = 0; i < 8; ++i) process.Enqueue(Work());
  process.Drive();
  CHECK(answers == std::vector<std::pair<int, size_t>>{{0, 2}, {1, 2}, {2, 1}});  // five slots
}

TEST_CASE("a canceled claim answers once, and what was claimed for it meanwhile goes back unharmed") {
  std::vector<Code> answers;
  Machine machine;
  Process process(machine);
  process.Drive();
  auto done = [&](StatusOr<std::vector<Claim>> got) { answers.push_back(CodeOf(got.status())); };
  uint64_t number = process.queues->ClaimAsync({"work"}, 1, done);
  process.Drive();
  Id id = process.Enqueue(Work());
  while (process.queues->RunOnce()) {  // the round is in flight now
  }
  process.queues->CancelClaim(number);
  process.queues->CancelClaim(number);
  process.Drive();
  CHECK(answers == std::vector<Code>{Code::kCanceled});
  Job row = process.Row(id);
  CHECK(row.state == JobState::kReady);
  CHECK(row.tries == 0);
  CHECK(process.queues->held() == 0);
  CHECK(process.ClaimOne("work").id() == id);
}

TEST_CASE("a claim without queues or jobs is refused") {
  std::vector<Code> answers;
  Machine machine;
  Process process(machine);
  auto done = [&](StatusOr<std::vector<Claim>> got) { answers.push_back(CodeOf(got.status())); };
  process.queues->ClaimAsync({}, 1, done);
  process.queues->ClaimAsync({"work"}, 0, done);
  process.Drive();
  CHECK(answers == std::vector<Code>{Code::kInvalid, Code::kInvalid});
}

TEST_CASE("an empty claim writes nothing") {
  Machine machine;
  Process process(machine);
  process.queues->Serve(
      "work", [](Claim) {}, nullptr);
  process.Drive();
  process.queues->ClaimAsync({"work", "mail"}, 3, [](auto) {});
  CHECK(process.queues->RunOnce());       // it looks,
  CHECK_FALSE(process.store->RunOnce());  // and there is nothing to commit
}

TEST_CASE("a job that waits is canceled at once, also from another process") {
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  Id ready = one.Enqueue(Work());
  Id later = one.Enqueue({.queue = "work", .kind = "test", .run_at_ms = machine.fake.WallMs() + 1000});
  for (const Id& id : {ready, later}) {
    StatusOr<bool> canceled = two.RequestCancel(id);
    REQUIRE(canceled.ok());
    CHECK(*canceled);
    CHECK(one.Row(id).state == JobState::kCanceled);
    CHECK(*two.RequestCancel(id));
  }
  CHECK(one.Claims({"work"}, 2).empty());
  CHECK(CodeOf(two.RequestCancel(two.ids.Next()).status()) == Code::kNotFound);
}

TEST_CASE("a job that is held is asked to cancel, once, in the process that holds it") {
  std::vector<Claim> held;
  std::vector<Id> asked;
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  one.queues->Serve(
      "work", [&](Claim claim) { held.push_back(claim); }, [&](Id id) { asked.push_back(id); });
  Id id = one.Enqueue(Work());
  one.Drive();
  REQUIRE(held.size() == 1);
  StatusOr<bool> canceled = two.RequestCancel(id);
  REQUIRE(canceled.ok());
  CHECK_FALSE(*canceled);
  one.Drive();
  CHECK(asked == std::vector<Id>{id});
  CHECK(one.Row(id).state == JobState::kRunning);
  CHECK(*two.RequestCancel(id) == false);
  one.Drive();
  CHECK(asked.size() == 1);

  // The handler decides. When it asks to run again, the wish stands, and the next claim is told as well.
  CHECK(one.Finish(held[0], Outcome::Defer(0)).ok());
  one.Drive();
  REQUIRE(held.size() == 2);
  CHECK(held[1].job.cancel_requested);
  CHECK(asked.size() == 2);
  CHECK(one.Finish(held[1], Outcome::Cancel()).ok());
  CHECK(one.Row(id).state == JobState::kCanceled);
}

TEST_CASE("a finished job cannot be canceled") {
  Machine machine;
  Process process(machine);
  Id id = process.Enqueue(Work());
  CHECK(process.Finish(process.ClaimOne("work"), Outcome::Done()).ok());
  CHECK(CodeOf(process.RequestCancel(id).status()) == Code::kConflict);
}

TEST_CASE("hand-back returns what is held at once, without a try, and makes its claims stale") {
  std::vector<Code> answers;
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  one.Enqueue(Work());
  one.Enqueue(Work());
  std::vector<Claim> claims = one.Claims({"work"}, 2);
  REQUIRE(claims.size() == 2);
  CHECK(one.Park(claims[1]).ok());
  one.queues->ClaimAsync({"work"}, 1, [&](auto got) { answers.push_back(CodeOf(got.status())); });
  one.queues->StopClaiming();
  one.Drive();
  CHECK(answers == std::vector<Code>{Code::kClosed});
  CHECK(one.Heartbeat(claims[0]).ok());  // the holders still have their time
  one.queues->HandBack();
  CHECK(one.queues->held() == 0);
  CHECK(one.queues->LeaseLeftMs() == 0);
  CHECK(CodeOf(one.Finish(claims[0], Outcome::Done())) == Code::kStaleFence);

  std::vector<Claim> again = two.Claims({"work"}, 2);
  REQUIRE(again.size() == 2);
  for (const Claim& claim : again) CHECK(claim.job.tries == 0);
  CHECK(CodeOf(one.Finish(claims[0], Outcome::Done())) == Code::kStaleFence);
  CHECK(SystemFiles()->List(machine.dir.path() + "/workers")->size() == 1);  // two's own
  one.queues->ClaimAsync({"work"}, 1, [&](auto got) { answers.push_back(CodeOf(got.status())); });
  one.Drive();
  CHECK(answers.back() == Code::kClosed);
  CHECK_FALSE(one.queues->RunOnce());
}

TEST_CASE("a holder that drains is still told to cancel, and nothing new is claimed") {
  std::vector<Claim> held;
  std::vector<Id> asked;
  Machine machine;
  Process process(machine);
  process.queues->Serve(
      "work", [&](Claim claim) { held.push_back(claim); }, [&](Id id) { asked.push_back(id); });
  Id id = process.Enqueue(Work());
  process.Drive();
  REQUIRE(held.size() == 1);
  process.queues->StopClaiming();
  process.Enqueue(Work());
  CHECK_FALSE(*process.RequestCancel(id));
  process.Drive();
  CHECK(asked == std::vector<Id>{id});
  CHECK(held.size() == 1);
}

TEST_CASE("a claim whose commit comes after claiming was stopped is handed back, not handled") {
  int handled = 0;
  Machine machine;
  Process process(machine);
  process.queues->Serve(
      "work", [&](Claim) { ++handled; }, nullptr);
  process.Drive();
  Id id = process.Enqueue(Work());
  while (process.queues->RunOnce()) {
  }
  process.queues->StopClaiming();
  process.queues->HandBack();
  process.Drive();
  CHECK(handled == 0);
  CHECK(process.Row(id).state == JobState::kReady);
  CHECK(process.Row(id).worker.empty());
}

TEST_CASE("two Queues of one process on one store are strangers") {
  std::vector<Claim> theirs;
  Machine machine;
  Process process(machine);
  QueuesOptions options{.dir = machine.dir.path(), .threaded = false};
  auto other = OpenQueues(process.store.get(), process.executor.get(), machine.clock, process.random.get(),
                          &process.ids, SystemFiles(), &process.metrics, &process.log, options);
  REQUIRE(other.ok());
  REQUIRE((*other)->Start().ok());
  CHECK((*other)->worker() != process.queues->worker());
  process.Enqueue(Work());
  process.Enqueue(Work());
  Claim mine = process.ClaimOne("work");
  (*other)->ClaimAsync({"work"}, 1, [&](auto got) { theirs = *std::move(got); });
  while ((*other)->RunOnce() || process.store->RunOnce() || process.executor->RunOne()) {
  }
  REQUIRE(theirs.size() == 1);
  CHECK(theirs[0].id() != mine.id());
  CHECK((*other)->held() == 1);
  other->reset();  // hands back its own job only
  CHECK(process.Row(theirs[0].id()).state == JobState::kReady);
  CHECK(process.Row(mine.id()).state == JobState::kRunning);
}

TEST_CASE("queues refuse options that make no sense and a second start") {
  Machine machine;
  Process process(machine);
  CHECK(CodeOf(process.queues->Start()) == Code::kConflict);
  for (QueuesOptions options :
       {QueuesOptions{.dir = ""}, QueuesOptions{.dir = "x", .lease_ms = 100, .renew_ms = 100},
        QueuesOptions{.dir = "x", .scan_ms = 0}, QueuesOptions{.dir = "x", .renew_ms = 0}}) {
    auto opened = OpenQueues(process.store.get(), process.executor.get(), machine.clock, process.random.get(),
                             &process.ids, SystemFiles(), &process.metrics, &process.log, options);
    CHECK(CodeOf(opened.status()) == Code::kInvalid);
  }
}

}  // namespace
}  // namespace mediagen
