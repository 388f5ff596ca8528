#include "jobs/worker_file.h"

#include <sys/stat.h>

#include <utility>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int kCreateAttempts =
    100;  // each loss means that a scanner unlinked the file in the instant before we locked it

std::string PathOf(const std::string& dir, const Id& worker) {
  return fmt::format("{}/{}", WorkersDir(dir), worker.text());
}

bool NamesSameFile(const std::string& path, int fd) {
  struct stat named {
  }, opened{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 && named.st_ino == opened.st_ino &&
         named.st_dev == opened.st_dev;
}

}  // namespace

std::string WorkersDir(const std::string& dir) { return dir + "/workers"; }

StatusOr<std::unique_ptr<WorkerFile>> WorkerFile::Create(const std::string& dir, const Id& worker) {
  std::string path = PathOf(dir, worker);
  for (int i = 0; i < kCreateAttempts; ++i) {
    ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock, FileLock::Open(path));
    RETURN_IF_ERROR(lock->LockExclusive());
    if (NamesSameFile(path, lock->fd())) {
      return std::unique_ptr<WorkerFile>(new WorkerFile(std::move(path), std::move(lock)));
    }
  }
  return Error(Code::kUnavailable, fmt::format("Worker file {} is removed as fast as it is made.", path),
               {.hint = "Keep other programs out of the data directory."});
}

StatusOr<std::unique_ptr<WorkerFile>> WorkerFile::TakeOver(const std::string& dir, const Id& worker) {
  std::string path = PathOf(dir, worker);
  ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock, FileLock::Open(path));
  if (!lock->TryLockExclusive() || !NamesSameFile(path, lock->fd())) return nullptr;
  return std::unique_ptr<WorkerFile>(new WorkerFile(std::move(path), std::move(lock)));
}

bool WorkerFile::Intact() const { return lock_ && NamesSameFile(path_, lock_->fd()); }

Status WorkerFile::Remove(FileSystem* files) {
  if (!lock_) return OkStatus();
  Status status = Intact() ? files->Remove(path_) : OkStatus();
  lock_.reset();
  return status;
}

void WorkerFile::Abandon() {
  if (lock_) lock_->Close();
  lock_.reset();
}

}  // namespace mediagen
