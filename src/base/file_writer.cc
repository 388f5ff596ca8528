#include "base/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/id.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kBuffered = 64 << 10;  // small pieces are gathered; larger ones go straight to the kernel

class FileWriter final : public FileSystem::Writer {
 public:
  FileWriter(Fd fd, std::string temp, std::string path)
      : fd_(std::move(fd)), temp_(std::move(temp)), path_(std::move(path)) {}

  ~FileWriter() override { Discard(); }

  Status Append(std::string_view bytes) override {
    RETURN_IF_ERROR(Usable());
    if (pending_.size() + bytes.size() <= kBuffered) {
      pending_.append(bytes);
      return OkStatus();
    }
    RETURN_IF_ERROR(Flush());
    if (bytes.size() >= kBuffered) return Write(bytes);
    pending_.append(bytes);
    return OkStatus();
  }

  Status Commit() override {
    RETURN_IF_ERROR(Usable());
    RETURN_IF_ERROR(Flush());
    if (fdatasync(fd_.get()) != 0) return Fail(errno, "sync");
    if (rename(temp_.c_str(), path_.c_str()) != 0) return Fail(errno, "rename a new file to");
    temp_.clear();  // it is the file now
    state_ = Error(Code::kClosed, fmt::format("{} is written already.", path_));
    fd_.Reset();
    return SyncDirectory(DirectoryOf(path_));
  }

 private:
  // A write that failed may have left a hole, and a second fsync after a failed one says OK and lies: the
  // first error stays.
  Status Usable() const { return state_; }

  Status Flush() {
    RETURN_IF_ERROR(Write(pending_));
    pending_.clear();
    return OkStatus();
  }

  Status Write(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t written = write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Fail(errno, "write");
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return OkStatus();
  }

  Status Fail(int error, std::string_view verb) {
    state_ = FileError(error, verb, path_);
    Discard();
    return state_;
  }

  void Discard() {
    if (!temp_.empty()) unlink(temp_.c_str());
    temp_.clear();
    fd_.Reset();
  }

  Fd fd_;
  std::string temp_;  // empty: committed or discarded
  const std::string path_;
  std::string pending_;
  Status state_;
};

}  // namespace

std::string DirectoryOf(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status SyncDirectory(const std::string& directory) {
  Fd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return FileError(errno, "open the directory", directory);
  if (fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    return FileError(errno, "sync the directory", directory);
  return OkStatus();
}

StatusOr<std::unique_ptr<FileSystem::Writer>> NewFileWriter(const std::string& path, bool secret) {
  std::string directory = DirectoryOf(path);
  for (int tries = 0;; ++tries) {
    std::string temp = fmt::format("{}/{}{:016x}", directory, kTempPrefix, SystemRandom()->Next());
    Fd fd(open(temp.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, secret ? 0600 : 0644));
    if (fd.valid())
      return std::unique_ptr<FileSystem::Writer>(new FileWriter(std::move(fd), std::move(temp), path));
    if ((errno != EEXIST && errno != EINTR) || tries == 8) return FileError(errno, "create", path);
  }
}

}  // namespace mediagen
