#include <doctest/doctest.h>

#include <algorithm>

#include "base/json.h"
#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

NewJob Child(const std::string& kind = "part") { return {.queue = "work", .kind = kind}; }

NewJob Parent(int children) {
  NewJob job{.queue = "work", .kind = "whole"};
  for (int i = 0; i < children; ++i) job.children.push_back(Child());
  return job;
}

Family FamilyOf(Process& process, const Id& parent) {
  std::optional<Family> family;
  CHECK(process.store
            ->Read([&](const Snapshot& snapshot) -> Status {
              ASSIGN_OR_RETURN(family, snapshot.jobs().FindFamily(parent));
              return OkStatus();
            })
            .ok());
  REQUIRE(family.has_value());
  return *family;
}

std::vector<Job> ChildrenOf(Process& process, const Id& parent) {
  std::vector<Job> children;
  CHECK(process.store
            ->Read([&](const Snapshot& snapshot) -> Status {
              ASSIGN_OR_RETURN(children, snapshot.jobs().ChildrenOf(parent, Id{}, 100));
              return OkStatus();
            })
            .ok());
  return children;
}

struct Fixture {
  Fixture() { process.queues->Configure("work", {.concurrency = 100, .retry = {.tries = 0}}); }
  std::vector<Claim> All() { return process.Claims({"work"}, 100); }
  Machine machine;
  Process process{machine};
};

TEST_CASE("a parent runs after its children, and is told how far they are") {
  Fixture f;
  Id parent = f.process.Enqueue(Parent(3));
  std::vector<Claim> parts = f.All();
  REQUIRE(parts.size() == 3);
  for (const Claim& part : parts) CHECK(part.job.parent == parent);
  CHECK(f.process.Finish(parts[0], Outcome::Done()).ok());
  CHECK(f.process.Finish(parts[1], Outcome::Done()).ok());
  CHECK(f.process.Row(parent).state == JobState::kWaiting);
  CHECK(FamilyOf(f.process, parent).units_done == 2);
  CHECK(f.process.Finish(parts[2], Outcome::Done()).ok());
  std::vector<Claim> whole = f.All();
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].id() == parent);
  CHECK(f.process.Finish(whole[0], Outcome::Done(R"({"ok":true})")).ok());
  CHECK(f.process.Row(parent).result_json == R"({"ok":true})");
}

TEST_CASE(
    "the first child that fails ends its parent, and the others are canceled; a retry takes them all back") {
  Fixture f;
  Id parent = f.process.Enqueue(Parent(3));
  std::vector<Claim> one = f.process.Claims({"work"}, 1);
  REQUIRE(one.size() == 1);
  CHECK(f.process.Finish(one[0], Outcome::Discard("no")).ok());
  Job dead = f.process.Row(parent);
  CHECK(dead.state == JobState::kDead);
  CHECK(dead.error_json.find(one[0].id().text()) != std::string::npos);
  CHECK(f.All().empty());
  Family family = FamilyOf(f.process, parent);
  CHECK(family.failed == 1);
  CHECK(family.canceled == 2);
  CHECK(family.pending == 0);

  CHECK(f.process.Retry(parent).ok());
  CHECK(f.process.Row(parent).state == JobState::kWaiting);
  std::vector<Claim> again = f.All();
  CHECK(again.size() == 3);
  for (const Claim& claim : again) CHECK(f.process.Finish(claim, Outcome::Done()).ok());
  CHECK(f.process.Row(parent).state == JobState::kReady);
}

TEST_CASE("a dead child that is retried calls its dead parent back") {
  Fixture f;
  Id parent = f.process.Enqueue(Parent(1));
  Claim part = f.process.ClaimOne("work");
  CHECK(f.process.Finish(part, Outcome::Discard("no")).ok());
  CHECK(f.process.Row(parent).state == JobState::kDead);
  CHECK(f.process.Retry(part.id()).ok());
  CHECK(f.process.Row(parent).state == JobState::kWaiting);
  CHECK(f.process.Finish(f.process.ClaimOne("work"), Outcome::Done()).ok());
  CHECK(f.process.ClaimOne("work").id() == parent);
}

