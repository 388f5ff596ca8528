#include <sqlite3.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "support/folder.h"
#include "support/queue_work.h"

namespace mediagen::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kGroup = 100;

// The columns of a job as a queue by hand would have them.
constexpr char kSchema[] = R"sql(
CREATE TABLE job (id BLOB NOT NULL PRIMARY KEY, queue TEXT NOT NULL, kind TEXT NOT NULL, user TEXT NOT NULL,
  state TEXT NOT NULL, payload TEXT NOT NULL, priority INTEGER NOT NULL, run_at_ms INTEGER NOT NULL,
  fence INTEGER NOT NULL, tries INTEGER NOT NULL, created_ms INTEGER NOT NULL, worker BLOB, finished_ms INTEGER NOT NULL,
  result TEXT NOT NULL) STRICT;
CREATE INDEX ready ON job (queue, priority, run_at_ms, id) WHERE state = 'ready';
)sql";

class Raw {
 public:
  Raw(const std::string& path, Durability durability) {
    Check(sqlite3_open(path.c_str(), &db_));
    Run(fmt::format("PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA temp_store = MEMORY;",
                    durability == Durability::kFull ? "FULL" : "NORMAL")
            .c_str());
    Run(kSchema);
    insert_ =
        Prepare("INSERT INTO job VALUES (?2, 'bench', 'work', '', 'ready', ?1, 0, 0, 0, 0, 1, NULL, -1, '')");
    next_ = Prepare(
        "SELECT id, payload FROM job INDEXED BY ready WHERE queue = 'bench' AND state = 'ready' "
        "ORDER BY priority, run_at_ms, id LIMIT ?");
    claim_ = Prepare("UPDATE job SET state = 'running', fence = fence + 1, worker = x'01' WHERE id = ?");
    finish_ = Prepare(
        "UPDATE job SET state = 'done', finished_ms = 2, worker = NULL WHERE id = ? AND fence = 1 AND state "
        "= "
        "'running'");
  }
  ~Raw() {
    for (sqlite3_stmt* statement : {insert_, next_, claim_, finish_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }

  void Insert(int from, int count) {
    Run("BEGIN IMMEDIATE");
    for (int i = from; i < from + count; ++i) {
      std::string payload = fmt::format(R"({{"n":{},"text":")", i);
      payload += std::string(200 - payload.size() - 2, 'x') + "\"}";
      const std::string id =
          fmt::format("{:016}", i);  // 16 bytes that ascend, as our ids do: random ones are slower
      sqlite3_bind_text(insert_, 1, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC);
      sqlite3_bind_blob(insert_, 2, id.data(), 16, SQLITE_STATIC);
      Step(insert_);
    }
    Run("COMMIT");
  }

  // Claims a group and finishes it; how many there were.
  int Work() {
    std::vector<std::string> ids;
    Run("BEGIN IMMEDIATE");
    sqlite3_bind_int(next_, 1, kGroup);
    while (sqlite3_step(next_) == SQLITE_ROW)
      ids.emplace_back(static_cast<const char*>(sqlite3_column_blob(next_, 0)), 16);
    sqlite3_reset(next_);
    EachOf(claim_, ids);
    Run("COMMIT");
    Run("BEGIN IMMEDIATE");
    EachOf(finish_, ids);
    Run("COMMIT");
    return static_cast<int>(ids.size());
  }

 private:
  void Check(int result) {
    if (result == SQLITE_OK || result == SQLITE_DONE) return;
    std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db_));
    std::exit(1);
  }
  void Run(const char* sql) { Check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    Check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    return statement;
  }
  void Step(sqlite3_stmt* statement) {
    Check(sqlite3_step(statement));
    sqlite3_reset(statement);
  }
  void EachOf(sqlite3_stmt* statement, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      sqlite3_bind_blob(statement, 1, id.data(), 16, SQLITE_STATIC);
      Step(statement);
      if (sqlite3_changes(db_) != 1) Check(SQLITE_ERROR);
    }
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt *insert_ = nullptr, *next_ = nullptr, *claim_ = nullptr, *finish_ = nullptr;
};

double SecondsSince(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

}  // namespace

QueueRates RunSqlite(int jobs, Durability durability) {
  Folder folder;
  Raw raw(folder.path + "/raw.db", durability);
  const auto start = Steady::now();
  for (int from = 0; from < jobs; from += kGroup) raw.Insert(from, std::min(kGroup, jobs - from));
  const double enqueued = SecondsSince(start);
  int finished = 0;
  while (int worked = raw.Work()) finished += worked;
  const double all = SecondsSince(start);
  if (finished != jobs) std::exit(1);
  return {jobs / enqueued, jobs / (all - enqueued), jobs / all, sqlite3_libversion()};
}

namespace {

// Runs a peer's program, whose one line of output has the figures.
QueueRates RunPeer(const std::string& peer, const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string said;
  std::array<char, 4096> piece{};
  while (pipe != nullptr && fgets(piece.data(), piece.size(), pipe) != nullptr) said += piece.data();
  const int status = pipe == nullptr ? -1 : pclose(pipe);
  const auto json = nlohmann::json::parse(said, nullptr, false);
  if (status != 0 || !json.is_object()) {
    std::fprintf(stderr, "bench queue: %s gave no figures (%s)\n", peer.c_str(), said.c_str());
    std::exit(1);
  }
  return {json["enqueue"], json["process"], json["cycle"], json["version"]};
}

std::string FolderFrom(const char* variable) {
  const char* folder = std::getenv(variable);
  return folder == nullptr ? "." : folder;
}

}  // namespace

QueueRates RunNodePeer(const std::string& peer, int jobs) {
  Folder folder;
  return RunPeer(peer, fmt::format("cd '{}' && node queue.mjs {} {} '{}'", FolderFrom("MEDIAGEN_NODE_PEERS"),
                                   peer, jobs, folder.path));
}

QueueRates RunHuey(int jobs, Durability durability) {
  Folder folder;
  return RunPeer(
      "huey",
      fmt::format("cd '{}' && bin/python queue_huey.py {} {} '{}'", FolderFrom("MEDIAGEN_PYTHON_PEERS"),
                  durability == Durability::kFull ? "full" : "relaxed", jobs, folder.path));
}

}  // namespace mediagen::bench
