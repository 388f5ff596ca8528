// Connection: one SQLite connection with its prepared statements; Query: one run of one of them.
//
// This is the only place where SQLiteCpp's exceptions are caught: everything above speaks Status. Not
// thread-safe; a connection belongs to one thread at a time (it is opened with SQLITE_OPEN_NOMUTEX).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "SQLiteCpp/Database.h"
#include "SQLiteCpp/Statement.h"
#include "base/id.h"
#include "base/status.h"

namespace mediagen {

class Connection {
 public:
  enum class Role {
    kWriter,
    kReader,  // query_only
  };
  struct Options {
    std::string path;
    std::string vfs;       // "" : SQLite's own
    bool relaxed = false;  // synchronous=NORMAL instead of FULL
  };

  // Opens (a writer creates) the database file and puts it into WAL mode. The caller holds the write lock
  // (architecture.md rule 7): opening may recover the WAL. Errors: kCorrupt, kStorageFull, kUnavailable.
  static StatusOr<std::unique_ptr<Connection>> Open(const Options& options, Role role);
  ~Connection();

  // Statements without results, e.g. DDL; several may stand in one text.
  Status Exec(const char* sql);
  // One integer, e.g. of a PRAGMA.
  StatusOr<int64_t> Value(const char* sql);

  // sqlite3_get_autocommit: false when a full disk or an I/O error made SQLite roll everything back.
  bool in_transaction() const;
  int64_t total_changes() const { return database_.getTotalChanges(); }
  // Frames in the WAL, as the last commit or checkpoint of this connection left it.
  int wal_pages() const { return wal_pages_; }
  // Extended result code of the last error of this connection, and SQLite's own words.
  int last_error() const { return last_error_; }
  const std::string& last_message() const { return last_message_; }

  enum class Checkpoint {
    kPassive,   // what can be copied without waiting
    kTruncate,  // everything, and the WAL is cut to zero bytes; gives up at once when a reader is in the way
  };
  // Copies WAL frames into the database file. The caller holds the write lock. False: readers kept it from
  // finishing.
  StatusOr<bool> RunCheckpoint(Checkpoint mode);

 private:
  friend class Query;
  struct Cached {
    std::unique_ptr<SQLite::Statement> statement;
    bool in_use = false;
  };

  explicit Connection(const Options& options, Role role);  // throws SQLite::Exception
  Status Convert(const std::exception& exception);
  Cached* Prepare(const char* sql);         // throws
  Cached* Prepare(const std::string& sql);  // throws

  const std::string path_;
  int wal_pages_ = 0;
  int last_error_ = 0;
  std::string last_message_;
  SQLite::Database database_;
  // Reusing statements: 88–225 k point reads a second against 39–82 k when they are prepared again.
  std::unordered_map<const void*, Cached> by_address_;
  std::unordered_map<std::string, Cached> by_text_;
};

// One run of a statement. Parameters are bound by position, in order; the first error is kept and everything
// after it does nothing.
//
//   Query query(connection, kFind);
//   query.Bind(user, id);
//   while (query.Step()) rows.push_back(query.Text());
//   RETURN_IF_ERROR(query.status());
//
// Bound strings must stay alive until the Query ends. A statement that is in use already (a nested run) is
// prepared afresh.
class Query {
 public:
  // `sql` must be a constant: its address is the key of the statement cache.
  Query(Connection& connection, const char* sql);
  // SQL that was put together at run time, cached by its text.
  Query(Connection& connection, const std::string& sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  template <typename... Values>
  Query& Bind(const Values&... values) {
    (Add(values), ...);
    return *this;
  }
  void Add(int64_t value);
  void Add(int value) { Add(int64_t{value}); }
  void Add(uint32_t value) { Add(int64_t{value}); }
  void Add(uint64_t value) { Add(static_cast<int64_t>(value)); }
  void Add(bool value) { Add(int64_t{value}); }
  void Add(double value);
  void Add(const std::string& value);
  void Add(std::string_view value) { Add(std::string(value), Copy{}); }
  void Add(const char* value) { Add(std::string_view(value)); }
  void Add(const Id& id);  // an empty id is NULL
  void AddNull();

  // Whether a row stands ready. False at the end, and after an error: see status().
  bool Step();
  // Runs to the end.
  Status Run();
  const Status& status() const { return status_; }
  // Rows that the last statement changed.
  int changes() const;

  // The next column of the row.
  int64_t Int();
  double Real();
  std::string Text();
  Id TakeId();
  bool Null();  // whether the next column is NULL; does not pass it

  void Take(int64_t* out) { *out = Int(); }
  void Take(int* out) { *out = static_cast<int>(Int()); }
  void Take(uint32_t* out) { *out = static_cast<uint32_t>(Int()); }
  void Take(uint64_t* out) { *out = static_cast<uint64_t>(Int()); }
  void Take(bool* out) { *out = Int() != 0; }
  void Take(std::string* out) { *out = Text(); }
  void Take(Id* out) { *out = TakeId(); }

 private:
  struct Copy {};
  void Add(const std::string& value, Copy);
  template <typename Body>
  void Guard(Body&& body);

  Connection& connection_;
  Connection::Cached* cached_ = nullptr;
  std::unique_ptr<SQLite::Statement> own_;  // of a nested run
  SQLite::Statement* statement_ = nullptr;  // null after a failed prepare
  Status status_;
  int parameter_ = 0;
  int column_ = 0;
  bool done_ = false;
};

}  // namespace mediagen
