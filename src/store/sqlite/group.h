// GroupCommit: runs operations in one transaction, and finds out what became of them when the disk does not
// play along.
//
// A failed operation leaves nothing behind. Most fail before they write; so a group runs without savepoints
// first, since a savepoint copies every page that it sees changed, and when one fails
// after a write, the group is rolled back and run again, each operation in a savepoint of its own.
//
// Not thread-safe: it owns the writer connection. Everything here is called with the write lock held.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/wake_file.h"
#include "store/store.h"

namespace mediagen {

// An operation on its way through the writer.
struct Request {
  Operation operation;
  CommitDone done;
  Purpose purpose = Purpose::kSettle;
  bool finished = false;  // false after Commit: its group was full, it comes first in the next one
  Status result;
  WakeFile::Signs signs;  // what it wants to wake, once it is committed
  std::vector<PassedMark> marks;
};

class GroupCommit {
 public:
  GroupCommit(Clock* clock, LogSink* log, Landmarks* landmarks, Connection::Options options)
      : clock_(clock), log_(log), landmarks_(landmarks), options_(std::move(options)) {}

  // Takes over the open connection of the writer.
  void Use(std::unique_ptr<Connection> connection) { connection_ = std::move(connection); }
  // Null after a failure that could not be mended; the next Commit tries to open again.
  Connection* connection() { return connection_.get(); }
  void Close() { connection_.reset(); }
  void Abandon() { (void)connection_.release(); }

  // Runs requests from the front until all are done or 20 ms have passed, commits, and gives each one its
  // result.
  void Commit(std::span<Request> requests);
  // Tells who listens which landmarks the committed ones of `requests` have passed.
  void TellPassed(std::span<const Request> requests) const;

 private:
  enum class Ending {
    kCommitted,
    kRefused,     // nothing was run: every request has its error
    kDirty,       // an operation failed after it had written, without a savepoint; all is rolled back
    kRolledBack,  // SQLite rolled the whole transaction back while the request at `reached_` ran
    kCommitFailed,
  };
  enum class Truth { kCommitted, kNotCommitted, kUnknown };

  enum class Savepoints { kNone, kEach };

  Ending RunTransaction(std::span<Request> requests, Savepoints savepoints);
  Ending RunOperations(std::span<Request> requests, Savepoints savepoints);
  Status RunOne(SqliteTransaction& transaction, Request& request, bool* rolled_back);
  // The same in a savepoint.
  Status RunGuarded(SqliteTransaction& transaction, Request& request, bool* rolled_back);
  Ending Finish(SqliteTransaction& transaction, std::span<Request> requests, int64_t writes_before);
  void RunAlone(Request& request);
  void Resolve(std::span<Request> requests);
  Truth ReadBack();
  Status Reopen();
  Status WriteMarker();
  Status Fence();

  Clock* clock_;
  LogSink* log_;
  Landmarks* const landmarks_;
  const Connection::Options options_;
  std::unique_ptr<Connection> connection_;
  size_t reached_ = 0;  // requests that the last transaction ran
  std::string marker_;  // of the last transaction: a row that is there if and only if it was committed
  Status commit_error_;
  bool sync_failed_ = false;  // the failed COMMIT had written all its frames; only their fsync failed
};

}  // namespace mediagen
