// SqliteStore: the Store over one SQLite file. It wires the writer, the readers and the watcher; the work is
// theirs.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/fork.h"
#include "store/sqlite/locks.h"
#include "store/sqlite/open.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/wake_file.h"
#include "store/sqlite/watcher.h"
#include "store/sqlite/writer.h"

namespace mediagen {

class SqliteStore final : public Store {
 public:
  SqliteStore(Clock* clock, FileSystem* files, Metrics* metrics, LogSink* log, const SqliteOptions& options)
      : clock_(clock), files_(files), metrics_(metrics), log_(log), options_(options) {}
  ~SqliteStore() override;

  // Once, before anything else.
  Status Open();

  void CommitAsync(Operation operation, CommitDone done, Purpose purpose) override;
  Status Commit(Operation operation, Purpose purpose) override;
  Status Read(const std::function<Status(const Snapshot&)>& read) override;
  void OnWake(std::function<void(const Wake&)> listener) override;
  std::string epoch() const override { return epoch_; }
  bool RunOnce() override;
  void Stop() override;
  void Abandon() override;

 private:
  Status OpenDirectory();
  Status OpenDatabase();
  void Notify(const WakeFile::Signs& signs, bool foreign);
  bool forked() const { return fork_.forked(); }

  Clock* clock_;
  FileSystem* files_;
  Metrics* metrics_;
  LogSink* log_;
  const SqliteOptions options_;
  const ForkGuard fork_;
  std::string epoch_;
  std::unique_ptr<WriteLocks> locks_;
  std::unique_ptr<WakeFile> wake_file_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Readers> readers_;
  std::unique_ptr<Watcher> watcher_;
  std::mutex mutex_;  // guards the listeners
  std::vector<std::function<void(const Wake&)>> listeners_;
  bool stopped_ = false;
};

}  // namespace mediagen
