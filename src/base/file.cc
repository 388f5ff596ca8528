#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "base/file_writer.h"
#include "base/mounts.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr uint64_t kFuseMagic = 0x65735546;  // linux/magic.h

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

// Reads until the end of the file or until `bytes` is full; the number read, or -1 with errno.
ssize_t ReadFully(int fd, char* bytes, size_t size) {
  size_t got = 0;
  while (got < size) {
    ssize_t n = read(fd, bytes + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  return static_cast<ssize_t>(got);
}

// An open regular file and its size. Anything else is refused: a FIFO would block, a directory cannot be
// read.
StatusOr<Fd> OpenFile(const std::string& path, uint64_t* size) {
  int fd;
  do {
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return FileError(errno, "open", path);
  Fd owned(fd);
  struct stat info;
  if (fstat(fd, &info) != 0) return FileError(errno, "stat", path);
  if (S_ISDIR(info.st_mode)) return FileError(EISDIR, "open", path);
  if (!S_ISREG(info.st_mode))
    return Error(Code::kUnavailable, fmt::format("{} is not a regular file.", path));
  *size = static_cast<uint64_t>(info.st_size);
  return owned;
}

Status TooLarge(const std::string& path, uint64_t max_bytes) {
  return Error(Code::kTooLarge, fmt::format("{} has more than {} bytes.", path, max_bytes));
}

// The nearest part of `path` that exists, without symbolic links; a file that is yet to be made lies where
// its directory does.
std::string NearestRealPath(std::string path) {
  char real[PATH_MAX];
  while (realpath(path.c_str(), real) == nullptr) {
    if (errno != ENOENT || path == "." || path == "/") return {};
    size_t end = path.find_last_not_of('/');
    path = DirectoryOf(path.substr(0, end + 1));
  }
  return real;
}

// A file of /proc: it has no size, so it is read until it ends.
std::string ReadProc(const char* path) {
  std::string text;
  Fd fd(open(path, O_RDONLY | O_CLOEXEC));
  char piece[4096];
  while (fd.valid()) {
    ssize_t got = ReadFully(fd.get(), piece, sizeof piece);
    if (got <= 0) break;
    text.append(piece, static_cast<size_t>(got));
  }
  return text;
}

class PosixFiles final : public FileSystem {
 public:
  StatusOr<BufferRef> Read(const std::string& path, uint64_t max_bytes) override {
    uint64_t size = 0;
    ASSIGN_OR_RETURN(Fd fd, OpenFile(path, &size));
    if (size > max_bytes) return TooLarge(path, max_bytes);
    // One byte more than the file has: reading less proves that it did not grow.
    for (uint64_t capacity = std::max<uint64_t>(size + 1, 4096);; capacity *= 2) {
      auto bytes = std::make_shared_for_overwrite<char[]>(capacity);
      ssize_t got = lseek(fd.get(), 0, SEEK_SET) < 0 ? -1 : ReadFully(fd.get(), bytes.get(), capacity);
      if (got < 0) return FileError(errno, "read", path);
      auto length = static_cast<uint64_t>(got);
      if (length > max_bytes) return TooLarge(path, max_bytes);
      if (length < capacity) return BufferRef::Alias({bytes.get(), length}, bytes);
    }
  }

  StatusOr<Fd> OpenRead(const std::string& path) override {
    uint64_t size;
    return OpenFile(path, &size);
  }

  StatusOr<std::unique_ptr<Writer>> Create(const std::string& path, bool secret) override {
    return NewFileWriter(path, secret);
  }

  Status MakeDirs(const std::string& path) override {
    if (mkdir(path.c_str(), 0755) == 0) return SyncDirectory(ParentOf(path));
    int error = errno;
    if (error == ENOENT) {
      std::string parent = ParentOf(path);
      if (path.empty() || parent == path) return FileError(error, "make the directory", path);
      RETURN_IF_ERROR(MakeDirs(parent));
      if (mkdir(path.c_str(), 0755) == 0) return SyncDirectory(parent);
      error = errno;
    }
    struct stat info;  // it may stand there already, and on a read-only disk mkdir says EROFS first
    int found = stat(path.c_str(), &info);
    if (found == 0 && S_ISDIR(info.st_mode)) return OkStatus();
    // Removed between the two calls, or a symbolic link to nothing.
    if (error == EEXIST && found != 0) return FileError(errno, "make the directory", path);
    if (error == EEXIST || error == ENOTDIR) {
      return Error(Code::kConflict,
                   fmt::format("Could not make the directory {}: a part of it is a file.", path));
    }
    return FileError(error, "make the directory", path);
  }

  Status Remove(const std::string& path) override {
    if (remove(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return OkStatus();
    return FileError(errno, "remove", path);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0)
      return FileError(errno, "rename", fmt::format("{} to {}", from, to));
    return SyncDirectory(DirectoryOf(to));
  }

  Status Link(const std::string& from, const std::string& to) override {
    if (link(from.c_str(), to.c_str()) != 0)
      return FileError(errno, "link", fmt::format("{} as {}", from, to));
    return SyncDirectory(DirectoryOf(to));
  }

  StatusOr<FileInfo> Stat(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return FileError(errno, "stat", path);
    return FileInfo{static_cast<uint64_t>(info.st_size),
                    int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000,
                    S_ISDIR(info.st_mode)};
  }

  StatusOr<std::vector<std::string>> List(const std::string& path) override {
    std::unique_ptr<DIR, CloseDir> dir(opendir(path.c_str()));
    if (dir == nullptr) return FileError(errno, "list", path);
    std::vector<std::string> names;
    while (true) {
      errno = 0;
      const dirent* entry = readdir(dir.get());
      if (entry == nullptr && errno != 0) return FileError(errno, "list", path);
      if (entry == nullptr) break;
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  StatusOr<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info;
    if (statvfs(path.c_str(), &info) != 0) return FileError(errno, "measure the free space of", path);
    return uint64_t{info.f_bavail} * info.f_frsize;
  }

  StatusOr<std::string> NetworkFileSystemName(const std::string& path) override {
    std::string real = NearestRealPath(path);
    if (real.empty()) return FileError(errno, "find the file system of", path);
    struct statfs info;
    if (statfs(real.c_str(), &info) != 0) return FileError(errno, "find the file system of", path);
    // mountinfo has the exact name, and alone tells one FUSE file system from another; statfs sees through
    // what mountinfo hides.
    std::string type = MountTypeOf(ReadProc("/proc/self/mountinfo"), real);
    std::string name = NetworkNameOfType(type);
    if (!name.empty()) return name;
    auto magic = static_cast<uint64_t>(info.f_type);
    if (magic == kFuseMagic && type.empty()) return std::string("fuse");
    return NetworkNameOfMagic(magic);
  }

 private:
  // As DirectoryOf, for a directory that may be written with slashes at its end.
  static std::string ParentOf(const std::string& path) {
    size_t end = path.find_last_not_of('/');
    return end == std::string::npos ? path : DirectoryOf(path.substr(0, end + 1));
  }
};

}  // namespace

void Fd::Reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Status FileError(int error, std::string_view verb, std::string_view path) {
  std::string message =
      fmt::format("Could not {} {}: {}.", verb, path, std::generic_category().message(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return Error(Code::kStorageFull, std::move(message),
                   {.hint = "Free some space on this disk, or raise the quota."});
    case ENOENT:
    case ENOTDIR:
      return Error(Code::kNotFound, std::move(message));
    case EEXIST:
      return Error(Code::kConflict, std::move(message));
    case EACCES:
    case EPERM:
    case EROFS:
      return Error(Code::kUnavailable, std::move(message),
                   {.hint = "Give this process the right to write there."});
    case EMFILE:
    case ENFILE:
      return Error(Code::kUnavailable, std::move(message),
                   {.hint = "Raise the limit of open files (ulimit -n)."});
    default:
      return Error(Code::kUnavailable, std::move(message));
  }
}

Status FileSystem::WriteDurably(const std::string& path, std::string_view bytes, bool secret) {
  ASSIGN_OR_RETURN(auto writer, Create(path, secret));
  RETURN_IF_ERROR(writer->Append(bytes));
  return writer->Commit();
}

FileSystem* SystemFiles() {
  static auto* files = new PosixFiles;  // never destroyed: threads may outlive static destruction
  return files;
}

}  // namespace mediagen
