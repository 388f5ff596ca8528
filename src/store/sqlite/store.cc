#include "store/sqlite/store.h"

#include <condition_variable>

#include "fmt/format.h"
#include "store/sqlite/schema.h"

namespace mediagen {
namespace {

Status Forked() {
  return Error(Code::kForked, "the store was opened before a fork.",
               {.hint = "Open it again in the child process."});
}

Status InsideWriter() {
  return Error(Code::kInvalid, "Commit was called from inside the writer, which it would wait for.",
               {.hint = "Use CommitAsync there."});
}

}  // namespace

SqliteStore::~SqliteStore() {
  if (forked()) {
    Abandon();
  } else {
    Stop();
  }
}

Status SqliteStore::Open() {
  RETURN_IF_ERROR(OpenDirectory());
  return OpenDatabase();
}

Status SqliteStore::OpenDirectory() {
  const std::string& dir = options_.dir;
  RETURN_IF_ERROR(files_->MakeDirs(dir));
  ASSIGN_OR_RETURN(std::string network, files_->NetworkFileSystemName(dir));
  if (!network.empty()) {
    return Error(
        Code::kInvalid,
        fmt::format("data directory \"{}\" is on {}; SQLite's locks are not safe there.", dir, network),
        {.hint = "Use a local disk, or \"store\": \"postgres://…\".", .object = dir});
  }
  ASSIGN_OR_RETURN(locks_, WriteLocks::Open(dir, options_.lock_writes));
  RETURN_IF_ERROR(locks_->HoldOpen());
  ASSIGN_OR_RETURN(wake_file_, WakeFile::Open(dir + "/wake"));
  return OkStatus();
}

Status SqliteStore::OpenDatabase() {
  Connection::Options connection{options_.dir + "/mediagen.db", options_.vfs, options_.relaxed};
  writer_ = std::make_unique<Writer>(
      clock_, files_, metrics_, log_, locks_.get(), wake_file_.get(), connection,
      Writer::Options{options_.dir, options_.reserve_bytes, options_.landmarks, options_.checkpoint_pages});
  readers_ = std::make_unique<Readers>(clock_, locks_.get(), connection, options_.readers);
  watcher_ = std::make_unique<Watcher>(wake_file_.get(), options_.dir + "/wake");
  std::unique_ptr<Connection> writing, watching;
  {
    WriteLocks::Hold hold(*locks_);
    RETURN_IF_ERROR(hold.status());
    InsideSqlite inside;
    ASSIGN_OR_RETURN(writing, Connection::Open(connection, Connection::Role::kWriter));
    RETURN_IF_ERROR(MigrateSchema(*writing, *locks_));
    ASSIGN_OR_RETURN(epoch_, ReadMeta(*writing, "epoch"));
    ASSIGN_OR_RETURN(watching, Connection::Open(connection, Connection::Role::kReader));
  }
  RETURN_IF_ERROR(readers_->Start());
  RETURN_IF_ERROR(watcher_->Start(
      std::move(watching), [this](const WakeFile::Signs& signs) { Notify(signs, true); }, options_.threaded));
  writer_->OnCommitted([this](const WakeFile::Signs& signs) { Notify(signs, false); });
  writer_->Start(std::move(writing), options_.threaded);
  return OkStatus();
}

void SqliteStore::CommitAsync(Operation operation, CommitDone done, Purpose purpose) {
  if (forked()) return done(Forked());
  Request request{.operation = std::move(operation), .done = done, .purpose = purpose};
  Status status = writer_->EnqueueAndAnswer(std::move(request));
  if (!status.ok()) done(status);
}

Status SqliteStore::Commit(Operation operation, Purpose purpose) {
  if (forked()) return Forked();
  if (writer_->OnWriterThread()) return InsideWriter();
  struct Waiting {
    std::mutex mutex;
    std::condition_variable done_cv;
    bool done = false;
    Status status;
  } waiting;
  auto done = [&waiting](Status status) {
    std::lock_guard lock(waiting.mutex);
    waiting.status = std::move(status);
    waiting.done = true;
    waiting.done_cv.notify_one();  // under the lock: the waiter's stack goes as soon as it wakes
  };
  RETURN_IF_ERROR(writer_->Enqueue({.operation = std::move(operation), .done = done, .purpose = purpose}));
  auto is_done = [&waiting] {
    std::lock_guard lock(waiting.mutex);
    return waiting.done;
  };
  while (!options_.threaded && !is_done()) writer_->RunOnce();
  std::unique_lock lock(waiting.mutex);
  waiting.done_cv.wait(lock, [&] { return waiting.done; });
  return waiting.status;
}

Status SqliteStore::Read(const std::function<Status(const Snapshot&)>& read) {
  return forked() ? Forked() : readers_->Read(read);
}

void SqliteStore::OnWake(std::function<void(const Wake&)> listener) {
  std::lock_guard lock(mutex_);
  listeners_.push_back(std::move(listener));
}

void SqliteStore::Notify(const WakeFile::Signs& signs, bool foreign) {
  std::vector<std::function<void(const Wake&)>> listeners;
  {
    std::lock_guard lock(mutex_);
    listeners = listeners_;
  }
  for (const auto& listener : listeners) listener({signs.events, signs.queues, foreign});
}

bool SqliteStore::RunOnce() {
  if (forked()) return false;
  bool worked = writer_->RunOnce();
  return watcher_->Look() || worked;
}

void SqliteStore::Stop() {
  if (forked() || stopped_) return;
  stopped_ = true;
  if (watcher_) watcher_->Stop();
  if (readers_) readers_->Stop();
  if (writer_) writer_->Stop();
  if (locks_) locks_->Close();
}

// In a forked child the threads do not exist, mutexes may be held for ever, and SQLite's connections must not
// be used: the next one that is opened closes them (fork_gate.h).
void SqliteStore::Abandon() {
  if (stopped_) return;
  stopped_ = true;
  if (watcher_) watcher_->Abandon();
  if (writer_) writer_->Abandon();
  (void)watcher_.release();
  (void)readers_.release();
  (void)writer_.release();
  (void)wake_file_.release();
  (void)locks_.release();  // the fork handler closed its descriptors
}

StatusOr<std::unique_ptr<Store>> OpenSqliteStore(Clock* clock, FileSystem* files, Metrics* metrics,
                                                 LogSink* log, const SqliteOptions& options) {
  auto store = std::make_unique<SqliteStore>(clock, files, metrics, log, options);
  RETURN_IF_ERROR(store->Open());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace mediagen
