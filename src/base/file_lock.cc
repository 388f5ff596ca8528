#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/file.h"
#include "fmt/format.h"

namespace mediagen {

StatusOr<std::unique_ptr<FileLock>> FileLock::Open(const std::string& path) {
  int fd;
  do {
    fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return FileError(errno, "open the lock file", path);
  Fd owned(fd);
  if (!CloseInChild(fd)) {
    return Error(Code::kOverloaded,
                 fmt::format("The lock file {} was not opened: this process holds too many locks.", path),
                 {.hint = "Close engines that are no longer used."});
  }
  return std::unique_ptr<FileLock>(new FileLock(std::move(owned), path));
}

FileLock::~FileLock() { Close(); }

Status FileLock::Wait(int operation) {
  if (fork_.forked())
    return Error(Code::kForked, fmt::format("The lock {} belongs to the parent process.", path_));
  if (!fd_.valid()) return Error(Code::kClosed, fmt::format("The lock {} is closed.", path_));
  while (flock(fd_.get(), operation) != 0) {
    if (errno != EINTR) return FileError(errno, "lock", path_);
  }
  return OkStatus();
}

bool FileLock::Try(int operation) {
  if (fork_.forked() || !fd_.valid()) return false;
  int result;
  do {
    result = flock(fd_.get(), operation | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

Status FileLock::LockExclusive() { return Wait(LOCK_EX); }
Status FileLock::LockShared() { return Wait(LOCK_SH); }
bool FileLock::TryLockExclusive() { return Try(LOCK_EX); }
bool FileLock::TryLockShared() { return Try(LOCK_SH); }

void FileLock::Unlock() {
  if (!fork_.forked() && fd_.valid()) flock(fd_.get(), LOCK_UN);
}

void FileLock::Close() {
  if (fork_.forked()) {
    (void)fd_.Release();  // the fork handler closed it
  } else if (fd_.valid()) {
    ForgetInChild(fd_.get());
    fd_.Reset();
  }
}

}  // namespace mediagen
