// Every write of a job's way through the queue fails once, or until the disk works again.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <functional>

#include "jobs/fixture.h"
#include "support/fault_vfs.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;
using testing::FaultVfs;

struct Fault {
  const char* name;
  FaultVfs::Op operation;
  int error;
  bool once;
};
constexpr Fault kFaults[] = {{"full, once", FaultVfs::kWalWrite, SQLITE_FULL, true},
                             {"full", FaultVfs::kWalWrite, SQLITE_FULL, false},
                             {"write error, once", FaultVfs::kWalWrite, SQLITE_IOERR_WRITE, true},
                             {"write error", FaultVfs::kWalWrite, SQLITE_IOERR_WRITE, false},
                             {"sync error, once", FaultVfs::kWalSync, SQLITE_IOERR_FSYNC, true},
                             {"sync error", FaultVfs::kWalSync, SQLITE_IOERR_FSYNC, false}};

struct Fixture {
  FaultVfs vfs;
  Machine machine;
  std::unique_ptr<Process> process;

  Fixture() {
    machine.vfs = vfs.name();
    process = std::make_unique<Process>(machine);
    process->queues->Configure("work", {.concurrency = 1});
  }

  // Does it; when the disk says no, that is told clearly, and once the disk works it is done. A stale claim
  // then says that it was done the first time.
  void Insist(const std::function<Status()>& action) {
    Status status = action();
    if (status.ok()) return;
    const Code code = CodeOf(status);
    CAPTURE(ErrorJson(status));
    CHECK((code == Code::kStorageFull || code == Code::kUnavailable || code == Code::kUnknownOutcome));
    vfs.Heal();
    status = action();
    CHECK((status.ok() || (code == Code::kUnknownOutcome && CodeOf(status) == Code::kStaleFence)));
  }

  Claim ClaimOne() {
    for (int tries = 0;; ++tries) {
      std::vector<Claim> claims = process->Claims({"work"}, 1);
      if (!claims.empty()) return claims.front();
      REQUIRE(tries < 20);
      vfs.Heal();
      machine.fake.Advance(1000);  // a claim that failed is tried again a little later
      process->Drive();
    }
  }

  // A job's whole way; how many operations of this kind it took.
  long Way(const Fault& fault, int nth) {
    const long before = vfs.Count(fault.operation);
    vfs.Fail(fault.operation, fault.error, nth, fault.once ? 1 : INT_MAX);
    const Id id = process->ids.Next();
    Insist([&] { return process->TryEnqueue({.id = id, .queue = "work", .kind = "test"}).status(); });
    Claim claim = ClaimOne();
    CHECK(claim.id() == id);
    Insist([&] { return process->Heartbeat(claim); });
    Insist([&] { return process->Progress(claim, R"({"fraction":0.5})"); });
    Insist([&] { return process->Park(claim); });
    Insist([&] { return process->Unpark(claim); });
    Insist([&] { return process->Finish(claim, Outcome::Defer(0)); });
    process->Drive();
    claim = ClaimOne();
    CHECK(claim.id() == id);
    Insist([&] { return process->Finish(claim, Outcome::Done("7")); });
    vfs.Heal();
    process->Drive();
    const Job row = process->Row(id);
    CHECK(row.state == JobState::kDone);
    CHECK(row.tries == 0);
    CHECK(row.result_json == "7");
    CHECK(process->queues->held() == 0);
    return vfs.Count(fault.operation) - before;
  }
};

}  // namespace

TEST_CASE("whichever write of a job's way fails, it is told or tried again, and the one slot is never lost") {
  for (const Fault& fault : kFaults) {
    CAPTURE(std::string(fault.name));
    Fixture f;
    int nth = 1;
    for (; nth < 300; ++nth) {
      CAPTURE(nth);
      if (f.Way(fault, nth) < nth) break;
    }
    CHECK(nth > 5);
    std::map<JobState, int64_t> counts;
    REQUIRE(f.process->store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(counts, snapshot.jobs().CountByState("work"));
                  return OkStatus();
                })
                .ok());
    CHECK(counts[JobState::kDone] == nth);
    CHECK(counts[JobState::kRunning] + counts[JobState::kParked] + counts[JobState::kReady] == 0);
  }
}

}  // namespace mediagen
