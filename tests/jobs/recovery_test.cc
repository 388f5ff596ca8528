#include <doctest/doctest.h>

#include <memory>

#include "base/json.h"
#include "jobs/fixture.h"
#include "support/fault_vfs.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;
using testing::FaultVfs;

std::string WorkersOf(const Machine& machine) { return machine.dir.path() + "/workers"; }

// The next scan of `process`, and what follows from it.
void Scan(Process& process) {
  process.machine.fake.Advance(process.machine.options.scan_ms);
  process.Drive();
}

std::vector<Worker> Workers(Process& process) {
  std::vector<Worker> workers;
  Status status = process.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(workers, snapshot.jobs().Workers());
    return OkStatus();
  });
  REQUIRE(status.ok());
  return workers;
}

TEST_CASE(
    "a dead worker is found by its lock long before its lease ends: running jobs burn a try, parked ones do "
    "not") {
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  Id running = one.Enqueue("work"), parked = one.Enqueue("work");
  std::vector<Claim> claims = one.Claims({"work"}, 2);
  REQUIRE(claims.size() == 2);
  REQUIRE(claims[1].id() == parked);
  CHECK(one.Park(claims[1]).ok());
  Scan(two);
  CHECK(two.Row(running).state == JobState::kRunning);  // it lives

  one.Die();
  Scan(two);
  CHECK(two.Row(running).state == JobState::kReady);
  CHECK(two.Row(running).tries == 1);
  CHECK(two.Row(parked).state == JobState::kReady);
  CHECK(two.Row(parked).tries == 0);
  CHECK(Workers(two).size() == 1);
  CHECK(SystemFiles()->List(WorkersOf(machine))->size() == 1);
  CHECK(two.Logged("dead worker"));
  CHECK(two.metrics.Text().find(R"(mediagen_jobs_returned_total{reason="dead_worker"} 2)") !=
        std::string::npos);

  CHECK(CodeOf(one.Finish(claims[0], Outcome::Done())) == Code::kStaleFence);
  CHECK(one.queues->LeaseLeftMs() == 0);
  CHECK(two.Claims({"work"}, 2).size() == 2);
}

TEST_CASE("a job whose workers keep dying ends as dead, with the reason") {
  Machine machine;
  Process survivor(machine, 1);
  survivor.queues->Configure("work", {.retry = {.tries = 1}});
  Id id = survivor.Enqueue("work");
  for (int i = 0; i < 2; ++i) {
    Process victim(machine, 10 + i);
    victim.ClaimOne("work");
    victim.Die();
    Scan(survivor);
  }
  Job row = survivor.Row(id);
  CHECK(row.state == JobState::kDead);
  CHECK(row.tries == 2);
  CHECK(Json::parse(row.error_json)["code"] == "unavailable");
}

TEST_CASE("the first scan after a start finds what died before it") {
  Machine machine;
  Id id;
  {
    Process victim(machine, 1);
    id = victim.Enqueue("work");
    victim.ClaimOne("work");
    victim.Die();
  }
  Process process(machine, 2);
  CHECK(process.ClaimOne("work").job.tries == 1);
}

