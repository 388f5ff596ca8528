#include "blob/fs/writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "fmt/format.h"

namespace mediagen {
namespace {

class BlobWriter final : public BlobStore::Writer {
 public:
  BlobWriter(std::string key, std::unique_ptr<FileSystem::Writer> file, BlobFile before)
      : key_(std::move(key)), file_(std::move(file)), before_(std::move(before)) {}

  Status Append(std::string_view bytes) override {
    if (before_.fd.valid() && same_) RETURN_IF_ERROR(Compare(bytes));
    size_ += bytes.size();
    return file_->Append(bytes);
  }

  Status Commit() override {
    if (before_.fd.valid() && (!same_ || size_ != before_.size)) {
      return Error(Code::kConflict,
                   fmt::format("The blob \"{}\" stands already and holds other bytes.", key_),
                   {.object = key_});
    }
    return file_->Commit();
  }

 private:
  Status Compare(std::string_view bytes) {
    char piece[16 << 10];
    uint64_t at = size_;
    while (!bytes.empty() && same_) {
      ssize_t got =
          pread(before_.fd.get(), piece, std::min(bytes.size(), sizeof piece), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FileError(errno, "read the blob", key_);
      auto length = static_cast<size_t>(got);
      same_ = length > 0 && memcmp(piece, bytes.data(), length) == 0;
      bytes.remove_prefix(length);
      at += length;
    }
    return OkStatus();
  }

  const std::string key_;
  std::unique_ptr<FileSystem::Writer> file_;
  BlobFile before_;
  bool same_ = true;  // as far as they were compared
  uint64_t size_ = 0;
};

}  // namespace

std::unique_ptr<BlobStore::Writer> NewBlobWriter(std::string key, std::unique_ptr<FileSystem::Writer> file,
                                                 BlobFile before) {
  return std::make_unique<BlobWriter>(std::move(key), std::move(file), std::move(before));
}

}  // namespace mediagen
