// Connection: one SQLite connection with its prepared statements; Query: one run of one of them.
//
// SQLiteCpp opens the database and runs what is rare; its exceptions are caught here. Statements speak to
// SQLite itself: a Column of SQLiteCpp counts references atomically, and a bound view is copied twice. Not
// thread-safe; a connection belongs to one thread at a time (it is opened with SQLITE_OPEN_NOMUTEX), which
// holds an InsideSqlite from the first statement of a transaction to its end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "SQLiteCpp/Database.h"
#include "base/id.h"
#include "base/status.h"
#include "store/sqlite/fork_gate.h"

struct sqlite3_stmt;

namespace mediagen {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const;
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

class Connection final : private Inherited {
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
  ~Connection() override;

  // Statements without results, e.g. DDL; several may stand in one text.
  Status Exec(const char* sql);
  // One integer, e.g. of a PRAGMA.
  StatusOr<int64_t> Value(const char* sql);

  // sqlite3_get_autocommit: false when a full disk or an I/O error made SQLite roll everything back.
  bool in_transaction() const;
  // Grows with every row that was changed and every DDL statement.
  int64_t writes() const { return database_->getTotalChanges() + executed_; }
  int64_t last_insert_rowid() const { return database_->getLastInsertRowid(); }
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
    StatementPtr statement;
    bool in_use = false;
  };

  explicit Connection(const Options& options, Role role);  // throws SQLite::Exception
  void CloseInherited() override { Close(); }
  void Close();
  Status Convert(const std::exception& exception);
  // The last error of SQLite, which had this result code.
  Status LastError(int result);
  Cached& CacheOf(const char* sql) { return by_address_[sql]; }
  Cached& CacheOf(const std::string& sql);
  StatusOr<StatementPtr> Prepare(std::string_view sql);

  const std::string path_;
  int wal_pages_ = 0;
  int last_error_ = 0;
  int64_t executed_ = 0;
  std::string last_message_;
  std::optional<SQLite::Database> database_;
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
// Bound std::strings must stay alive until the Query ends. A statement that is in use already (a nested run)
// is prepared afresh.
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
  void Add(std::string_view value);  // copied
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
  std::string_view View();  // of text or a blob; until the next Step
  std::string Text() { return std::string(View()); }
  Id TakeId();
  bool Null();  // whether the next column is NULL; does not pass it

  void Take(int64_t* out) { *out = Int(); }
  void Take(int* out) { *out = static_cast<int>(Int()); }
  void Take(uint32_t* out) { *out = static_cast<uint32_t>(Int()); }
  void Take(uint64_t* out) { *out = static_cast<uint64_t>(Int()); }
  void Take(bool* out) { *out = Int() != 0; }
  void Take(std::string* out) { out->assign(View()); }
  void Take(Id* out) { *out = TakeId(); }

 private:
  void Use(Connection::Cached& cached, std::string_view sql);
  void Check(int result);

  Connection& connection_;
  Connection::Cached* cached_ = nullptr;
  StatementPtr own_;                   // of a nested run
  sqlite3_stmt* statement_ = nullptr;  // null after a failed prepare
  Status status_;
  int parameter_ = 0;
  int column_ = 0;
  bool row_ = false;  // whether one stands ready
  bool done_ = false;
};

}  // namespace mediagen
