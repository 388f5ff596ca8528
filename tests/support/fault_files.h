// FaultFiles: the machine's files, except that the test says which operation fails, with which errno, and
// what the disk claims about itself.
//
//   FaultFiles files;
//   files.Fail(FileOp::kWrite, ENOSPC, 3);    // the third write from now on; files.FailAlways() until Heal()
//   files.SetFreeBytes(1 << 20);
//   files.SetNetworkName("nfs4");
//
// A failed kWrite writes half of its bytes first, as a full disk does. kSync and kRename fail inside Commit()
// before anything stands under the final name; kSyncDirectory fails after it does, as a real one would: the
// outcome is unknown. Thread-safe; writers must not outlive it.
#pragma once

#include <array>
#include <climits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"

namespace mediagen::testing {

enum class FileOp {
  kRead,
  kOpenRead,
  kCreate,
  kWrite,
  kSync,
  kRename,
  kSyncDirectory,
  kMakeDirs,
  kRemove,
  kLink,
  kStat,
  kList,
  kFreeBytes,
  kCount
};

class FaultFiles final : public FileSystem {
 public:
  explicit FaultFiles(FileSystem* real = SystemFiles()) : real_(real) {}

  // The `nth` operation of this kind from now (1: the next) fails with `error`, and the `times - 1` after it.
  void Fail(FileOp op, int error, int nth = 1, int times = 1) {
    std::lock_guard lock(mutex_);
    State& s = At(op);
    s.error = error;
    s.first = s.seen + nth;
    s.last = times == INT_MAX ? LONG_MAX : s.first + times - 1;
  }
  void FailAlways(FileOp op, int error) { Fail(op, error, 1, INT_MAX); }
  // Everything works again, and the disk tells the truth.
  void Heal() {
    std::lock_guard lock(mutex_);
    for (State& s : states_) s.error = 0;
    free_bytes_.reset();
    network_name_.reset();
  }
  void SetFreeBytes(uint64_t bytes) {
    std::lock_guard lock(mutex_);
    free_bytes_ = bytes;
  }
  void SetNetworkName(std::string name) {
    std::lock_guard lock(mutex_);
    network_name_ = std::move(name);
  }
  // How often `op` was asked for, failures included.
  long Count(FileOp op) {
    std::lock_guard lock(mutex_);
    return At(op).seen;
  }

  StatusOr<BufferRef> Read(const std::string& path, uint64_t max_bytes) override {
    RETURN_IF_ERROR(Check(FileOp::kRead, "read", path));
    return real_->Read(path, max_bytes);
  }
  StatusOr<Fd> OpenRead(const std::string& path) override {
    RETURN_IF_ERROR(Check(FileOp::kOpenRead, "open", path));
    return real_->OpenRead(path);
  }
  StatusOr<std::unique_ptr<Writer>> Create(const std::string& path, bool secret) override {
    RETURN_IF_ERROR(Check(FileOp::kCreate, "create", path));
    ASSIGN_OR_RETURN(auto writer, real_->Create(path, secret));
    return std::unique_ptr<Writer>(new FaultWriter(this, path, std::move(writer)));
  }
  Status MakeDirs(const std::string& path) override {
    RETURN_IF_ERROR(Check(FileOp::kMakeDirs, "make the directory", path));
    return real_->MakeDirs(path);
  }
  Status Remove(const std::string& path) override {
    RETURN_IF_ERROR(Check(FileOp::kRemove, "remove", path));
    return real_->Remove(path);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    RETURN_IF_ERROR(Check(FileOp::kRename, "rename", from));
    return real_->Rename(from, to);
  }
  Status Link(const std::string& from, const std::string& to) override {
    RETURN_IF_ERROR(Check(FileOp::kLink, "link", to));
    return real_->Link(from, to);
  }
  StatusOr<FileInfo> Stat(const std::string& path) override {
    RETURN_IF_ERROR(Check(FileOp::kStat, "stat", path));
    return real_->Stat(path);
  }
  StatusOr<std::vector<std::string>> List(const std::string& path) override {
    RETURN_IF_ERROR(Check(FileOp::kList, "list", path));
    return real_->List(path);
  }
  StatusOr<uint64_t> FreeBytes(const std::string& path) override {
    RETURN_IF_ERROR(Check(FileOp::kFreeBytes, "measure the free space of", path));
    {
      std::lock_guard lock(mutex_);
      if (free_bytes_.has_value()) return *free_bytes_;
    }
    return real_->FreeBytes(path);
  }
  StatusOr<std::string> NetworkFileSystemName(const std::string& path) override {
    {
      std::lock_guard lock(mutex_);
      if (network_name_.has_value()) return *network_name_;
    }
    return real_->NetworkFileSystemName(path);
  }

 private:
  struct State {
    long seen = 0;
    int error = 0;
    long first = 0, last = 0;
  };

  class FaultWriter final : public Writer {
   public:
    FaultWriter(FaultFiles* files, std::string path, std::unique_ptr<Writer> real)
        : files_(files), path_(std::move(path)), real_(std::move(real)) {}
    Status Append(std::string_view bytes) override {
      Status fault = files_->Check(FileOp::kWrite, "write", path_);
      if (fault.ok()) return real_->Append(bytes);
      RETURN_IF_ERROR(real_->Append(bytes.substr(0, bytes.size() / 2)));
      return fault;
    }
    Status Commit() override {
      RETURN_IF_ERROR(files_->Check(FileOp::kSync, "sync", path_));
      RETURN_IF_ERROR(files_->Check(FileOp::kRename, "rename to", path_));
      RETURN_IF_ERROR(real_->Commit());
      return files_->Check(FileOp::kSyncDirectory, "sync the directory of", path_);
    }

   private:
    FaultFiles* files_;
    std::string path_;
    std::unique_ptr<Writer> real_;
  };

  State& At(FileOp op) { return states_[static_cast<size_t>(op)]; }

  Status Check(FileOp op, std::string_view verb, const std::string& path) {
    std::lock_guard lock(mutex_);
    State& s = At(op);
    ++s.seen;
    bool fails = s.error != 0 && s.seen >= s.first && s.seen <= s.last;
    return fails ? FileError(s.error, verb, path) : OkStatus();
  }

  FileSystem* real_;
  std::mutex mutex_;
  std::array<State, static_cast<size_t>(FileOp::kCount)> states_;
  std::optional<uint64_t> free_bytes_;
  std::optional<std::string> network_name_;
};

}  // namespace mediagen::testing
