#include "blob/fs/fs.h"

#include <errno.h>
#include <sys/stat.h>

#include <mutex>
#include <shared_mutex>

#include "blob/fs/walk.h"
#include "blob/fs/writer.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int kTries = 100;  // another process may take a directory away between the making and the use of it

class FileBlobs final : public BlobStore {
 public:
  FileBlobs(FileSystem* files, std::string root) : files_(files), root_(std::move(root)) {}

  Status Put(const std::string& key, std::string_view bytes) override {
    ASSIGN_OR_RETURN(auto writer, Create(key));
    RETURN_IF_ERROR(writer->Append(bytes));
    return writer->Commit();
  }

  StatusOr<std::unique_ptr<Writer>> Create(const std::string& key) override {
    RETURN_IF_ERROR(CheckBlobKey(key));
    std::string path = PathOf(key);
    ASSIGN_OR_RETURN(BlobFile before, OpenIfThere(key));
    std::string directory = path.substr(0, path.find_last_of('/'));
    std::shared_lock making(making_);
    for (int tries = 1;; ++tries) {
      Status made = files_->MakeDirs(directory);
      if (CodeOf(made) == Code::kConflict) return Taken(key);
      auto file = made.ok() ? files_->Create(path) : StatusOr<std::unique_ptr<FileSystem::Writer>>(made);
      if (file.ok()) return NewBlobWriter(key, std::move(*file), std::move(before));
      if (CodeOf(file.status()) != Code::kNotFound || tries == kTries) return file.status();
    }
  }

  StatusOr<BufferRef> Get(const std::string& key, uint64_t max_bytes) override {
    RETURN_IF_ERROR(CheckBlobKey(key));
    auto bytes = files_->Read(PathOf(key), max_bytes);
    if (!bytes.ok()) return Explain(key, bytes.status());
    return bytes;
  }

  StatusOr<BlobFile> Open(const std::string& key) override {
    RETURN_IF_ERROR(CheckBlobKey(key));
    auto fd = files_->OpenRead(PathOf(key));
    if (!fd.ok()) return Explain(key, fd.status());
    struct stat info;
    if (fstat(fd->get(), &info) != 0) return FileError(errno, "stat", PathOf(key));
    return BlobFile{std::move(*fd), static_cast<uint64_t>(info.st_size)};
  }

  StatusOr<BlobInfo> Stat(const std::string& key) override {
    RETURN_IF_ERROR(CheckBlobKey(key));
    auto info = files_->Stat(PathOf(key));
    if (!info.ok()) return Explain(key, info.status());
    if (info->directory) return Missing(key);
    return BlobInfo{key, info->size, info->modified_ms};
  }

  Status Remove(const std::string& key) override {
    auto info = Stat(key);
    if (CodeOf(info.status()) == Code::kNotFound) return OkStatus();
    if (!info.ok()) return info.status();
    RETURN_IF_ERROR(files_->Remove(PathOf(key)));
    // The directories that held nothing else: a name of a user must not outlive the user's pictures.
    for (size_t slash = key.find_last_of('/'); slash != std::string::npos;
         slash = key.find_last_of('/', slash - 1)) {
      if (!Prune(PathOf(key.substr(0, slash)))) break;
    }
    return OkStatus();
  }

  StatusOr<std::vector<BlobInfo>> List(std::string_view prefix, std::string_view after,
                                       size_t limit) override {
    return WalkBlobs(files_, root_, prefix, after, limit, [this](const std::string& path) { Prune(path); });
  }

  StatusOr<uint64_t> FreeBytes() override { return files_->FreeBytes(root_); }

 private:
  std::string PathOf(std::string_view key) const { return fmt::format("{}/{}", root_, key); }

  // Removes the directory at `path` when it is empty and nobody here is about to write into one; if somebody
  // is, a later List finds it.
  bool Prune(const std::string& path) {
    std::unique_lock idle(making_, std::try_to_lock);
    return idle.owns_lock() && files_->Remove(path).ok();
  }

  static Status Missing(const std::string& key) {
    return Error(Code::kNotFound, fmt::format("There is no blob \"{}\".", key), {.object = key});
  }

  static Status Taken(const std::string& key) {
    return Error(Code::kConflict,
                 fmt::format("The blob \"{}\" cannot be stored: a part of its key is a blob, or it is a part "
                             "of another's key.",
                             key),
                 {.object = key});
  }

  // The error of a file as the error of its blob: where a directory stands, there is no blob.
  Status Explain(const std::string& key, const Status& error) {
    if (CodeOf(error) == Code::kNotFound) return Missing(key);
    if (CodeOf(error) != Code::kUnavailable) return error;
    auto info = files_->Stat(PathOf(key));
    return info.ok() && info->directory ? Missing(key) : error;
  }

  // The blob that stands under `key`, or an invalid descriptor.
  StatusOr<BlobFile> OpenIfThere(const std::string& key) {
    auto info = files_->Stat(PathOf(key));
    if (CodeOf(info.status()) == Code::kNotFound) return BlobFile{};
    if (!info.ok()) return info.status();
    if (info->directory) return Taken(key);
    auto file = Open(key);
    if (CodeOf(file.status()) == Code::kNotFound) return BlobFile{};
    return file;
  }

  FileSystem* const files_;
  const std::string root_;
  // Shared between the making of a directory, which waits for the disk, and its use; exclusive to remove one.
  std::shared_mutex making_;
};

}  // namespace

StatusOr<std::unique_ptr<BlobStore>> OpenFileBlobs(FileSystem* files, std::string root) {
  if (root.empty()) return Error(Code::kInvalid, "The directory of the blobs has no name.");
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  RETURN_IF_ERROR(files->MakeDirs(root));
  return std::unique_ptr<BlobStore>(new FileBlobs(files, std::move(root)));
}

}  // namespace mediagen
