// Writer: the one thread of an engine that writes. It takes what is queued, commits it in groups under the
// write lock, and keeps the WAL short.
//
// Thread-safe. In manual mode there is no thread: RunOnce does one round on the caller's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/sqlite/group.h"
#include "store/sqlite/locks.h"
#include "store/sqlite/wake_file.h"

namespace mediagen {

class Writer {
 public:
  struct Options {
    std::string dir;
    uint64_t reserve_bytes = 0;
    Landmarks* landmarks = nullptr;
    // A page that many commits write is copied once, and the writer waits for the disk twice a checkpoint:
    // with SQLite's own 1,000 that was an eighth of a busy relaxed queue's time.
    int checkpoint_pages = 4000;
  };
  // Everything must outlive the writer.
  Writer(Clock* clock, FileSystem* files, Metrics* metrics, LogSink* log, WriteLocks* locks,
         WakeFile* wake_file, Connection::Options connection, Options options);
  ~Writer();

  // What is told after each commit that woke something, on the writer thread. To be set before the first
  // request.
  void OnCommitted(std::function<void(const WakeFile::Signs&)> listener) { listener_ = std::move(listener); }

  // Takes over the connection that was opened for migration; `threaded` starts the thread.
  void Start(std::unique_ptr<Connection> connection, bool threaded);
  // An error is the refusal of the request, which was not taken: kClosed, or kOverloaded past the queue's
  // budget.
  Status Enqueue(Request request);
  // The same, but a kOverloaded is told to `done` by the writer thread: the caller may hold locks that `done`
  // takes.
  Status EnqueueAndAnswer(Request request);
  // One group, or the housekeeping that is due. False when there was nothing to do.
  bool RunOnce();
  // Whether the caller is inside an operation or a `done` of this writer.
  bool OnWriterThread() const;
  // Commits what is queued, ends the thread, checkpoints, closes the connection.
  void Stop();
  void Abandon();

 private:
  void Loop();
  std::vector<Request> TakeGroup();
  void PutBack(std::vector<Request>* group);
  void CommitGroup(std::vector<Request> group);
  void RefuseBelowReserve(std::vector<Request>* group);
  bool BelowReserve();
  void Publish(std::vector<Request>& group);
  void KeepWalShort(bool idle);
  void Checkpoint(Connection::Checkpoint mode);
  bool AnswerRefused();
  bool HasWork() const { return !urgent_.empty() || !queue_.empty() || !refused_dones_.empty(); }

  Clock* clock_;
  FileSystem* files_;
  LogSink* log_;
  WriteLocks* locks_;
  WakeFile* wake_file_;
  const Options options_;
  const std::string wal_path_;
  std::function<void(const WakeFile::Signs&)> listener_;

  Histogram commit_ms_, group_size_;
  Gauge wal_bytes_, queued_;
  Counter refused_;

  std::mutex mutex_;  // guards the queues
  std::condition_variable work_cv_;
  std::deque<Request> urgent_, queue_;     // heartbeats; everything else
  std::vector<CommitDone> refused_dones_;  // each to be told kOverloaded
  bool stopping_ = false;

  std::mutex drive_mutex_;  // one driver at a time; guards what follows
  std::atomic<std::thread::id> driver_{};
  GroupCommit group_;
  int64_t free_checked_ms_ = -1;
  bool below_reserve_ = false;
  int checkpointed_pages_ = 0;  // WAL pages when a PASSIVE checkpoint last ran
  bool warned_of_wal_ = false;
  Thread thread_;
};

}  // namespace mediagen
