#include "store/sqlite/connection.h"

#include <sqlite3.h>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int kBusyMs =
    5000;  // our own locks exclude each other before SQLite's do; this waits for a WAL recovery

// No mmap: it was no faster here for pages that the cache holds, and an I/O error would be a SIGBUS in the
// host's process.
constexpr char kCommonPragmas[] = R"sql(
  PRAGMA foreign_keys = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA wal_autocheckpoint = 0;
)sql";
constexpr char kWriterPragmas[] = R"sql(
  PRAGMA journal_mode = WAL;
  PRAGMA journal_size_limit = 16777216;
  PRAGMA cache_size = -16000;
)sql";

Code CodeOfSqlite(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return Code::kConflict;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return Code::kNotFound;
    default:
      break;
  }
  switch (extended & 0xFF) {
    case SQLITE_FULL:
      return Code::kStorageFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return Code::kCorrupt;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return Code::kInvalid;
    case SQLITE_TOOBIG:
      return Code::kTooLarge;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

std::string HintOf(Code code) {
  switch (code) {
    case Code::kStorageFull:
      return "Free space on the disk of the data directory.";
    case Code::kCorrupt:
      return "Restore the data directory from a backup; keep the damaged files.";
    case Code::kUnavailable:
      return "Check the permissions and the health of the disk of the data directory.";
    default:
      return "";
  }
}

Status StatusOfSqlite(int extended, std::string_view message, const std::string& path) {
  Code code = CodeOfSqlite(extended);
  return Error(code, fmt::format("database \"{}\": {} (SQLite {}).", path, message, extended),
               {.hint = HintOf(code)});
}

int OnWalCommit(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

Connection::Connection(const Options& options, Role role) : path_(options.path) {
  const int create = role == Role::kWriter ? SQLite::OPEN_CREATE : 0;
  database_.emplace(options.path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX | create, kBusyMs,
                    options.vfs);
  // The last connection to close must not checkpoint behind our locks.
  sqlite3_db_config(database_->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (role == Role::kWriter) {
    database_->exec(kWriterPragmas);
    database_->exec(options.relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
  }
  database_->exec(kCommonPragmas);
  sqlite3_wal_hook(database_->getHandle(), OnWalCommit,
                   &wal_pages_);  // wal_autocheckpoint has taken it away from anybody before
  if (role == Role::kReader) database_->exec("PRAGMA query_only = 1");
  database_->execAndGet(
      "SELECT count(*) FROM sqlite_schema");  // recovers the WAL now, under the caller's lock
}

Connection::~Connection() {
  InsideSqlite inside;
  Close();
  Forget();
}

void Connection::Close() {
  by_address_.clear();  // statements go before their database
  by_text_.clear();
  database_.reset();
}

StatusOr<std::unique_ptr<Connection>> Connection::Open(const Options& options, Role role) {
  InsideSqlite inside;
  mediagen::CloseInherited();
  try {
    return std::unique_ptr<Connection>(new Connection(options, role));
  } catch (const SQLite::Exception& exception) {
    return StatusOfSqlite(exception.getExtendedErrorCode(), exception.what(), options.path);
  } catch (const std::exception& exception) {
    return Error(Code::kInternal, fmt::format("database \"{}\": {}.", options.path, exception.what()));
  }
}

Status Connection::Convert(const std::exception& exception) {
  const auto* sqlite = dynamic_cast<const SQLite::Exception*>(&exception);
  last_error_ = sqlite ? sqlite->getExtendedErrorCode() : SQLITE_ERROR;
  last_message_ = exception.what();
  return StatusOfSqlite(last_error_, last_message_, path_);
}

Status Connection::LastError(int result) {
  sqlite3* database = database_->getHandle();
  // Only a misuse leaves no trace in the connection.
  const bool kept = (sqlite3_extended_errcode(database) & 0xFF) == (result & 0xFF);
  last_error_ = kept ? sqlite3_extended_errcode(database) : result;
  last_message_ = kept ? sqlite3_errmsg(database) : sqlite3_errstr(result);
  return StatusOfSqlite(last_error_, last_message_, path_);
}

Connection::Cached& Connection::CacheOf(const std::string& sql) {
  constexpr size_t kMostTexts =
      256;  // hosts choose the filters of collections; their statements must not pile up
  if (by_text_.size() >= kMostTexts && !by_text_.contains(sql)) {
    std::erase_if(by_text_, [](const auto& entry) { return !entry.second.in_use; });
  }
  return by_text_[sql];
}

StatusOr<StatementPtr> Connection::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_prepare_v3(database_->getHandle(), sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) return LastError(result);
  return StatementPtr(statement);
}

Status Connection::Exec(const char* sql) {
  ++executed_;
  try {
    database_->exec(sql);
    return OkStatus();
  } catch (const std::exception& exception) {
    return Convert(exception);
  }
}

StatusOr<int64_t> Connection::Value(const char* sql) {
  InsideSqlite inside;
  Query query(*this, sql);
  int64_t value = query.Step() ? query.Int() : 0;
  RETURN_IF_ERROR(query.status());
  return value;
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(database_->getHandle()) == 0; }

StatusOr<bool> Connection::RunCheckpoint(Checkpoint mode) {
  InsideSqlite inside;
  // A TRUNCATE that waited for readers would hold the write lock meanwhile.
  if (mode == Checkpoint::kTruncate) sqlite3_busy_timeout(database_->getHandle(), 0);
  Query query(*this, mode == Checkpoint::kTruncate ? "PRAGMA wal_checkpoint(TRUNCATE)"
                                                   : "PRAGMA wal_checkpoint(PASSIVE)");
  bool finished = false;
  if (query.Step()) {
    int64_t busy = query.Int(), log = query.Int(), copied = query.Int();
    finished = busy == 0 && log == copied;
    if (finished && log >= 0) wal_pages_ = 0;
  }
  if (mode == Checkpoint::kTruncate) sqlite3_busy_timeout(database_->getHandle(), kBusyMs);
  RETURN_IF_ERROR(query.status());
  return finished;
}

}  // namespace mediagen
