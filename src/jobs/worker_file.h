// A worker's file, <dir>/workers/<uuid>: while its flock is held the worker lives. The kernel drops the lock
// with the process, however it ends.
#pragma once

#include <memory>
#include <string>

#include "base/file.h"
#include "base/id.h"
#include "base/status.h"

namespace mediagen {

// Not thread-safe.
class WorkerFile {
 public:
  // A new worker's file, locked. Whoever finds a file that can be locked unlinks it, so after locking, the
  // path is checked to name the locked file still.
  static StatusOr<std::unique_ptr<WorkerFile>> Create(const std::string& dir, const Id& worker);
  // The file of a dead worker, now locked here; nullptr when its worker lives or somebody else was faster.
  static StatusOr<std::unique_ptr<WorkerFile>> TakeOver(const std::string& dir, const Id& worker);

  // Whether the path still names the file that is locked here.
  bool Intact() const;
  // Unlinks it while the lock is held, then lets go of the lock.
  Status Remove(FileSystem* files);
  // Closes the descriptor and leaves the file: for others it is a dead worker's.
  void Abandon();

 private:
  WorkerFile(std::string path, std::unique_ptr<FileLock> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  std::unique_ptr<FileLock> lock_;
};

// <dir>/workers
std::string WorkersDir(const std::string& dir);

}  // namespace mediagen
