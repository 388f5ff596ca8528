// The writer's own rules: its queue, its groups, the WAL, fork.
#include <sys/stat.h>

#include "sqlite_backend.h"
#include "support/child.h"

namespace mediagen {
namespace {

SqliteOptions Manual() { return {.threaded = false, .relaxed = true}; }

Status Nothing(Transaction&) { return OkStatus(); }
Status AppendX(Transaction& t) { return t.events().Append({.topic = "x"}).status(); }

double MetricOf(SqliteBackend& backend, const std::string& name) {
  std::string text = backend.metrics().Text();
  size_t at = text.find("\n" + name + " ");
  REQUIRE(at != std::string::npos);
  return std::stod(text.substr(at + name.size() + 2));
}

TEST_CASE("a group takes a hundred operations, heartbeats first") {
  SqliteBackend backend(Manual());
  std::vector<int> order;
  for (int i = 0; i < 150; ++i)
    backend.store().CommitAsync(
        Nothing, [&order, i](Status) { order.push_back(i); }, Purpose::kSettle);
  backend.store().CommitAsync(
      Nothing, [&order](Status) { order.push_back(-1); }, Purpose::kHeartbeat);
  CHECK(backend.store().RunOnce());
  REQUIRE(order.size() == 100);
  CHECK(order[0] == -1);
  CHECK(order[99] == 98);
  CHECK(backend.store().RunOnce());
  CHECK(order.size() == 151);
  CHECK(order.back() == 149);
  CHECK_FALSE(backend.store().RunOnce());
}

TEST_CASE("a group ends after 20 ms; the rest comes first in the next one") {
  SqliteBackend backend(Manual());
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) {
    backend.store().CommitAsync(
        [&](Transaction&) {
          backend.clock()->Advance(12);
          return OkStatus();
        },
        [&order, i](Status) { order.push_back(i); }, Purpose::kSettle);
  }
  backend.store().RunOnce();
  CHECK(order == std::vector<int>{0, 1});
  backend.store().RunOnce();
  CHECK(order == std::vector<int>{0, 1, 2, 3});
  backend.store().RunOnce();
  CHECK(order.size() == 5);
}

// What each of a group's operations is answered, and how often it ran.
struct Group {
  std::vector<int> runs;
  std::vector<Code> answers;
  void Run(SqliteBackend& backend, std::vector<Operation> operations) {
    runs.assign(operations.size(), 0);
    answers.assign(operations.size(), Code::kInternal);
    for (size_t i = 0; i < operations.size(); ++i) {
      backend.store().CommitAsync(
          [this, i, operation = std::move(operations[i])](Transaction& t) {
            ++runs[i];
            return operation(t);
          },
          [this, i](Status s) { answers[i] = CodeOf(s); }, Purpose::kSettle);
    }
    while (backend.store().RunOnce()) {
    }
  }
};

TEST_CASE("an operation that fails before it writes costs its group nothing") {
  SqliteBackend backend(Manual());
  Group group;
  group.Run(backend, {AppendX, [](Transaction&) { return Error(Code::kInvalid, "no"); }, AppendX});
  CHECK(group.answers == std::vector<Code>{Code::kOk, Code::kInvalid, Code::kOk});
  CHECK(group.runs == std::vector<int>{1, 1, 1});
}

TEST_CASE("an operation that fails after it wrote is undone alone: its group runs again, in savepoints") {
  SqliteBackend backend(Manual());
  Group group;
  auto fail_late = [](Transaction& t) -> Status {
    RETURN_IF_ERROR(t.events().Append({.topic = "lost"}).status());
    return Error(Code::kInvalid, "no");
  };
  group.Run(backend, {AppendX, fail_late, AppendX, fail_late});
  CHECK(group.answers == std::vector<Code>{Code::kOk, Code::kInvalid, Code::kOk, Code::kInvalid});
  CHECK(group.runs == std::vector<int>{2, 2, 1, 1});
  std::vector<Event> events;
  Must(backend.store().Read([&](const Snapshot& s) -> Status {
    ASSIGN_OR_RETURN(events, s.events().After(0, 10));
    return OkStatus();
  }));
  REQUIRE(events.size() == 2);
  CHECK((events[0].topic == "x" && events[1].topic == "x"));
}

TEST_CASE("a group that is run again after 20 ms leaves the rest to the next one, and answers nobody twice") {
  SqliteBackend backend(Manual());
  Group group;
  auto slow = [&](Transaction& t) {
    backend.clock()->Advance(12);
    return AppendX(t);
  };
  auto fail_late = [](Transaction& t) -> Status {
    RETURN_IF_ERROR(AppendX(t));
    return Error(Code::kInvalid, "no");
  };
  group.Run(backend, {slow, fail_late, slow, slow});
  CHECK(group.answers == std::vector<Code>{Code::kOk, Code::kInvalid, Code::kOk, Code::kOk});
}

TEST_CASE(
    "past ten thousand waiting operations the answer is a refusal with a retry hint; heartbeats still pass") {
  SqliteBackend backend(Manual());
  int done = 0;
  for (int i = 0; i < 10'000; ++i)
    backend.store().CommitAsync(
        Nothing, [&](Status s) { done += s.ok(); }, Purpose::kSettle);
  Status refused;
  backend.store().CommitAsync(
      Nothing, [&](Status s) { refused = std::move(s); }, Purpose::kSettle);
  CHECK(refused.ok());  // not from inside CommitAsync: its caller may hold what `done` takes
  CHECK(backend.store().Commit(Nothing, Purpose::kHeartbeat).ok());
  while (backend.store().RunOnce()) {
  }
  CHECK(CodeOf(refused) == Code::kOverloaded);
  CHECK(InfoOf(refused).retry_after_ms > 0);
  CHECK(done == 10'000);
  CHECK(backend.store().Commit(Nothing).ok());
  CHECK(MetricOf(backend, "mediagen_store_refused_total") == 1);
}

TEST_CASE("an operation that writes nothing writes nothing: not even the marker of its group") {
  SqliteBackend backend(Manual());
  auto wal_bytes = [&] {
    struct stat wal {};
    return stat((backend.database() + "-wal").c_str(), &wal) == 0 ? wal.st_size : -1;
  };
  Must(backend.store().Commit(AppendX));
  auto before = wal_bytes();
  CHECK(before > 0);
  Must(backend.store().Commit([](Transaction& t) { return t.jobs().Claim("q", 10, {}, Id{}, 0).status(); }));
  CHECK(wal_bytes() == before);
}

TEST_CASE("Stop leaves an empty WAL: everything stands in the database file") {
  SqliteBackend backend(Manual());
  Must(backend.store().Commit(AppendX));
  std::string wal = backend.database() + "-wal";
  struct stat info {};
  REQUIRE(stat(wal.c_str(), &info) == 0);
  CHECK(info.st_size > 0);
  backend.store().Stop();
  REQUIRE(stat(wal.c_str(), &info) == 0);
  CHECK(info.st_size == 0);
}

TEST_CASE("a WAL that grows is checkpointed while the writer is at work") {
  SqliteBackend backend({.threaded = false, .checkpoint_pages = 1000});
  for (int i = 0; i < 64; ++i) {
    Must(backend.store().Commit([](Transaction& t) {
      return t.events().Append({.topic = "x", .data_json = std::string(1 << 20, 'x')}).status();
    }));
  }
  struct stat info {};
  REQUIRE(stat((backend.database() + "-wal").c_str(), &info) == 0);
  CHECK(info.st_size < 16 << 20);  // 64 MB were written
  CHECK(MetricOf(backend, "mediagen_store_wal_bytes") > 0);
}

TEST_CASE("in a forked child every call says so, and ending the handle there harms nobody") {
  SqliteBackend backend;
  Must(backend.store().Commit(AppendX));
  int code = testing::ExitCodeOfChild([&] {
    if (CodeOf(backend.store().Commit(AppendX)) != Code::kForked) return 1;
    if (CodeOf(backend.store().Read([](const Snapshot&) { return OkStatus(); })) != Code::kForked) return 2;
    Code async = Code::kOk;
    backend.store().CommitAsync(
        AppendX, [&](Status s) { async = CodeOf(s); }, Purpose::kSettle);
    if (async != Code::kForked) return 3;
    if (backend.store().RunOnce()) return 4;
    backend.store().Stop();
    backend.store().Abandon();
    backend.Close();
    return 0;
  });
  CHECK(code == 0);
  Must(backend.store().Commit(AppendX));  // the parent's locks and threads are as they were
  std::unique_ptr<Store> other = backend.OpenAnother();
  Must(other->Commit(AppendX));
  Look(*other, [](const Snapshot& s) { CHECK(Must(s.AsOf()) == 3); });
}

}  // namespace
}  // namespace mediagen
