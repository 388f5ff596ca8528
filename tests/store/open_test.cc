// Opening: what is refused, by name, and what is made.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "SQLiteCpp/Database.h"
#include "SQLiteCpp/Statement.h"
#include "sqlite_backend.h"
#include "store/sqlite/connection.h"

namespace mediagen {
namespace {

// Changes the database behind the store's back, as another build would.
void Execute(const std::string& path, const char* sql) {
  SQLite::Database database(path, SQLite::OPEN_READWRITE);
  database.exec(sql);
}

TEST_CASE("a missing directory is made, with its parents") {
  testing::TempDir dir;
  SqliteBackend backend({.dir = dir.path() + "/a/b/c", .relaxed = true});
  Must(Write(backend.store(), [](Transaction& t) { return t.records().AddTombstone("k", 1); }));
  struct stat info {};
  for (const char* name : {"mediagen.db", "write.lock", "gate.lock", "open.lock", "wake"}) {
    CHECK_MESSAGE(stat((dir.path() + "/a/b/c/" + name).c_str(), &info) == 0, name);
  }
}

TEST_CASE("a network file system is refused by name, with what to do") {
  SqliteBackend backend;
  backend.files().SetNetworkName("nfs4");
  Status refused = backend.TryOpen().status();
  CHECK(CodeOf(refused) == Code::kInvalid);
  CHECK(InfoOf(refused).message ==
        "data directory \"" + backend.dir() + "\" is on nfs4; SQLite's locks are not safe there.");
  CHECK(InfoOf(refused).hint == "Use a local disk, or \"store\": \"postgres://…\".");
}

TEST_CASE("a directory that cannot be used is named") {
  testing::TempDir dir;
  std::ofstream(dir.path() + "/file") << "x";
  SqliteBackend backend;
  backend.options().dir = dir.path() + "/file";
  CHECK_FALSE(backend.TryOpen().ok());
  backend.options().dir = dir.path() + "/file/below";
  Status below = backend.TryOpen().status();
  CHECK_FALSE(below.ok());
  CHECK(InfoOf(below).message.find(dir.path()) != std::string::npos);
}

TEST_CASE("a file that is no database is corrupt, and is left as it is") {
  testing::TempDir dir;
  const std::string path = dir.path() + "/mediagen.db", text(5000, 'x');
  std::ofstream(path) << text;
  SqliteBackend backend;
  backend.options().dir = dir.path();
  Status status = backend.TryOpen().status();
  CHECK(CodeOf(status) == Code::kCorrupt);
  CHECK(InfoOf(status).message.find(path) != std::string::npos);
  std::ifstream file(path);
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == text);
}

TEST_CASE("damage inside the file is told as corruption by whoever meets it") {
  SqliteBackend backend;
  Must(Write(backend.store(), [](Transaction& t) {
    for (int i = 0; i < 6000; ++i)
      RETURN_IF_ERROR(t.events().Append({.topic = "t", .data_json = std::string(200, 'x')}).status());
    return OkStatus();
  }));
  backend.Close();
  struct stat info {};
  REQUIRE(stat(backend.database().c_str(), &info) == 0);
  std::fstream file(backend.database(), std::ios::in | std::ios::out | std::ios::binary);
  for (long at = info.st_size / 2; at + 4096 < info.st_size; at += 4096) {
    file.seekp(at - at % 4096);
    file << std::string(64, '\xFF');  // the headers of b-tree pages
  }
  file.close();
  std::unique_ptr<Store> store = backend.OpenAnother();
  Status status = store->Read([](const Snapshot& s) { return s.events().After(0, 10'000).status(); });
  CHECK(CodeOf(status) == Code::kCorrupt);
  CHECK_FALSE(InfoOf(status).hint.empty());
}

TEST_CASE("a schema that this build is too old for is refused and both versions are named") {
  SqliteBackend backend;
  backend.Close();
  Execute(backend.database(),
          "PRAGMA user_version = 7; UPDATE meta SET value = '7' WHERE key = 'minCompatible'");
  Status refused = backend.TryOpen().status();
  CHECK(CodeOf(refused) == Code::kUnsupported);
  CHECK(InfoOf(refused).message.find("schema 7") != std::string::npos);
  CHECK(InfoOf(refused).message.find("schema " + std::to_string(SqliteSchemaVersion())) != std::string::npos);
}

TEST_CASE("a schema from before the first release is refused by its number") {
  SqliteBackend backend;
  backend.Close();
  Execute(backend.database(), "PRAGMA user_version = 1; UPDATE meta SET value = '1'");
  Status refused = backend.TryOpen().status();
  CHECK(CodeOf(refused) == Code::kUnsupported);
  CHECK(InfoOf(refused).message.find("schema 1") != std::string::npos);
}

TEST_CASE("a directory of schema 3 gets what was added since, and older processes may go on writing to it") {
  SqliteBackend backend;
  Output output;
  output.id = backend.NewId();
  output.user = "ada";
  Must(Write(backend.store(), [&](Transaction& t) { return t.records().PutOutput(output); }));
  backend.Close();
  Execute(backend.database(), R"sql(
    DROP TABLE share; DROP TABLE pending_upload; DROP INDEX output_upload; ALTER TABLE variant DROP COLUMN effort;
    UPDATE meta SET value = '3' WHERE key = 'schema';
    INSERT INTO variant (output, recipe, version, blob_key, media_type, sha256, width, height, bytes)
    SELECT id, 'w1,fill,webp,q85', 2, 'k', 'image/webp', 'aa', 1, 1, 1 FROM output)sql");
  std::unique_ptr<Store> store = backend.OpenAnother();
  Look(*store, [&](const Snapshot& s) {
    CHECK(Must(s.records().VariantsOf(output.id)).at(0).effort == 0);
    CHECK(Must(s.records().UploadsOf("ada", "")).empty());
    CHECK(Must(s.records().ExpiredUploads(1, 1)).empty());
  });
  Must(Write(*store, [&](Transaction& t) {
    return t.records().InsertShare({"token", output.id, "ada", 1});
  }));
  store.reset();
  SQLite::Database database(backend.database());
  CHECK(database.execAndGet("PRAGMA user_version").getInt() == 3);
  CHECK(database.execAndGet("SELECT value FROM meta WHERE key = 'schema'").getString() ==
        std::to_string(SqliteSchemaVersion()));
}

TEST_CASE("a newer schema that is only additive opens and is left as it is") {
  SqliteBackend backend;
  backend.Close();
  Execute(backend.database(), R"sql(UPDATE meta SET value = '9' WHERE key = 'schema';
                                    ALTER TABLE generation ADD COLUMN novelty TEXT NOT NULL DEFAULT '')sql");
  std::unique_ptr<Store> store = backend.OpenAnother();
  Generation g;
  g.id = backend.NewId();
  g.user = "ada";
  Must(Write(*store, [&](Transaction& t) { return t.records().InsertGeneration(g); }));
  Look(*store, [&](const Snapshot& s) { CHECK(Must(s.records().FindGeneration(g.id))->user == "ada"); });
  store.reset();
  SQLite::Database database(backend.database());
  CHECK(database.execAndGet("SELECT value FROM meta WHERE key = 'schema'").getString() == "9");
}

TEST_CASE("a process that has become too old while it ran drains and refuses") {
  SqliteBackend backend;
  Must(Write(backend.store(), [](Transaction& t) { return t.records().AddTombstone("k", 1); }));
  Execute(backend.database(), "PRAGMA user_version = 7");
  Status refused = Write(backend.store(), [](Transaction& t) { return t.records().AddTombstone("l", 1); });
  CHECK(CodeOf(refused) == Code::kUnsupported);
  Look(backend.store(), [](const Snapshot& s) { CHECK(Must(s.records().Tombstones(9)).size() == 1); });
}

TEST_CASE("readers cannot write and never checkpoint by themselves") {
  SqliteBackend backend;
  auto reader = Must(Connection::Open({.path = backend.database()}, Connection::Role::kReader));
  CHECK(Must(reader->Value("PRAGMA query_only")) == 1);
  CHECK(Must(reader->Value("PRAGMA wal_autocheckpoint")) == 0);
  CHECK_FALSE(reader->Exec("DELETE FROM event").ok());
  auto writer = Must(Connection::Open({.path = backend.database()}, Connection::Role::kWriter));
  CHECK(Must(writer->Value("PRAGMA wal_autocheckpoint")) == 0);
  CHECK(Must(writer->Value("PRAGMA synchronous")) == 2);
  CHECK(Must(writer->Value("PRAGMA foreign_keys")) == 1);
  auto relaxed =
      Must(Connection::Open({.path = backend.database(), .relaxed = true}, Connection::Role::kWriter));
  CHECK(Must(relaxed->Value("PRAGMA synchronous")) == 1);
}

TEST_CASE("a statement that is run inside itself gets a statement of its own") {
  SqliteBackend backend;
  auto reader = Must(Connection::Open({.path = backend.database()}, Connection::Role::kReader));
  static constexpr char kTwoRows[] = "SELECT column1 FROM (VALUES (1), (2))";
  int64_t sum = 0;
  Query outer(*reader, kTwoRows);
  while (outer.Step()) {
    Query inner(*reader, kTwoRows);
    int64_t factor = outer.Int();
    while (inner.Step()) sum += factor * inner.Int();
    CHECK(inner.status().ok());
    CHECK_FALSE(inner.Step());
  }
  CHECK(sum == 9);
  Query wrong(*reader, std::string("SELECT nothing FROM nowhere"));
  wrong.Bind(1, "x");
  CHECK_FALSE(wrong.Step());
  CHECK(wrong.Int() == 0);
  CHECK(CodeOf(wrong.status()) == Code::kInternal);
}

}  // namespace
}  // namespace mediagen