TEST_CASE("a parent is not called back while another child stands that ended it") {
  Fixture f;
  Id parent = f.process.Enqueue(Parent(2));
  Claim part = f.process.ClaimOne("work");
  CHECK(f.process.Finish(part, Outcome::Discard("no")).ok());  // the other one is canceled
  CHECK(f.process.Retry(part.id()).ok());
  CHECK(f.process.Row(parent).state == JobState::kDead);
  CHECK(f.process.Finish(f.process.ClaimOne("work"), Outcome::Done()).ok());
  CHECK(f.process.Row(parent).state == JobState::kDead);
  CHECK(f.process.Retry(parent).ok());
  CHECK(f.process.Row(parent).state == JobState::kWaiting);
  CHECK(f.process.Finish(f.process.ClaimOne("work"), Outcome::Done()).ok());
  CHECK(f.process.ClaimOne("work").id() == parent);
}

TEST_CASE("with onChildFailure continue the parent goes on with what there is") {
  Fixture f;
  NewJob job = Parent(2);
  job.fail_fast = false;
  Id parent = f.process.Enqueue(job);
  std::vector<Claim> parts = f.All();
  CHECK(f.process.Finish(parts[0], Outcome::Discard("no")).ok());
  CHECK(f.process.Row(parent).state == JobState::kWaiting);
  CHECK(f.process.Finish(parts[1], Outcome::Done()).ok());
  CHECK(f.process.ClaimOne("work").id() == parent);
}

TEST_CASE("a batch ends with its last item, counts its items and is never claimed itself") {
  Fixture f;
  NewJob job = Parent(2);
  job.fail_fast = job.run_after = false;
  for (NewJob& child : job.children) child.units = 50;
  Id parent = f.process.Enqueue(job);
  std::vector<Claim> parts = f.All();
  CHECK(f.process.Progress(parts[0], R"({"current":20})").ok());
  CHECK(FamilyOf(f.process, parent).units_done == 20);
  CHECK(f.process.Progress(parts[0], R"({"current":30})").ok());
  CHECK(FamilyOf(f.process, parent).units_done == 30);
  CHECK(f.process.Progress(parts[0], R"({"current":"x"})").ok());
  CHECK(FamilyOf(f.process, parent).units_done == 30);
  CHECK(f.process.Finish(parts[0], Outcome::Done()).ok());
  CHECK(FamilyOf(f.process, parent).units_done == 50);
  CHECK(f.process.Finish(parts[1], Outcome::Discard("no")).ok());
  Job row = f.process.Row(parent);
  CHECK(row.state == JobState::kDone);
  CHECK(row.result_json == R"({"children":2,"failed":1,"canceled":0})");
  CHECK(FamilyOf(f.process, parent).units == 100);
}

TEST_CASE("cancel descends: what waits is canceled, what runs is asked to") {
  Fixture f;
  NewJob job = Parent(2);
  job.children[1].children.push_back(Child("grandchild"));
  Id parent = f.process.Enqueue(job);
  Claim running = f.process.ClaimOne("work");
  StatusOr<bool> at_once = f.process.RequestCancel(parent);
  REQUIRE(at_once.ok());
  CHECK(*at_once);
  CHECK(f.process.Row(parent).state == JobState::kCanceled);
  CHECK(f.process.Row(running.id()).cancel_requested);
  for (const Job& child : ChildrenOf(f.process, parent)) {
    if (child.id == running.id()) continue;
    CHECK(child.state == JobState::kCanceled);
    for (const Job& below : ChildrenOf(f.process, child.id)) CHECK(below.state == JobState::kCanceled);
  }
  CHECK(f.process.Finish(running, Outcome::Cancel()).ok());
  CHECK(f.process.Row(parent).state == JobState::kCanceled);
  CHECK(FamilyOf(f.process, parent).pending == 0);
}

