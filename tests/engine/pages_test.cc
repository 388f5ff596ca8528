// List pages from memory: never older than the log, of nobody else, for five seconds, and longer where the
// database fails.
#include "engine/manual_engine.h"

using namespace mediagen;
using mediagen::testing::FaultVfs;
using mediagen::testing::ManualEngine;

namespace {

constexpr char kAda[] = R"({"user": "ada"})", kBob[] = R"({"user": "bob"})";
constexpr char kAdmin[] = R"({"user": "root", "roles": ["admin"]})";

struct Answer {
  int status = 0;
  std::string x_cache;
  Json body;
  size_t count() const { return body["data"].size(); }
};

struct Listed : ManualEngine {
  Answer List(const std::string& principal, const std::string& target = "/v1/generations") {
    auto got = std::make_shared<std::optional<Response>>();
    engine->Handle("GET", target, "", principal, "", nullptr,
                   [got](Response response) { *got = std::move(response); });
    for (int i = 0; i < 1000 && !got->has_value(); ++i) engine->Drive(1);  // no time passes
    REQUIRE(got->has_value());
    Answer answer{(*got)->status, "", nullptr};
    for (const auto& [name, value] : (*got)->headers) {
      if (name == "X-Cache") answer.x_cache = value;
    }
    const auto& bytes = std::get<BytesBody>((*got)->body);
    answer.body = Json::parse(bytes.buffer.view().substr(bytes.offset, bytes.length));
    return answer;
  }
  std::string Draw(const char* user) {
    auto record = Submit({{"user", user}, {"prompt", "a cat"}, {"provider", "sketch"}, {"size", "32x32"}});
    if (!record.ok()) FAIL(ErrorJson(record.status()));
    return (*record)["id"];
  }
  // By a commit of somebody else's: what SQLite has of the file in memory is out of date after it. All of the
  // file is in the file itself then, none in the WAL.
  void DropReadersPages() {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open((dir.path() + "/mediagen.db").c_str(), &db) == SQLITE_OK);
    constexpr char kCommit[] =
        "CREATE TABLE passing (x); DROP TABLE passing; PRAGMA wal_checkpoint(TRUNCATE)";
    CHECK(sqlite3_exec(db, kCommit, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
  }
  // Until the picture is there, and the log is followed.
  void Settle(const std::string& id) {
    auto record = Rest(id);
    if (!record.ok()) FAIL(ErrorJson(record.status()));
    Step(100);
  }
};

}  // namespace

TEST_CASE("a page is kept for five seconds, each viewer's and each question's by itself") {
  Listed h;
  h.Settle(h.Draw("ada"));
  CHECK(h.List(kAda).x_cache == "MISS");
  Answer again = h.List(kAda);
  CHECK(again.x_cache == "HIT");
  CHECK(again.count() == 1);
  CHECK(h.List(kAda, "/v1/generations?limit=1").x_cache == "MISS");
  Answer bob = h.List(kBob);
  CHECK(bob.x_cache == "MISS");
  CHECK(bob.count() == 0);
  Answer admin = h.List(kAdmin);
  CHECK(admin.x_cache == "MISS");
  CHECK(admin.count() == 1);
  h.clock.Advance(4'999);
  CHECK(h.List(kAda).x_cache == "HIT");
  h.clock.Advance(1);
  CHECK(h.List(kAda).x_cache == "MISS");
}

TEST_CASE("who has just written sees it, though the log has not been followed yet; others' pages stay") {
  Listed h;
  h.Settle(h.Draw("ada"));
  CHECK(h.List(kAda).count() == 1);
  CHECK(h.List(kBob).count() == 0);
  CHECK(h.List(kAdmin).count() == 1);
  const std::string second =
      h.Draw("ada");  // answered by now, and some of its events may still be on their way
  CHECK(h.List(kAda).count() == 2);
  CHECK(h.List(kAdmin).count() == 2);
  h.Settle(second);
  Answer bob = h.List(kBob);
  CHECK(bob.count() == 0);
  Answer done = h.List(kAda);
  CHECK(done.count() == 2);
  CHECK(done.body["data"][0]["status"] == "completed");
}

TEST_CASE("another user's events leave a page alone") {
  Listed h;
  h.Settle(h.Draw("ada"));
  CHECK(h.List(kAda).x_cache == "MISS");
  h.Settle(h.Draw("bob"));
  CHECK(h.List(kAda).x_cache == "MISS");  // five seconds have passed
  h.Draw("bob");
  for (int i = 0; i < 50; ++i) h.engine->Drive(1);  // follows the log; no time passes
  CHECK(h.List(kAda).x_cache == "HIT");
}

TEST_CASE("an error is not kept") {
  Listed h;
  for (int i = 0; i < 2; ++i) {
    Answer wrong = h.List(kAda, "/v1/generations?limit=0");
    CHECK(wrong.status == 400);
    CHECK(wrong.x_cache == "");
  }
}

TEST_CASE("a page stands in while the database can't be read") {
  Listed h;
  h.Settle(h.Draw("ada"));
  CHECK(h.List(kAda).x_cache == "MISS");
  h.DropReadersPages();
  h.vfs.FailAlways(FaultVfs::kDatabaseRead, SQLITE_IOERR_READ);
  Answer answer = h.List(kAda);
  CHECK(answer.status == 200);
  CHECK(answer.x_cache == "STALE");
  CHECK(answer.count() == 1);
  CHECK(h.List(kBob).status == 503);
  h.Heal();
  CHECK(h.List(kAda).x_cache == "HIT");
}
