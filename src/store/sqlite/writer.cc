#include "store/sqlite/writer.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "base/wakeup.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kGroupLimit = 100;     // past 100 a group's p99 grows faster than its throughput
constexpr size_t kQueueLimit = 10'000;  // about a second of work on a slow disk
constexpr int64_t kFreeMs = 1000;       // how long a look at the free space holds
constexpr int64_t kWalWarnBytes = 64 << 20;
constexpr auto kIdle = std::chrono::milliseconds(1000);

Status Overloaded() {
  return Error(Code::kOverloaded,
               fmt::format("the store has {} operations waiting to be written.", kQueueLimit),
               {.hint = "Slow down and try again; see mediagen_store_commit_ms for the speed of the disk.",
                .retry_after_ms = 1000});
}

Status Closed() { return Error(Code::kClosed, "the store is closed."); }

}  // namespace

Writer::Writer(Clock* clock, FileSystem* files, Metrics* metrics, LogSink* log, WriteLocks* locks,
               WakeFile* wake_file, Connection::Options connection, Options options)
    : clock_(clock),
      files_(files),
      log_(log),
      locks_(locks),
      wake_file_(wake_file),
      options_(std::move(options)),
      wal_path_(connection.path + "-wal"),
      commit_ms_(metrics->AddHistogram("mediagen_store_commit_ms",
                                       "Time of a group from its lock to its COMMIT, in ms.",
                                       {0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 500})),
      group_size_(metrics->AddHistogram("mediagen_store_group_operations",
                                        "Operations committed in one transaction.",
                                        {1, 2, 5, 10, 20, 50, 100})),
      wal_bytes_(metrics->AddGauge("mediagen_store_wal_bytes", "Size of the write-ahead log.")),
      queued_(metrics->AddGauge("mediagen_store_queued_operations", "Operations that wait to be written.")),
      refused_(
          metrics->AddCounter("mediagen_store_refused_total", "Operations refused: queue or disk full.")),
      group_(clock, log, options_.landmarks, std::move(connection)) {}

Writer::~Writer() { Stop(); }

void Writer::Start(std::unique_ptr<Connection> connection, bool threaded) {
  group_.Use(std::move(connection));
  if (threaded) thread_ = Thread("mg-store-write", [this] { Loop(); });
}

Status Writer::Enqueue(Request request) {
  std::lock_guard lock(mutex_);
  if (stopping_) return Closed();
  const bool urgent = request.purpose == Purpose::kHeartbeat;
  std::deque<Request>& queue = urgent ? urgent_ : queue_;
  if (queue.size() >= kQueueLimit) {
    refused_.Add();
    return Overloaded();
  }
  queue.push_back(std::move(request));
  work_cv_.notify_one();
  return OkStatus();
}

Status Writer::EnqueueAndAnswer(Request request) {
  CommitDone done = request.done;
  Status status = Enqueue(std::move(request));
  if (CodeOf(status) != Code::kOverloaded) return status;
  std::lock_guard lock(mutex_);
  if (stopping_) return Closed();
  refused_dones_.push_back(std::move(done));
  work_cv_.notify_one();
  return OkStatus();
}

bool Writer::AnswerRefused() {
  std::vector<CommitDone> dones;
  {
    std::lock_guard lock(mutex_);
    dones.swap(refused_dones_);
  }
  WakeScope scope;
  for (const CommitDone& done : dones) done(Overloaded());
  return !dones.empty();
}

bool Writer::OnWriterThread() const { return driver_.load() == std::this_thread::get_id(); }

void Writer::Loop() {
  bool idle_done = true;
  while (true) {
    bool work;
    {
      std::unique_lock lock(mutex_);
      auto ready = [&] { return stopping_ || HasWork(); };
      if (idle_done) {
        work_cv_.wait(lock, ready);
      } else {
        work_cv_.wait_for(lock, kIdle, ready);
      }
      work = HasWork();
      if (!work && stopping_) return;
    }
    if (work) {
      RunOnce();
      idle_done = false;
    } else {
      std::lock_guard drive(drive_mutex_);
      KeepWalShort(/*idle=*/true);
      idle_done = true;
    }
  }
}

bool Writer::RunOnce() {
  std::lock_guard drive(drive_mutex_);
  std::vector<Request> group = TakeGroup();
  driver_.store(std::this_thread::get_id());
  bool worked = AnswerRefused() || !group.empty();
  if (!group.empty()) CommitGroup(std::move(group));
  driver_.store(std::thread::id());
  KeepWalShort(/*idle=*/false);
  return worked;
}

std::vector<Request> Writer::TakeGroup() {
  std::vector<Request> group;
  std::lock_guard lock(mutex_);
  for (std::deque<Request>* queue : {&urgent_, &queue_}) {
    while (!queue->empty() && group.size() < kGroupLimit) {
      group.push_back(std::move(queue->front()));
      queue->pop_front();
    }
  }
  queued_.Set(static_cast<double>(urgent_.size() + queue_.size()));
  return group;
}

