#include "pipeline/landing.h"

#include <utility>

#include "fmt/format.h"

namespace mediagen {

Landing::Landing(BlobStore* blobs, KeyOf key_of, uint64_t in_memory)
    : blobs_(blobs), key_of_(std::move(key_of)), in_memory_(in_memory) {}

Status Landing::Append(std::string_view piece) {
  size_ += piece.size();
  if (writer_ == nullptr && size_ <= in_memory_) {
    gathered_ += piece;
    return OkStatus();
  }
  if (writer_ == nullptr) {
    gathered_ += piece;
    format_ = Sniff(gathered_);
    if (format_ == Format::kUnknown) {
      return Error(
          Code::kInvalid,
          fmt::format("The first of more than {} bytes are those of no picture or video.", in_memory_));
    }
    key_ = key_of_(format_);
    ASSIGN_OR_RETURN(writer_, blobs_->Create(key_));
    hash_.Update(gathered_);
    RETURN_IF_ERROR(writer_->Append(gathered_));
    gathered_ = std::string();
    return OkStatus();
  }
  hash_.Update(piece);
  return writer_->Append(piece);
}

Status Landing::Commit() {
  Status status = writer_->Commit();
  if (CodeOf(status) != Code::kConflict) return status;
  RETURN_IF_ERROR(blobs_->Remove(key_));
  return Error(Code::kUnavailable, fmt::format("Other bytes stood under {}; they are gone.", key_),
               {.retry_after_ms = 0});
}

std::string Landing::TakeSha256() { return Hex(hash_.Finish()); }

}  // namespace mediagen
