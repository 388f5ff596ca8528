// Who hears of whose commits. Manual mode: RunOnce looks, so nothing is left to the timing of threads.
#include <fcntl.h>
#include <unistd.h>

#include "SQLiteCpp/Database.h"
#include "sqlite_backend.h"
#include "store/sqlite/wake_file.h"

namespace mediagen {
namespace {

struct Two {
  SqliteBackend backend{{.threaded = false, .relaxed = true}};
  std::unique_ptr<Store> other = backend.OpenAnother();
  std::vector<Store::Wake> here, there;

  Two() {
    backend.store().OnWake([this](const Store::Wake& wake) { here.push_back(wake); });
    other->OnWake([this](const Store::Wake& wake) { there.push_back(wake); });
  }
};

Status AppendX(Transaction& t) { return t.events().Append({.topic = "x"}).status(); }

TEST_CASE("a foreign commit is heard once, with what it was about; one's own is never foreign") {
  Two two;
  Must(two.backend.store().Commit([](Transaction& t) {
    t.WakeQueues();
    return OkStatus();
  }));
  REQUIRE(two.here.size() == 1);
  CHECK_FALSE(two.here[0].foreign);
  CHECK(two.there.empty());
  CHECK(two.other->RunOnce());
  REQUIRE(two.there.size() == 1);
  CHECK(two.there[0].foreign);
  CHECK(two.there[0].queues);
  CHECK_FALSE(two.there[0].events);
  CHECK_FALSE(two.other->RunOnce());
  CHECK_FALSE(two.backend.store().RunOnce());
  CHECK(two.here.size() == 1);
}

TEST_CASE("a foreign commit between two of one's own is not overlooked") {
  Two two;
  Must(two.backend.store().Commit(AppendX));
  Must(two.other->Commit(AppendX));
  Must(two.backend.store().Commit(AppendX));
  CHECK(two.backend.store().RunOnce());
  CHECK(two.here.back().foreign);
  CHECK(two.here.back().events);
  CHECK(two.other->RunOnce());
}

TEST_CASE("a commit whose touch got lost is found by polling") {
  Two two;
  CHECK_FALSE(two.backend.store().RunOnce());
  {
    SQLite::Database database(two.backend.database(), SQLite::OPEN_READWRITE);
    database.exec(
        "UPDATE meta SET value = value WHERE key = 'epoch'; INSERT INTO blob_tombstone VALUES ('k', 1)");
  }
  CHECK(two.backend.store().RunOnce());
  REQUIRE(two.here.size() == 1);
  CHECK(two.here[0].foreign);
  CHECK(two.here[0].events);
  CHECK(two.here[0].queues);
  CHECK_FALSE(two.backend.store().RunOnce());
}

TEST_CASE("a wake file that was cut short or overwritten wakes once too often, and works again") {
  testing::TempDir dir;
  auto mine = Must(WakeFile::Open(dir / "wake")), theirs = Must(WakeFile::Open(dir / "wake"));
  theirs->Touch({.events = true});
  CHECK(mine->Foreign().events);
  CHECK_FALSE(mine->Foreign().any());
  CHECK(truncate((dir / "wake").c_str(), 3) == 0);
  CHECK(mine->Foreign().any());
  CHECK_FALSE(mine->Foreign().any());
  theirs->Touch({.queues = true});
  CHECK(mine->Foreign().queues);
  mine->Touch({.events = true, .queues = true});
  CHECK_FALSE(mine->Foreign().any());
  CHECK(CodeOf(WakeFile::Open(dir / "none/wake").status()) == Code::kUnavailable);
}

}  // namespace
}  // namespace mediagen
