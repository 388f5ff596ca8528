#include "store/sqlite/group.h"

#include <sqlite3.h>

#include "base/id.h"
#include "fmt/format.h"
#include "store/sqlite/schema.h"

namespace mediagen {
namespace {

constexpr int64_t kGroupMs =
    20;  // a longer group holds up the other processes, and the first of its operations

constexpr char kBegin[] =
    "BEGIN IMMEDIATE";  // a deferred upgrade fails with BUSY_SNAPSHOT at once, whatever the timeout
constexpr char kCommit[] = "COMMIT";
constexpr char kSavepoint[] = "SAVEPOINT operation";
constexpr char kRelease[] = "RELEASE operation";
constexpr char kRollback[] = "ROLLBACK";
constexpr char kRollbackTo[] = "ROLLBACK TO operation";

Status Run(Connection& connection, const char* sql) { return Query(connection, sql).Run(); }

bool IsSyncFailure(int extended_code) {
  return extended_code == SQLITE_IOERR_FSYNC || extended_code == SQLITE_IOERR_DIR_FSYNC;
}

void RefuseAll(std::span<Request> requests, const Status& status) {
  for (Request& request : requests) {
    request.result = status;
    request.finished = true;
  }
}

}  // namespace

void GroupCommit::Commit(std::span<Request> requests) {
  InsideSqlite inside;
  Ending ending = RunTransaction(requests, Savepoints::kNone);
  if (ending == Ending::kDirty) {
    for (Request& request : requests) request.finished = false;
    ending = RunTransaction(requests, Savepoints::kEach);
  }
  switch (ending) {
    case Ending::kCommitted:
    case Ending::kRefused:
    case Ending::kDirty:  // not with savepoints
      return;
    case Ending::kRolledBack: {
      // The operation that was running has its error. The others did nothing wrong: each is run again, alone.
      size_t guilty = reached_ - 1;
      std::span<Request> ran = requests.first(reached_);
      for (size_t i = 0; i < ran.size(); ++i) {
        if (i != guilty) RunAlone(ran[i]);
      }
      return;
    }
    case Ending::kCommitFailed:
      return Resolve(requests.first(reached_));
  }
}

void GroupCommit::TellPassed(std::span<const Request> requests) const {
  for (const Request& request : requests) {
    if (!request.finished || !request.result.ok()) continue;
    for (const PassedMark& mark : request.marks)
      landmarks_->Pass({mark.point, mark.user, mark.job, mark.fence}, Landmarks::kAfter);
  }
}

GroupCommit::Ending GroupCommit::RunTransaction(std::span<Request> requests, Savepoints savepoints) {
  reached_ = 0;
  Status status = connection_ ? OkStatus() : Reopen();
  if (status.ok()) status = Run(*connection_, kBegin);
  if (status.ok()) status = CheckCompatible(*connection_);
  if (!status.ok()) {
    // The connection may be what is broken: a new one costs little beside an error.
    connection_.reset();
    RefuseAll(requests, status);
    return Ending::kRefused;
  }
  return RunOperations(requests, savepoints);
}

GroupCommit::Ending GroupCommit::RunOperations(std::span<Request> requests, Savepoints savepoints) {
  const int64_t writes_before = connection_->writes();
  const int64_t start_ms = clock_->MonotonicMs();
  SqliteTransaction transaction(*connection_, landmarks_);
  for (Request& request : requests) {
    if (reached_ > 0 && clock_->MonotonicMs() - start_ms >= kGroupMs) break;
    ++reached_;
    const int64_t writes = connection_->writes();
    bool rolled_back = false;
    request.result = savepoints == Savepoints::kEach ? RunGuarded(transaction, request, &rolled_back)
                                                     : RunOne(transaction, request, &rolled_back);
    request.finished = true;
    if (rolled_back) return Ending::kRolledBack;
    if (savepoints == Savepoints::kNone && !request.result.ok() && connection_->writes() != writes) {
      Run(*connection_, kRollback).IgnoreError();  // should it fail, the next BEGIN fails and reopens
      return Ending::kDirty;
    }
  }
  return Finish(transaction, requests, writes_before);
}

Status GroupCommit::RunOne(SqliteTransaction& transaction, Request& request, bool* rolled_back) {
  transaction.BeginOperation();
  Status status = request.operation(transaction);
  *rolled_back = !connection_->in_transaction();
  if (*rolled_back && status.ok()) {  // the operation swallowed the error that undid it
    status = Error(Code::kUnavailable,
                   fmt::format("the transaction was rolled back: {}.", connection_->last_message()));
  }
  request.signs = {transaction.wakes_events(), transaction.wakes_queues()};
  request.marks = transaction.TakeMarks();
  return status;
}

Status GroupCommit::RunGuarded(SqliteTransaction& transaction, Request& request, bool* rolled_back) {
  if (Status begun = Run(*connection_, kSavepoint); !begun.ok()) {
    *rolled_back = !connection_->in_transaction();
    return begun;
  }
  Status status = RunOne(transaction, request, rolled_back);
  if (status.ok()) status = transaction.EndOperations();
  if (!status.ok()) transaction.DropOperations();
  request.signs.queues |= transaction.wakes_queues();
  if (*rolled_back) return status;
  Status undone = status.ok() ? OkStatus() : Run(*connection_, kRollbackTo);
  Status released = undone.ok() ? Run(*connection_, kRelease) : undone;
  if (status.ok()) status = released;
  if (!released.ok() && connection_->in_transaction()) Run(*connection_, kRollback).IgnoreError();
  *rolled_back = !connection_->in_transaction();
  return status;
}

GroupCommit::Ending GroupCommit::Finish(SqliteTransaction& transaction, std::span<Request> requests,
                                        int64_t writes_before) {
  marker_.clear();
  transaction.BeginOperation();
  commit_error_ = transaction.EndOperations();
  for (Request& request : requests.first(reached_)) {
    if (request.result.ok()) request.signs.queues |= transaction.wakes_queues();
  }
  if (connection_->writes() == writes_before) {  // e.g. an empty claim: nothing is written at all
    Run(*connection_, kCommit).IgnoreError();
    return Ending::kCommitted;
  }
  if (commit_error_.ok()) commit_error_ = WriteMarker();
  if (commit_error_.ok()) commit_error_ = Run(*connection_, kCommit);
  if (commit_error_.ok()) return Ending::kCommitted;
  sync_failed_ = IsSyncFailure(connection_->last_error());
  log_->Write(LogLevel::kWarning, "store", "a group could not be committed",
              {{"operations", fmt::format("{}", reached_)},
               {"of", fmt::format("{}", requests.size())},
               {"error", InfoOf(commit_error_).message}});
  return Ending::kCommitFailed;
}

void GroupCommit::RunAlone(Request& request) {
  switch (RunTransaction({&request, 1}, Savepoints::kEach)) {
    case Ending::kCommitted:
    case Ending::kRefused:
    case Ending::kDirty:
    case Ending::kRolledBack:
      return;
    case Ending::kCommitFailed:
      break;
  }
  if (!request.result.ok()) return;  // it had failed by itself
  Truth truth = ReadBack();
  if (truth == Truth::kNotCommitted) request.result = commit_error_;
  if (truth == Truth::kUnknown)
    request.result = Error(Code::kUnknownOutcome, "a commit failed and could not be read back.");
}

// After a failed COMMIT: what the group's operations get for an answer.
void GroupCommit::Resolve(std::span<Request> requests) {
  Truth truth = ReadBack();
  if (truth == Truth::kCommitted) return;
  if (truth == Truth::kNotCommitted) {
    if (requests.size() == 1) {
      if (requests[0].result.ok()) requests[0].result = commit_error_;
      return;
    }
    for (Request& request : requests) {
      if (request.result.ok()) RunAlone(request);
    }
    return;
  }
  Status unknown =
      Error(Code::kUnknownOutcome,
            fmt::format("a commit failed and could not be read back: {}", InfoOf(commit_error_).message),
            {.hint = "Read the state again once the disk works; nothing was repeated meanwhile."});
  for (Request& request : requests) {
    if (request.result.ok()) request.result = unknown;
  }
}

// Whether the last transaction stands. Frames that were written but not synced need care in both directions:
// a commit that can be read may still be lost with the power, so it is checkpointed, which syncs; one that
// cannot be read may come back by WAL recovery, so its frames are overwritten.
GroupCommit::Truth GroupCommit::ReadBack() {
  const bool sync_failed = sync_failed_;
  const std::string wanted = marker_;
  connection_.reset();
  if (!Reopen().ok()) return Truth::kUnknown;
  StatusOr<std::string> stands = ReadMeta(*connection_, "marker");
  if (!stands.ok()) {
    connection_.reset();
    return Truth::kUnknown;
  }
  const bool committed = !wanted.empty() && *stands == wanted;
  if (!sync_failed) return committed ? Truth::kCommitted : Truth::kNotCommitted;
  const bool safe =
      committed ? connection_->RunCheckpoint(Connection::Checkpoint::kPassive).value_or(false) : Fence().ok();
  if (safe) return committed ? Truth::kCommitted : Truth::kNotCommitted;
  connection_.reset();
  return Truth::kUnknown;
}

Status GroupCommit::Reopen() {
  ASSIGN_OR_RETURN(connection_, Connection::Open(options_, Connection::Role::kWriter));
  return OkStatus();
}

Status GroupCommit::WriteMarker() {
  uint64_t high = SystemRandom()->Next(), low = SystemRandom()->Next();
  marker_ = fmt::format("{:016x}{:016x}", high, low);
  return WriteMeta(*connection_, "marker", marker_);
}

// Another small commit in the place of the failed one.
Status GroupCommit::Fence() {
  RETURN_IF_ERROR(Run(*connection_, kBegin));
  Status status = WriteMarker();
  return status.ok() ? Run(*connection_, kCommit) : status;
}

}  // namespace mediagen
