// Watcher: hears what other engines of the same directory have committed, by inotify on the wake file, with
// polling of PRAGMA data_version behind it for the case that a touch got lost.
//
// Thread-safe. In manual mode there is no thread: Look() does one round on the caller's.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/executor.h"
#include "base/file.h"
#include "base/status.h"
#include "base/wakeup.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/wake_file.h"

namespace mediagen {

class Watcher {
 public:
  Watcher(WakeFile* wake_file, std::string wake_path)
      : wake_file_(wake_file), wake_path_(std::move(wake_path)) {}
  ~Watcher();

  // `connection` is the watcher's own. `listener` is called on the watcher's thread (manual mode: inside
  // Look) after a commit of another engine.
  Status Start(std::unique_ptr<Connection> connection, std::function<void(const WakeFile::Signs&)> listener,
               bool threaded);
  // Whether somebody else had committed.
  bool Look();
  void Stop();
  void Abandon();

 private:
  void Loop();
  bool LookAt(bool poll);
  StatusOr<bool> VersionChanged();

  WakeFile* wake_file_;
  const std::string wake_path_;
  std::function<void(const WakeFile::Signs&)> listener_;
  Fd inotify_;
  std::unique_ptr<WakeupPipe> stop_;
  std::mutex mutex_;  // guards the connection and what was seen through it
  std::unique_ptr<Connection> connection_;
  int64_t version_ = -1;
  uint64_t own_seen_ = 0;
  std::atomic<bool> stopping_{false};
  Thread thread_;
};

}  // namespace mediagen
