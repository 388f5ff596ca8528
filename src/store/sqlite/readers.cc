#include "store/sqlite/readers.h"

#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

constexpr int64_t kLifeMs = 10 * 60'000;  // bounds what a connection's caches and statements can pile up

constexpr char kBegin[] = "BEGIN";
constexpr char kCommit[] = "COMMIT";

Status ReadInTransaction(Connection& connection, const std::function<Status(const Snapshot&)>& read) {
  InsideSqlite inside;
  RETURN_IF_ERROR(Query(connection, kBegin).Run());
  Status status = read(SqliteSnapshot(connection));
  Status ended = Query(connection, kCommit).Run();
  return status.ok() ? ended : status;
}

}  // namespace

Status Readers::Start() {
  ASSIGN_OR_RETURN(Reader reader, Open());
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(reader));
  return OkStatus();
}

StatusOr<Readers::Reader> Readers::Open() {
  WriteLocks::Hold hold(*locks_);  // opening may recover the WAL
  RETURN_IF_ERROR(hold.status());
  Reader reader;
  ASSIGN_OR_RETURN(reader.connection, Connection::Open(options_, Connection::Role::kReader));
  reader.opened_ms = clock_->MonotonicMs();
  return reader;
}

StatusOr<Readers::Reader> Readers::Acquire() {
  std::unique_lock lock(mutex_);
  free_cv_.wait(lock, [&] { return stopped_ || !idle_.empty() || out_ < most_; });
  if (stopped_) return Error(Code::kClosed, "the store is closed.");
  ++out_;
  if (!idle_.empty()) {
    Reader reader = std::move(idle_.back());
    idle_.pop_back();
    if (clock_->MonotonicMs() - reader.opened_ms < kLifeMs) return reader;
  }
  lock.unlock();
  StatusOr<Reader> opened = Open();
  if (!opened.ok()) Return({}, false);
  return opened;
}

void Readers::Return(Reader reader, bool healthy) {
  std::lock_guard lock(mutex_);
  --out_;
  if (healthy && !stopped_) idle_.push_back(std::move(reader));
  free_cv_.notify_all();
}

Status Readers::Read(const std::function<Status(const Snapshot&)>& read) {
  ASSIGN_OR_RETURN(Reader reader, Acquire());
  Status status = ReadInTransaction(*reader.connection, read);
  bool healthy = !reader.connection->in_transaction();
  Return(std::move(reader), healthy);
  return status;
}

void Readers::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  free_cv_.notify_all();
  free_cv_.wait(lock, [&] { return out_ == 0; });
  idle_.clear();
}

void Readers::Abandon() {
  for (Reader& reader : idle_) (void)reader.connection.release();
}

}  // namespace mediagen
