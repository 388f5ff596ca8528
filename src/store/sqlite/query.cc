#include <sqlite3.h>

#include "store/sqlite/connection.h"

namespace mediagen {

void FinalizeStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Query::Query(Connection& connection, const char* sql) : connection_(connection) {
  Use(connection.CacheOf(sql), sql);
}

Query::Query(Connection& connection, const std::string& sql) : connection_(connection) {
  Use(connection.CacheOf(sql), sql);
}

void Query::Use(Connection::Cached& cached, std::string_view sql) {
  const bool nested = cached.in_use;
  StatementPtr& place = nested ? own_ : cached.statement;
  if (!place) {
    StatusOr<StatementPtr> prepared = connection_.Prepare(sql);
    if (!prepared.ok()) {
      status_ = prepared.status();
      return;
    }
    place = std::move(*prepared);
  }
  statement_ = place.get();
  if (nested) return;
  cached_ = &cached;
  cached.in_use = true;
}

Query::~Query() {
  if (statement_) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);  // what was bound without a copy is about to go
  }
  if (cached_) cached_->in_use = false;
}

void Query::Check(int result) {
  if (result != SQLITE_OK && status_.ok()) status_ = connection_.LastError(result);
}

void Query::Add(int64_t value) {
  if (status_.ok()) Check(sqlite3_bind_int64(statement_, ++parameter_, value));
}
void Query::Add(double value) {
  if (status_.ok()) Check(sqlite3_bind_double(statement_, ++parameter_, value));
}
void Query::Add(const std::string& value) {
  if (!status_.ok()) return;
  Check(
      sqlite3_bind_text64(statement_, ++parameter_, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
}
void Query::Add(std::string_view value) {
  if (!status_.ok()) return;
  const char* text = value.data() ? value.data() : "";  // a null pointer would be NULL
  Check(sqlite3_bind_text64(statement_, ++parameter_, text, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Query::Add(const Id& id) {
  if (id.empty()) return AddNull();
  if (!status_.ok()) return;
  Check(sqlite3_bind_blob64(statement_, ++parameter_, id.bytes.data(), id.bytes.size(), SQLITE_TRANSIENT));
}
void Query::AddNull() {
  if (status_.ok()) Check(sqlite3_bind_null(statement_, ++parameter_));
}

bool Query::Step() {
  row_ = false;
  column_ = 0;
  if (done_ || !status_.ok()) return false;  // a step past the end would begin anew
  int result = sqlite3_step(statement_);
  row_ = result == SQLITE_ROW;
  done_ = !row_;
  if (!row_ && result != SQLITE_DONE) Check(result);
  return row_;
}

Status Query::Run() {
  while (Step()) {
  }
  return status_;
}

int Query::changes() const { return statement_ ? sqlite3_changes(sqlite3_db_handle(statement_)) : 0; }

int64_t Query::Int() { return row_ ? sqlite3_column_int64(statement_, column_++) : 0; }

double Query::Real() { return row_ ? sqlite3_column_double(statement_, column_++) : 0; }

std::string_view Query::View() {
  if (!row_) return {};
  const void* data = sqlite3_column_blob(statement_, column_);  // the bytes of a text, too, without a copy
  const int size = sqlite3_column_bytes(statement_, column_++);
  return {static_cast<const char*>(data), data ? static_cast<size_t>(size) : 0};
}

Id Query::TakeId() { return Id::FromBlob(View()); }

bool Query::Null() { return !row_ || sqlite3_column_type(statement_, column_) == SQLITE_NULL; }

}  // namespace mediagen
