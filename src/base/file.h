// FileSystem: every file that mediagen touches, so a test can fill the disk, fail a write or cut one short.
//
// Thread-safe. Paths are bytes. Errors carry the path and the system's words, their codes are FileError's. A
// new file is 0600 when `secret`, else 0644 less the umask; a new directory 0755 less the umask.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/fork.h"
#include "base/status.h"

namespace mediagen {

// An open file descriptor, closed on destruction; always O_CLOEXEC.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  ~Fd() { Reset(); }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

struct FileInfo {
  uint64_t size = 0;
  int64_t modified_ms = 0;  // wall clock
  bool directory = false;
};

// "could not <verb> <path>: <the system's words>": kStorageFull for ENOSPC and EDQUOT, kNotFound for ENOENT
// and ENOTDIR, kConflict for EEXIST, kUnavailable for the rest. `error` is an errno.
Status FileError(int error, std::string_view verb, std::string_view path);

// What a file being written is called until Commit(), followed by 16 hex digits. '#' stands in no blob key,
// so the two never meet; a crash may leave one.
inline constexpr std::string_view kTempPrefix = ".tmp#";

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The whole file. kTooLarge when it has more than max_bytes.
  virtual StatusOr<BufferRef> Read(const std::string& path, uint64_t max_bytes) = 0;
  virtual StatusOr<Fd> OpenRead(const std::string& path) = 0;

  // A file being written beside its final name. Nothing stands under the final name until Commit(): flush,
  // fdatasync, rename, sync of the directory. Dropped without Commit it removes its temporary file. Not
  // thread-safe.
  class Writer {
   public:
    virtual ~Writer() = default;
    virtual Status Append(std::string_view bytes) = 0;
    virtual Status Commit() = 0;
  };
  // `path`'s directory must exist (MakeDirs).
  virtual StatusOr<std::unique_ptr<Writer>> Create(const std::string& path, bool secret = false) = 0;
  // Create + Append + Commit.
  Status WriteDurably(const std::string& path, std::string_view bytes, bool secret = false);

  // Every missing directory of `path`, each one's parent synced. kConflict when a part of it is a file;
  // kNotFound when one goes meanwhile.
  virtual Status MakeDirs(const std::string& path) = 0;
  // A file or an empty directory; OK when it was not there. Not synced: a power cut may bring it back.
  virtual Status Remove(const std::string& path) = 0;
  // Both sync the directory of `to`. Rename replaces what stands there; Link answers kConflict.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Link(const std::string& from, const std::string& to) = 0;  // hard link
  virtual StatusOr<FileInfo> Stat(const std::string& path) = 0;
  // Names (not paths) below `path`, sorted, without "." and "..".
  virtual StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
  // Bytes that an unprivileged process can still write on the file system of `path`.
  virtual StatusOr<uint64_t> FreeBytes(const std::string& path) = 0;
  // The name of the network file system that `path` lies on ("nfs4", "cifs", "smb", "fuse.sshfs", "9p",
  // "ceph", "lustre", …), or "" for a local one.
  virtual StatusOr<std::string> NetworkFileSystemName(const std::string& path) = 0;
};

// The machine's files; lives for ever.
FileSystem* SystemFiles();

// An exclusive or shared flock(2) on a never-unlinked file, on one O_CLOEXEC descriptor of its own
// (architecture.md rule 7: fcntl locks do not exclude two engines of one process). Released on destruction.
// Not thread-safe.
//
// A forked child shares the open file description, and so the lock: the descriptor is closed there by the
// fork handler (base/fork.h), which leaves the parent's lock alone. In the child every Lock answers kForked
// or false, and Unlock and Close do nothing: the number may belong to another file by then.
class FileLock {
 public:
  // Opens (creates) the file; takes nothing yet. kOverloaded when the process holds as many locks as the fork
  // handler can know.
  static StatusOr<std::unique_ptr<FileLock>> Open(const std::string& path);
  ~FileLock();
  Status LockExclusive();   // waits; restarts on EINTR
  Status LockShared();      // waits
  bool TryLockExclusive();  // false: somebody holds it
  bool TryLockShared();
  void Unlock();
  void Close();
  int fd() const { return fd_.get(); }

 private:
  FileLock(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Status Wait(int operation);
  bool Try(int operation);

  Fd fd_;
  std::string path_;
  ForkGuard fork_;
};

}  // namespace mediagen