TEST_CASE("a frozen worker loses its jobs when its lease ends, and may send nothing paid by then") {
  Machine machine;
  Process frozen(machine, 1), two(machine, 2);
  Id id = frozen.Enqueue("work");
  Claim claim = frozen.ClaimOne("work");
  CHECK(frozen.queues->LeaseLeftMs() > 10'000);
  while (frozen.queues->LeaseLeftMs() > 0) {
    machine.fake.Advance(1000);
    two.Drive();
    if (frozen.queues->LeaseLeftMs() > 0) CHECK(two.Row(id).state == JobState::kRunning);
  }
  Scan(two);
  CHECK(two.Row(id).state == JobState::kReady);
  CHECK(two.Row(id).tries == 1);
  CHECK(two.Logged("frozen"));
  CHECK(SystemFiles()->List(WorkersOf(machine))->size() == 2);  // its file is still locked

  // It thaws: it learns that it was given up, and sends nothing for a whole lease, whoever still thinks that
  // he may.
  frozen.Drive();
  CHECK(frozen.Logged("declared dead"));
  CHECK(frozen.queues->LeaseLeftMs() == 0);
  CHECK(frozen.queues->held() == 0);
  CHECK(CodeOf(frozen.Heartbeat(claim)) == Code::kStaleFence);
  CHECK(frozen.Claims({"work"}, 1).empty());
  machine.fake.Advance(machine.options.lease_ms / 2);
  frozen.Drive();
  two.Drive();
  CHECK(frozen.queues->LeaseLeftMs() == 0);
  machine.fake.Advance(machine.options.lease_ms / 2);
  frozen.Drive();
  two.Drive();
  CHECK(frozen.queues->LeaseLeftMs() > 10'000);
  CHECK(frozen.ClaimOne("work").id() == id);
}

TEST_CASE("a lease is renewed while its worker lives") {
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  Id id = one.Enqueue("work");
  Claim claim = one.ClaimOne("work");
  for (int i = 0; i < 20; ++i) {
    machine.fake.Advance(machine.options.renew_ms);
    one.Drive();
    two.Drive();
    CHECK(one.queues->LeaseLeftMs() == machine.options.lease_ms);
  }
  CHECK(one.Row(id).state == JobState::kRunning);
  CHECK(one.Finish(claim, Outcome::Done()).ok());
}

TEST_CASE("a renewal that took longer than a lease to commit is followed by another at once") {
  FaultVfs vfs;
  Machine machine;
  machine.vfs = vfs.name();
  Process process(machine);
  machine.fake.Advance(machine.options.renew_ms);
  vfs.OnNext(FaultVfs::kWalWrite, [&] { machine.fake.Advance(machine.options.lease_ms * 2); });
  process.Drive();
  CHECK(process.queues->LeaseLeftMs() == machine.options.lease_ms);
}

TEST_CASE("a claim that meets the end of the lease waits for the next lease and no longer") {
  Machine machine;
  Process process(machine);
  const Id id = process.Enqueue("work");
  std::vector<Claim> claims;
  process.queues->ClaimAsync({"work"}, 1, [&](StatusOr<std::vector<Claim>> got) {
    if (got.ok()) claims = *std::move(got);
  });
  while (process.queues->RunOnce()) {
  }
  machine.fake.Advance(machine.options.lease_ms);  // the round was asked for, and has not run
  REQUIRE(process.store->RunOnce());
  CHECK(claims.empty());
  CHECK(process.Row(id).state == JobState::kReady);
  process.Drive();
  REQUIRE(claims.size() == 1);
  CHECK(claims[0].id() == id);
}

TEST_CASE("a worker row of another boot, or without a file, is dead") {
  Machine machine;
  Process process(machine);
  Id other_boot = process.ids.Next(), no_file = process.ids.Next();
  auto plant = [&](const Id& worker, const std::string& boot_id) {
    Id job = process.Enqueue("work");
    Status status = process.Commit([&](Transaction& transaction) -> Status {
      RETURN_IF_ERROR(transaction.jobs().PutWorker(
          {.id = worker, .boot_id = boot_id, .lease_until_mono = INT64_MAX / 2, .host = "elsewhere:1"}));
      ASSIGN_OR_RETURN(auto claimed,
                       transaction.jobs().Claim("work", 1, {}, worker, machine.fake.MonotonicMs()));
      return claimed.size() == 1 ? OkStatus() : Error(Code::kInternal, "nothing was claimed");
    });
    REQUIRE_MESSAGE(status.ok(), InfoOf(status).message);
    return job;
  };
  Id first = plant(other_boot, "another-boot"), second = plant(no_file, BootId());
  Scan(process);
  CHECK(Workers(process).size() == 1);
  for (const Id& id : {first, second}) {
    CHECK(process.Row(id).state == JobState::kReady);
    CHECK(process.Row(id).tries == 1);
  }
}

TEST_CASE(
    "files that belong to no worker are removed when they are named like one, and left alone otherwise") {
  Machine machine;
  Process process(machine);
  std::string stray = WorkersOf(machine) + "/" + process.ids.Next().text(),
              foreign = WorkersOf(machine) + "/README";
  REQUIRE(SystemFiles()->WriteDurably(stray, "").ok());
  REQUIRE(SystemFiles()->WriteDurably(foreign, "hands off").ok());
  Scan(process);
  CHECK(CodeOf(SystemFiles()->Stat(stray).status()) == Code::kNotFound);
  CHECK(SystemFiles()->Stat(foreign).ok());
}

TEST_CASE("a worker whose file was removed under it is given up by others, and registers anew") {
  Machine machine;
  Process one(machine, 1), two(machine, 2);
  Id id = one.Enqueue("work");
  Claim claim = one.ClaimOne("work");
  REQUIRE(SystemFiles()->Remove(WorkersOf(machine) + "/" + one.queues->worker().text()).ok());
  Scan(two);
  CHECK(two.Row(id).state == JobState::kReady);
  machine.fake.Advance(machine.options.renew_ms);
  one.Drive();
  CHECK(one.queues->LeaseLeftMs() == 0);
  CHECK(CodeOf(one.Finish(claim, Outcome::Done())) == Code::kStaleFence);
  machine.fake.Advance(machine.options.lease_ms);
  one.Drive();
  CHECK(one.queues->LeaseLeftMs() > 0);
  CHECK(SystemFiles()->Stat(WorkersOf(machine) + "/" + one.queues->worker().text()).ok());
  CHECK(one.ClaimOne("work").id() == id);
}

TEST_CASE("a worker that notices in time that its file was removed makes it again and loses nothing") {
  Machine machine;
  Process one(machine, 1);
  Id id = one.Enqueue("work");
  one.ClaimOne("work");
  REQUIRE(SystemFiles()->Remove(WorkersOf(machine) + "/" + one.queues->worker().text()).ok());
  machine.fake.Advance(machine.options.renew_ms);
  one.Drive();
  Process two(machine, 2);
  Scan(two);
  CHECK(two.Row(id).state == JobState::kRunning);
}

TEST_CASE("a scan that cannot list the workers says so once and goes on when it can") {
  Machine machine;
  Process one(machine, 1);
  std::string hidden = machine.dir.path() + "/hidden";
  REQUIRE(SystemFiles()->Rename(WorkersOf(machine), hidden).ok());
  Scan(one);
  Scan(one);
  CHECK(one.Logged("scan for dead workers failed"));
  size_t complaints = 0;
  for (const LogRecord& record : one.log.Recent()) complaints += record.message.starts_with("The scan");
  CHECK(complaints == 1);
  REQUIRE(SystemFiles()->Rename(hidden, WorkersOf(machine)).ok());
  Process victim(machine, 2);
  Id id = victim.Enqueue("work");
  victim.ClaimOne("work");
  victim.Die();
  Scan(one);
  CHECK(one.Row(id).state == JobState::kReady);
}

}  // namespace
}  // namespace mediagen