TEST_CASE(
    "a batch that was canceled with its parent's failure comes back with its items, and is not run itself") {
  Fixture f;
  NewJob job = Parent(1);
  NewJob batch{.queue = "work",
               .kind = "batch",
               .children = {Child("item"), Child("item")},
               .fail_fast = false,
               .run_after = false};
  job.children.push_back(batch);
  Id parent = f.process.Enqueue(job);
  std::vector<Job> children = ChildrenOf(f.process, parent);
  REQUIRE(children.size() == 2);
  for (const Claim& claim : f.All()) {
    const bool item = claim.job.kind == "item";
    CHECK(f.process.Finish(claim, item ? Outcome::Cancel() : Outcome::Discard("no")).ok());
  }
  CHECK(f.process.Row(parent).state == JobState::kDead);
  CHECK(f.process.Retry(parent).ok());
  std::vector<std::string> kinds;
  for (int round = 0; round < 3; ++round) {
    for (const Claim& claim : f.All()) {
      kinds.push_back(claim.job.kind);
      CHECK(f.process.Finish(claim, Outcome::Done()).ok());
    }
  }
  std::sort(kinds.begin(), kinds.end());
  CHECK(kinds == std::vector<std::string>{"item", "item", "part", "whole"});
  CHECK(f.process.Row(parent).state == JobState::kDone);
}

TEST_CASE("a retried parent waits for all of its children, though the first of them ends again at once") {
  Fixture f;
  NewJob job = Parent(0);
  job.run_after = false;
  job.children.push_back({.queue = "work", .kind = "batch", .children = {Child("item")}, .run_after = false});
  job.children.push_back(Child());
  Id parent = f.process.Enqueue(job);
  std::vector<Claim> claims = f.All();
  REQUIRE(claims.size() == 2);
  if (claims[0].job.kind == "item") std::swap(claims[0], claims[1]);
  CHECK(f.process.Finish(claims[0], Outcome::Discard("no")).ok());
  CHECK(f.process.Finish(claims[1], Outcome::Done()).ok());  // though it was asked to end
  REQUIRE(f.process.Row(parent).state == JobState::kDead);
  CHECK(ChildrenOf(f.process, parent)[0].state == JobState::kCanceled);

  CHECK(f.process.Retry(parent).ok());
  CHECK(ChildrenOf(f.process, parent)[0].state == JobState::kDone);  // a batch whose items had all ended
  CHECK(f.process.Row(parent).state == JobState::kWaiting);
  claims = f.All();
  REQUIRE(claims.size() == 1);
  CHECK(f.process.Finish(claims[0], Outcome::Done()).ok());
  CHECK(f.process.Row(parent).state == JobState::kDone);
  CHECK(FamilyOf(f.process, parent).pending == 0);
}

TEST_CASE("a child can join a parent that waits, and none that does not") {
  Fixture f;
  Id parent = f.process.Enqueue(Parent(1));
  NewJob late = Child();
  late.parent = parent;
  Id joined = f.process.Enqueue(late);
  CHECK(FamilyOf(f.process, parent).pending == 2);
  for (const Claim& claim : f.All()) CHECK(f.process.Finish(claim, Outcome::Done()).ok());
  CHECK(f.process.Row(joined).state == JobState::kDone);
  CHECK(CodeOf(f.process.TryEnqueue(late).status()) == Code::kConflict);
  late.parent = f.process.ids.Next();
  CHECK(CodeOf(f.process.TryEnqueue(late).status()) == Code::kConflict);
  late.parent = f.process.Enqueue("work");
  CHECK(CodeOf(f.process.TryEnqueue(late).status()) == Code::kConflict);
}

TEST_CASE("a family comes whole or not at all: a child whose unique key is taken refuses it") {
  Fixture f;
  Id holder = f.process.Enqueue({.queue = "work", .kind = "test", .unique_key = "k"});
  NewJob job = Parent(2);
  job.children[1].unique_key = "k";
  StatusOr<Id> refused = f.process.TryEnqueue(job);
  CHECK(CodeOf(refused.status()) == Code::kConflict);
  CHECK(InfoOf(refused.status()).object == holder.text());
  CHECK(f.All().size() == 1);
}

TEST_CASE("a child whose worker dies too often fails like any other") {
  Fixture f;
  Id parent = f.process.Enqueue(Parent(1));
  {
    Process victim(f.machine, 2);
    victim.queues->Configure("work", {.concurrency = 100, .retry = {.tries = 0}});
    REQUIRE(victim.Claims({"work"}, 1).size() == 1);
    victim.Die();
  }
  f.machine.fake.Advance(1000);
  f.process.Drive();
  CHECK(f.process.Row(parent).state == JobState::kDead);
}

}  // namespace
}  // namespace mediagen