void Writer::PutBack(std::vector<Request>* group) {
  std::lock_guard lock(mutex_);
  while (!group->empty() && !group->back().finished) {
    queue_.push_front(std::move(group->back()));
    group->pop_back();
  }
}

void Writer::CommitGroup(std::vector<Request> group) {
  RefuseBelowReserve(&group);
  // steady_clock: only a metric, and finer than the Clock's ms.
  auto start = std::chrono::steady_clock::now();
  {
    WriteLocks::Hold hold(*locks_);
    if (hold.status().ok()) {
      wake_file_->OwnWrite();
      group_.Commit(group);
      group_.TellPassed(group);  // with the lock held: in the order of the commits of all processes
      wake_file_->OwnWrite();
      PutBack(&group);
      WakeFile::Signs signs;
      for (const Request& request : group) {
        if (!request.result.ok()) continue;
        signs.events |= request.signs.events;
        signs.queues |= request.signs.queues;
      }
      wake_file_->Touch(signs);
    } else {
      for (Request& request : group) request.result = hold.status();
    }
  }
  commit_ms_.Observe(
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  group_size_.Observe(static_cast<double>(group.size()));
  Publish(group);
}

// Answers and takes out the submits that must not be taken while the disk is nearly full: what was accepted
// must still be able to end.
void Writer::RefuseBelowReserve(std::vector<Request>* group) {
  auto is_submit = [](const Request& request) { return request.purpose == Purpose::kSubmit; };
  if (std::none_of(group->begin(), group->end(), is_submit) || !BelowReserve()) return;
  Status full =
      Error(Code::kStorageFull,
            fmt::format("less than {} MB are free in \"{}\": no new work is accepted.",
                        options_.reserve_bytes >> 20, options_.dir),
            {.hint = "Free space on that disk; what was accepted before goes on.", .retry_after_ms = 10'000});
  auto refused =
      std::stable_partition(group->begin(), group->end(), [&](const Request& r) { return !is_submit(r); });
  for (auto it = refused; it != group->end(); ++it) {
    refused_.Add();
    it->done(full);
  }
  group->erase(refused, group->end());
}

bool Writer::BelowReserve() {
  int64_t now = clock_->MonotonicMs();
  if (free_checked_ms_ >= 0 && now - free_checked_ms_ < kFreeMs) return below_reserve_;
  StatusOr<uint64_t> free = files_->FreeBytes(options_.dir);
  below_reserve_ = free.ok() && *free < options_.reserve_bytes;
  free_checked_ms_ = now;
  return below_reserve_;
}

// The commit stands: now, and not before, anybody may hear of it.
void Writer::Publish(std::vector<Request>& group) {
  WakeScope scope;
  WakeFile::Signs signs;
  for (Request& request : group) {
    if (request.result.ok()) {
      signs.events |= request.signs.events;
      signs.queues |= request.signs.queues;
    }
    if (request.done) request.done(request.result);
    request.done = nullptr;
  }
  if (signs.any() && listener_) listener_(signs);
}

void Writer::KeepWalShort(bool idle) {
  Connection* connection = group_.connection();
  if (!connection) return;
  int pages = connection->wal_pages();
  if (pages < checkpointed_pages_) checkpointed_pages_ = 0;  // the WAL began anew
  if (idle && pages > 0) {
    Checkpoint(Connection::Checkpoint::kTruncate);
  } else if (pages - checkpointed_pages_ >= options_.checkpoint_pages) {
    Checkpoint(Connection::Checkpoint::kPassive);
    checkpointed_pages_ = pages;
  }
}

void Writer::Checkpoint(Connection::Checkpoint mode) {
  WriteLocks::Hold hold(*locks_);
  if (!hold.status().ok()) return;
  wake_file_->OwnWrite();
  StatusOr<bool> finished = group_.connection()->RunCheckpoint(mode);
  wake_file_->OwnWrite();
  if (!finished.ok()) {
    log_->Write(LogLevel::kWarning, "store", "a checkpoint failed",
                {{"error", std::string(finished.status().message())}});
  }
  struct stat wal {};
  int64_t bytes = stat(wal_path_.c_str(), &wal) == 0 ? wal.st_size : 0;
  wal_bytes_.Set(static_cast<double>(bytes));
  if (bytes > kWalWarnBytes && !warned_of_wal_) {
    log_->Write(LogLevel::kWarning, "store", "the write-ahead log grows: some reader stays open",
                {{"bytes", fmt::format("{}", bytes)}});
  }
  warned_of_wal_ = bytes > kWalWarnBytes;
}

void Writer::Stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_ && !thread_.joinable()) return;
    stopping_ = true;
    work_cv_.notify_all();
  }
  thread_.Join();
  while (RunOnce()) {
  }
  std::lock_guard drive(drive_mutex_);
  KeepWalShort(/*idle=*/true);
  WriteLocks::Hold hold(*locks_);
  group_.Close();
}

void Writer::Abandon() {
  thread_.Abandon();
  group_.Abandon();
}

}  // namespace mediagen
