// Landing: a download on its way to its blob. Small ones are gathered in memory; past a few MB the bytes go
// to the blob store as they come, hashed on the way, so that a video of gigabytes needs no memory.
//
// Append is called by one thread at a time; the rest after the last Append.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "blob/blob.h"
#include "codec/image.h"

namespace mediagen {

class Landing {
 public:
  // `key_of` names the blob once the first bytes have told what it is. What fits into `in_memory` bytes is
  // not written.
  using KeyOf = std::function<std::string(Format)>;
  Landing(BlobStore* blobs, KeyOf key_of, uint64_t in_memory);

  Status Append(std::string_view piece);

  // Whether it went to the blob store. Until then bytes() is all of it.
  bool spilled() const { return writer_ != nullptr; }
  std::string_view bytes() const { return gathered_; }

  // Durable under key() when it returns. Where other bytes stand there, which no row can name (an earlier
  // claim died before it settled), they are removed and the answer is kUnavailable: fetch again.
  Status Commit();
  const std::string& key() const { return key_; }
  Format format() const { return format_; }
  uint64_t size() const { return size_; }
  std::string TakeSha256();  // hex; once

 private:
  BlobStore* const blobs_;
  const KeyOf key_of_;
  const uint64_t in_memory_;
  std::string gathered_, key_;
  Format format_ = Format::kUnknown;
  uint64_t size_ = 0;
  Sha256Stream hash_;
  std::unique_ptr<BlobStore::Writer> writer_;
};

}  // namespace mediagen
