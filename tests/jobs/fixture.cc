#include "jobs/fixture.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

namespace mediagen::test {

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "mediagen-jobs-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(Machine& on, uint64_t seed)
    : machine(on), log(on.clock), random(SeededRandom(seed)), ids(on.clock, random.get()) {
  SqliteOptions store_options{.dir = machine.dir.path(),
                              .threaded = machine.threaded,
                              .relaxed = machine.vfs.empty(),
                              .reserve_bytes = 0,
                              .vfs = machine.vfs};
  auto opened = OpenSqliteStore(machine.clock, SystemFiles(), &metrics, &log, store_options);
  REQUIRE_MESSAGE(opened.ok(), InfoOf(opened.status()).message);
  store = *std::move(opened);
  executor =
      machine.threaded ? NewThreadExecutor(machine.clock, 3, "test") : NewManualExecutor(machine.clock);
  QueuesOptions options = machine.options;
  options.dir = machine.dir.path();
  options.threaded = machine.threaded;
  auto made = OpenQueues(store.get(), executor.get(), machine.clock, random.get(), &ids, SystemFiles(),
                         &metrics, &log, options);
  REQUIRE_MESSAGE(made.ok(), InfoOf(made.status()).message);
  queues = *std::move(made);
  Status started = queues->Start();
  REQUIRE_MESSAGE(started.ok(), InfoOf(started).message);
}

// Tasks and commits of the test's may use the queues until both have stopped.
Process::~Process() {
  if (!dead) {
    queues->StopClaiming();
    queues->HandBack();
  }
  executor->Stop();
  store->Stop();
  queues.reset();
}

void Process::Drive() {
  while (queues->RunOnce() || store->RunOnce() || executor->RunOne()) {
  }
}

Status Process::Commit(const Operation& operation) { return store->Commit(operation); }

StatusOr<Id> Process::TryEnqueue(NewJob job) {
  Id id;
  Status status = Commit([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(id, queues->Enqueue(transaction, job));
    return OkStatus();
  });
  if (!status.ok()) return status;
  return id;
}

Id Process::Enqueue(NewJob job) {
  StatusOr<Id> id = TryEnqueue(std::move(job));
  REQUIRE_MESSAGE(id.ok(), InfoOf(id.status()).message);
  return *id;
}

std::optional<Job> Process::Find(const Id& id) {
  std::optional<Job> job;
  Status status = store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(job, snapshot.jobs().Find(id));
    return OkStatus();
  });
  REQUIRE_MESSAGE(status.ok(), InfoOf(status).message);
  return job;
}

Job Process::Row(const Id& id) {
  std::optional<Job> job = Find(id);
  REQUIRE(job.has_value());
  return *job;
}

std::vector<Claim> Process::Claims(const std::vector<std::string>& names, int max) {
  std::vector<Claim> claims;
  uint64_t number = queues->ClaimAsync(names, max, [&](StatusOr<std::vector<Claim>> got) {
    if (got.ok()) claims = *std::move(got);
  });
  Drive();
  queues->CancelClaim(number);
  Drive();
  return claims;
}

Claim Process::ClaimOne(const std::string& queue) {
  std::vector<Claim> claims = Claims({queue}, 1);
  REQUIRE(claims.size() == 1);
  return claims[0];
}

Status Process::Finish(const Claim& claim, const Outcome& outcome) {
  Status status = Commit([&](Transaction& transaction) {
    return queues->Finish(transaction, claim.id(), claim.fence(), outcome);
  });
  if (status.ok()) queues->Released(claim.id());
  return status;
}

Status Process::Heartbeat(const Claim& claim) {
  return Commit(
      [&](Transaction& transaction) { return queues->Heartbeat(transaction, claim.id(), claim.fence()); });
}

Status Process::Progress(const Claim& claim, const std::string& json) {
  return Commit([&](Transaction& transaction) {
    return queues->Progress(transaction, claim.id(), claim.fence(), json);
  });
}

Status Process::Park(const Claim& claim) {
  return Commit(
      [&](Transaction& transaction) { return queues->Park(transaction, claim.id(), claim.fence()); });
}

Status Process::Unpark(const Claim& claim) {
  return Commit(
      [&](Transaction& transaction) { return queues->Unpark(transaction, claim.id(), claim.fence()); });
}

StatusOr<bool> Process::RequestCancel(const Id& id) {
  bool at_once = false;
  Status status = Commit([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(at_once, queues->RequestCancel(transaction, id));
    return OkStatus();
  });
  if (!status.ok()) return status;
  return at_once;
}

Status Process::Retry(const Id& id) {
  return Commit([&](Transaction& transaction) { return queues->Retry(transaction, id); });
}

bool Process::Logged(std::string_view text) const {
  std::vector<LogRecord> records = log.Recent();
  return std::any_of(records.begin(), records.end(), [&](const LogRecord& record) {
    return record.level == LogLevel::kWarning && record.message.find(text) != std::string::npos;
  });
}

void Process::Die() {
  dead = true;
  queues->Abandon();
}

}  // namespace mediagen::test
