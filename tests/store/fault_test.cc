// What the store does when the disk fails under it: the whole matrix is a few words, so each case says only
// what fails and what must be true.
#include <condition_variable>
#include <mutex>

#include "sqlite_backend.h"
#include "support/fault_vfs.h"

namespace mediagen {
namespace {

using testing::FaultVfs;

// A store in manual mode over a failing disk: RunOnce commits what was queued as one group.
struct Fixture {
  FaultVfs vfs;
  SqliteBackend backend{{.threaded = false, .vfs = vfs.name()}};
  std::vector<Status> results;

  // Queues an operation that appends an event of this type and then ends with `then`.
  void Queue(std::string type, Status then = OkStatus(), size_t data_bytes = 0) {
    size_t index = results.size();
    results.emplace_back(Error(Code::kInternal, "never answered."));
    backend.store().CommitAsync(
        [type, then, data_bytes](Transaction& t) -> Status {
          std::string data = "\"" + std::string(data_bytes, 'x') + "\"";
          RETURN_IF_ERROR(t.events().Append({.topic = "t", .type = type, .data_json = data}).status());
          return then;
        },
        [this, index](Status status) { results[index] = std::move(status); });
  }
  void Run() {
    while (backend.store().RunOnce()) {
    }
  }
  // Types of all events, in order.
  std::string Types() {
    std::string types;
    Look(backend.store(), [&](const Snapshot& s) {
      for (const Event& event : Must(s.events().After(0, 1000))) types += event.type;
    });
    return types;
  }
  std::vector<Code> Codes() const {
    std::vector<Code> codes;
    for (const Status& status : results) codes.push_back(CodeOf(status));
    return codes;
  }
};

TEST_CASE("a full disk at COMMIT fails only the operations that still do not fit, and the store goes on") {
  Fixture f;
  f.Queue("a");
  f.Queue("b");
  f.Queue("c");
  f.vfs.Fail(FaultVfs::kWalWrite, SQLITE_FULL);  // the group's COMMIT; the reruns, one by one, fit again
  f.Run();
  CHECK(f.Codes() == std::vector<Code>{Code::kOk, Code::kOk, Code::kOk});
  CHECK(f.Types() == "abc");

  f.Queue("d");
  f.Queue("e");
  f.vfs.FailAlways(FaultVfs::kWalWrite, SQLITE_FULL);
  f.Run();
  CHECK(CodeOf(f.results[3]) == Code::kStorageFull);
  CHECK(CodeOf(f.results[4]) == Code::kStorageFull);
  CHECK_FALSE(InfoOf(f.results[4]).hint.empty());
  CHECK(f.Types() == "abc");

  f.vfs.Heal();
  f.Queue("f");
  f.Run();
  CHECK(f.results[5].ok());
  CHECK(f.Types() == "abcf");
  f.backend.Reopen();
  CHECK(f.Types() == "abcf");
}

TEST_CASE("when SQLite rolls the whole group back in the middle, the innocent are run again") {
  Fixture f;
  f.Queue("a");
  f.Queue("b", Error(Code::kForbidden, "its own error."));
  f.Queue("big", OkStatus(),
          64u << 20);  // more than the page cache: its pages spill into the WAL before the COMMIT
  f.Queue("c");
  f.vfs.Fail(FaultVfs::kWalWrite, SQLITE_FULL);
  f.Run();
  CHECK(f.Codes() == std::vector<Code>{Code::kOk, Code::kForbidden, Code::kStorageFull, Code::kOk});
  CHECK(f.Types() == "ac");
}

TEST_CASE("an operation that swallows the error which undid it is told the truth") {
  Fixture f;
  Status result;
  f.backend.store().CommitAsync(
      [](Transaction& t) {
        std::string big(64u << 20, 'x');
        t.events().Append({.topic = "t", .type = "big", .data_json = big}).status().IgnoreError();
        return OkStatus();
      },
      [&](Status status) { result = std::move(status); });
  f.vfs.Fail(FaultVfs::kWalWrite, SQLITE_FULL);
  f.Run();
  CHECK_FALSE(result.ok());
  CHECK(f.Types() == "");
}

TEST_CASE("a failed fsync is looked into: what did not become durable is done again, once") {
  Fixture f;
  f.Queue("a");
  f.Queue("b");
  f.vfs.Fail(FaultVfs::kWalSync, SQLITE_IOERR_FSYNC);
  f.Run();
  CHECK(f.Codes() == std::vector<Code>{Code::kOk, Code::kOk});
  CHECK(f.Types() == "ab");
  f.backend.Reopen();
  CHECK(f.Types() == "ab");
}

TEST_CASE("a single operation whose fsync failed is answered with the error, and is not there") {
  Fixture f;
  f.Queue("a");
  f.vfs.Fail(FaultVfs::kWalSync, SQLITE_IOERR_FSYNC);
  f.Run();
  CHECK(CodeOf(f.results[0]) == Code::kUnavailable);
  CHECK(f.Types() == "");
  f.Queue("b");
  f.Run();
  CHECK(f.results[1].ok());
  f.backend.Reopen();
  CHECK(f.Types() == "b");
}

TEST_CASE("what cannot be found out is an unknown outcome, not an error") {
  Fixture f;
  f.Queue("a");
  f.Queue("b", Error(Code::kForbidden, "its own error."));
  f.vfs.FailAlways(FaultVfs::kWalSync, SQLITE_IOERR_FSYNC);
  f.Run();
  CHECK(f.Codes() == std::vector<Code>{Code::kUnknownOutcome, Code::kForbidden});

  // The file cannot be opened any more: nothing is known, and nothing new is run.
  f.vfs.Heal();
  f.Queue("c");
  f.Run();
  CHECK(f.results[2].ok());
  f.Queue("d");
  f.vfs.Fail(FaultVfs::kWalSync, SQLITE_IOERR_FSYNC);
  f.vfs.FailAlways(FaultVfs::kOpen, SQLITE_CANTOPEN);
  f.Run();
  CHECK(CodeOf(f.results[3]) == Code::kUnknownOutcome);
  f.Queue("e");
  f.Run();
  CHECK(CodeOf(f.results[4]) == Code::kUnavailable);
  f.vfs.Heal();
  f.Queue("f");
  f.Run();
  CHECK(f.results[5].ok());
  CHECK(f.Types().find('e') == std::string::npos);
  CHECK(f.Types().back() == 'f');
}

TEST_CASE("an I/O error on a write is an error of the operation, and the store goes on") {
  Fixture f;
  f.Queue("a");
  f.vfs.FailAlways(FaultVfs::kWalWrite, SQLITE_IOERR_WRITE);
  f.Run();
  CHECK(CodeOf(f.results[0]) == Code::kUnavailable);
  f.vfs.Heal();
  f.Queue("b");
  f.Run();
  CHECK(f.Types() == "b");
}

TEST_CASE("a checkpoint that fails loses nothing") {
  Fixture f;
  for (int i = 0; i < 12; ++i)
    f.Queue("x", OkStatus(), 1 << 20);  // far more than the pages that start a checkpoint
  f.vfs.FailAlways(FaultVfs::kDatabaseWrite, SQLITE_IOERR_WRITE);
  f.Run();
  for (const Status& status : f.results) CHECK(status.ok());
  CHECK(f.vfs.Count(FaultVfs::kDatabaseWrite) > 0);
  CHECK(f.Types().size() == 12);
  f.vfs.Heal();
  f.Queue("y");
  f.Run();
  f.backend.Reopen();
  CHECK(f.Types().size() == 13);
}

TEST_CASE("submits are refused below the reserve of free space; what was accepted goes on") {
  FaultVfs vfs;
  SqliteBackend backend{{.relaxed = true, .reserve_bytes = 1 << 20}};
  auto commit = [&](Purpose purpose) {
    return backend.store().Commit([](Transaction& t) { return t.events().Append({.topic = "t"}).status(); },
                                  purpose);
  };
  backend.files().SetFreeBytes(1 << 20);
  CHECK(commit(Purpose::kSubmit).ok());
  backend.files().SetFreeBytes((1 << 20) - 1);
  CHECK(commit(Purpose::kSubmit).ok());  // the look at the disk holds for a second
  backend.clock()->Advance(1000);
  Status refused = commit(Purpose::kSubmit);
  CHECK(CodeOf(refused) == Code::kStorageFull);
  CHECK(InfoOf(refused).retry_after_ms > 0);
  CHECK(commit(Purpose::kSettle).ok());
  CHECK(commit(Purpose::kHeartbeat).ok());
  backend.files().SetFreeBytes(1 << 30);
  backend.clock()->Advance(1000);
  CHECK(commit(Purpose::kSubmit).ok());
}

}  // namespace
}  // namespace mediagen
