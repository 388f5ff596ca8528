// WatchedFiles: the machine's files; somebody is told just before and just after a new file gets its name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace mediagen::testing {

class WatchedFiles final : public FileSystem {
 public:
  // Called on the thread that writes, with the final path.
  using Watcher = std::function<void(const std::string& path, bool after)>;
  explicit WatchedFiles(Watcher watcher) : watcher_(std::move(watcher)) {}

  StatusOr<std::unique_ptr<Writer>> Create(const std::string& path, bool secret) override {
    ASSIGN_OR_RETURN(auto writer, real_->Create(path, secret));
    return std::unique_ptr<Writer>(new WatchedWriter(this, path, std::move(writer)));
  }
  StatusOr<BufferRef> Read(const std::string& path, uint64_t max_bytes) override {
    return real_->Read(path, max_bytes);
  }
  StatusOr<Fd> OpenRead(const std::string& path) override { return real_->OpenRead(path); }
  Status MakeDirs(const std::string& path) override { return real_->MakeDirs(path); }
  Status Remove(const std::string& path) override { return real_->Remove(path); }
  Status Rename(const std::string& from, const std::string& to) override { return real_->Rename(from, to); }
  Status Link(const std::string& from, const std::string& to) override { return real_->Link(from, to); }
  StatusOr<FileInfo> Stat(const std::string& path) override { return real_->Stat(path); }
  StatusOr<std::vector<std::string>> List(const std::string& path) override { return real_->List(path); }
  StatusOr<uint64_t> FreeBytes(const std::string& path) override { return real_->FreeBytes(path); }
  StatusOr<std::string> NetworkFileSystemName(const std::string& path) override {
    return real_->NetworkFileSystemName(path);
  }

 private:
  class WatchedWriter final : public Writer {
   public:
    WatchedWriter(WatchedFiles* files, std::string path, std::unique_ptr<Writer> real)
        : files_(files), path_(std::move(path)), real_(std::move(real)) {}
    Status Append(std::string_view bytes) override { return real_->Append(bytes); }
    Status Commit() override {
      files_->watcher_(path_, false);
      RETURN_IF_ERROR(real_->Commit());
      files_->watcher_(path_, true);
      return OkStatus();
    }

   private:
    WatchedFiles* files_;
    std::string path_;
    std::unique_ptr<Writer> real_;
  };

  FileSystem* const real_ = SystemFiles();
  const Watcher watcher_;
};

}  // namespace mediagen::testing
