// Every write of a generation's life fails once, or until the disk works again: it is told or tried again,
// the generation comes to its right end, and what is paid is paid once.
#include <doctest/doctest.h>
#include <errno.h>
#include <sqlite3.h>

#include <cstdlib>
#include <vector>

#include "engine/manual_engine.h"
#include "fmt/format.h"

using namespace mediagen;
using mediagen::testing::FaultVfs;
using mediagen::testing::FileOp;
using mediagen::testing::ManualEngine;
using mediagen::testing::Simulator;

namespace {

constexpr int kOutageSteps = 50;  // five seconds of the clock
constexpr int kMostWrites = 400;  // of one kind in one generation

struct Fault {
  const char* name;
  bool database;
  int operation, error;

  long Count(ManualEngine& e) const {
    return database ? e.vfs.Count(static_cast<FaultVfs::Op>(operation))
                    : e.files.Count(static_cast<FileOp>(operation));
  }
  void Arm(ManualEngine& e, int nth, bool once) const {
    const int times = once ? 1 : INT_MAX;
    if (database) {
      e.vfs.Fail(static_cast<FaultVfs::Op>(operation), error, nth, times);
    } else {
      e.files.Fail(static_cast<FileOp>(operation), error, nth, times);
    }
  }
};

Fault Disk(const char* name, FileOp operation, int error) {
  return {name, false, static_cast<int>(operation), error};
}
Fault Database(const char* name, FaultVfs::Op operation, int error) { return {name, true, operation, error}; }

std::vector<Fault> Faults() {
  return {Database("full database", FaultVfs::kWalWrite, SQLITE_FULL),
          Database("database write", FaultVfs::kWalWrite, SQLITE_IOERR_WRITE),
          Database("database sync", FaultVfs::kWalSync, SQLITE_IOERR_FSYNC),
          Disk("full disk", FileOp::kWrite, ENOSPC),
          Disk("file sync", FileOp::kSync, EIO),
          Disk("rename", FileOp::kRename, EIO),
          Disk("directory sync", FileOp::kSyncDirectory, EIO),
          Disk("full directory", FileOp::kMakeDirs, ENOSPC),
          Disk("create", FileOp::kCreate, EIO)};
}

void CheckIsClear(const Status& status) {
  const Code code = CodeOf(status);
  CAPTURE(ErrorJson(status));
  CHECK((code == Code::kStorageFull || code == Code::kUnavailable || code == Code::kUnknownOutcome));
  CHECK_FALSE(InfoOf(status).message.empty());
}

// One generation, in which the nth operation of the fault's kind fails. How often that kind was asked for.
long RunWith(ManualEngine& e, Json request, const Fault& fault, int nth, bool once, const std::string& name) {
  const long before = fault.Count(e);
  request["user"] = "u1";
  request["prompt"] = name;
  request["idempotencyKey"] = name;
  fault.Arm(e, nth, once);
  auto submitted = e.Submit(request);
  if (!submitted.ok()) {
    CheckIsClear(submitted.status());
    e.Heal();
    submitted = e.Submit(request);
  }
  if (!submitted.ok()) FAIL(ErrorJson(submitted.status()));
  if (!once) e.Step(kOutageSteps);
  if (!once) e.Heal();
  const std::string id = (*submitted)["id"];
  auto record = e.Rest(id);
  if (!record.ok()) FAIL(ErrorJson(record.status()));
  CAPTURE(record->dump());
  CHECK((*record)["status"] == "completed");
  CHECK((*record)["outputs"].size() == 1);
  CHECK(e.Served(id));
  e.Step(20);  // what follows: thumbnails
  e.Heal();
  return fault.Count(e) - before;
}

// Every operation of every kind in turn. With `stride`, only each so-manieth, unless MEDIAGEN_EVERY_WRITE is
// set.
void FailEach(ManualEngine& e, const Json& request, bool once, int stride) {
  if (std::getenv("MEDIAGEN_EVERY_WRITE") != nullptr) stride = 1;
  for (const Fault& fault : Faults()) {
    CAPTURE(std::string(fault.name));
    int rounds = 0;
    for (int nth = 1; nth < kMostWrites; nth += stride) {
      CAPTURE(nth);
      const std::string name = fmt::format("{} {} {} {}", request["provider"].dump(), fault.name,
                                           once ? "once" : "until healed", nth);
      ++rounds;
      if (RunWith(e, request, fault, nth, once, name) < nth) break;  // nobody came by the fault any more
    }
    CHECK(rounds > 1);  // the first one of the kind was come by
  }
}

}  // namespace

TEST_CASE("whichever write of a drawing fails, once or for a while, it ends as a stored picture") {
  ManualEngine e;
  const Json request = {{"provider", "sketch"}, {"size", "32x32"}};
  FailEach(e, request, true, 7);
  FailEach(e, request, false, 19);
}

TEST_CASE("whichever write of a paid generation fails, once or for a while, it is completed and paid once") {
  Simulator simulator({.work_ms = 1});
  ManualEngine e(simulator.url());
  const std::vector<Json> requests = {
      {{"provider", "replicate"}, {"model", "simulated/model"}, {"size", "64x64"}},
      {{"provider", "openai"}, {"model", "local-model"}, {"size", "64x64"}}};
  for (const Json& request : requests) {
    CAPTURE(request.dump());
    FailEach(e, request, true, 11);
    FailEach(e, request, false, 37);
  }
  std::map<std::string, int> paid;
  for (const Json& line : simulator.Journal()) {
    if (!line.value("definitelyRejected", false)) ++paid[line["input"]["prompt"].dump()];
  }
  CHECK(paid.size() > 20);
  for (const auto& of_prompt : paid) {
    CAPTURE(of_prompt.first);
    CHECK(of_prompt.second == 1);
  }
}

TEST_CASE("below the reserve of free space nothing new is accepted, and what was accepted ends") {
  ManualEngine e;
  auto request = [](const char* prompt) {
    return Json{{"user", "u1"}, {"provider", "sketch"}, {"size", "32x32"}, {"prompt", prompt}};
  };
  auto accepted = e.Submit(request("before"));
  REQUIRE(accepted.ok());
  e.files.SetFreeBytes(1 << 20);
  e.Step(50);  // a look at the free space holds for a second
  auto refused = e.Submit(request("while full"));
  CHECK(CodeOf(refused.status()) == Code::kStorageFull);
  CHECK(InfoOf(refused.status()).retry_after_ms > 0);
  auto record = e.Rest((*accepted)["id"]);
  REQUIRE(record.ok());
  CHECK((*record)["status"] == "completed");
  e.Heal();
  e.Step(50);
  CHECK(e.Submit(request("after")).ok());
}
