// BlobStore: pictures and videos as named bytes.
//
// Thread-safe. A key is at most 1024 bytes of '/'-separated segments of 1 to 240 of [A-Za-z0-9_.~@,=-], none
// of them "." or ".."; BlobSegment() makes a segment out of anything. One owner per key, and no key is
// another's directory ("a" and "a/b": kConflict where the backend cannot hold both). A blob is immutable: Put
// and Commit over other bytes are kConflict and leave them as they were; over the same bytes they are OK. A
// Put is durable when it returns (pipeline.md "Blobs"), and must return before the rows that name the blob
// are written.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/file.h"
#include "base/status.h"

namespace mediagen {

struct BlobInfo {
  std::string key;
  uint64_t size = 0;
  int64_t modified_ms = 0;
};

// A local file that holds a blob's bytes, for sendfile.
struct BlobFile {
  Fd fd;
  uint64_t size = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  virtual Status Put(const std::string& key, std::string_view bytes) = 0;

  // A blob that arrives in pieces. Nothing stands under the key until Commit(). Not thread-safe.
  class Writer {
   public:
    virtual ~Writer() = default;
    virtual Status Append(std::string_view bytes) = 0;
    virtual Status Commit() = 0;
  };
  virtual StatusOr<std::unique_ptr<Writer>> Create(const std::string& key) = 0;

  // kNotFound; kTooLarge past max_bytes.
  virtual StatusOr<BufferRef> Get(const std::string& key, uint64_t max_bytes) = 0;
  // kUnsupported where a backend has no local files.
  virtual StatusOr<BlobFile> Open(const std::string& key) = 0;
  virtual StatusOr<BlobInfo> Stat(const std::string& key) = 0;
  // OK when it was not there.
  virtual Status Remove(const std::string& key) = 0;
  // Up to `limit` blobs whose key starts with `prefix` and is greater than `after`, in key order.
  virtual StatusOr<std::vector<BlobInfo>> List(std::string_view prefix, std::string_view after,
                                               size_t limit) = 0;
  // Free space that a writer could still use; UINT64_MAX where there is no bound.
  virtual StatusOr<uint64_t> FreeBytes() = 0;
};

// One path segment out of any bytes, different ones for different bytes: all but [A-Za-z0-9_-] becomes =XX
// (hex), and what would pass 200 characters, or be empty, becomes '~' + base32(SHA-256).
std::string BlobSegment(std::string_view text);
// kInvalid unless `key` follows the rules above.
Status CheckBlobKey(std::string_view key);

}  // namespace mediagen
