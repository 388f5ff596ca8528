// Media: what a stored picture is and what is made of it. Originals are kept byte-identical; variants are
// made once, kept as blobs and in the cache.
//
// Thread-safe. Decoding is admitted by decoded bytes: past the budget an answer is kOverloaded with a retry
// hint, never growth.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/metrics.h"
#include "blob/blob.h"
#include "cache/cache.h"
#include "codec/image.h"
#include "media/recipe.h"
#include "store/store.h"

namespace mediagen {

struct MediaOptions {
  DecodeLimits limits;
  uint64_t decode_budget_bytes = 512u << 20;
};

// What is known of a picture once its bytes were looked at.
struct Inspected {
  Format format = Format::kUnknown;
  uint32_t width = 0, height = 0;  // as shown: orientation applied
  std::string sha256;              // hex
  std::string thumb_hash;          // base64; "" for videos
  bool c2pa = false;
  std::string prompt;
};

// A picture's bytes, ready to be sent: a slice of `buffer`.
struct Picture {
  BufferRef buffer;
  uint64_t offset = 0, length = 0;
  std::string sha256;  // hex, of exactly these bytes: the strong ETag
  Format format = Format::kUnknown;
};
using PictureDone = std::function<void(StatusOr<Picture>)>;

class Media {
 public:
  // All pointers must outlive it. `cache` may be null.
  Media(Store* store, BlobStore* blobs, Cache* cache, Executor* executor, Metrics* metrics,
        const MediaOptions& options);

  // Sniffs, probes, decodes, hashes. kInvalid or kUnsupported for what is not a whole picture (or video) of a
  // type that is stored.
  StatusOr<Inspected> Inspect(std::string_view bytes);

  // The variant of `output` by `recipe`: from the cache (then `done` is called inline), its blob, or made
  // now: one caller makes it, the others wait for it.
  void Variant(const Output& output, const Recipe& recipe, PictureDone done);
  // From the cache alone.
  std::optional<Picture> CachedVariant(const Id& output, std::string_view original_sha256,
                                       const Recipe& recipe);

  // Makes every missing one of `recipes` from one decode and stores blobs and rows. Blocks: for a job's
  // thread.
  Status Derive(const Output& output, std::span<const Recipe> recipes);

  BlobStore* blobs() const { return blobs_; }

 private:
  class Admission;
  StatusOr<BufferRef> Original(const Output& output);
  StatusOr<Pixels> DecodeFor(std::string_view original, uint32_t width, uint32_t height);
  StatusOr<Picture> Load(const Output& output, const Recipe& recipe);
  StatusOr<Picture> Make(const Output& output, const Recipe& recipe, const Pixels& resized);

  Store* store_;
  BlobStore* blobs_;
  Cache* cache_;
  Executor* executor_;
  const MediaOptions options_;
  std::atomic<int64_t> decoding_bytes_{0};
  Counter renders_, refusals_;
};

// "generated-images/{user}/{generation}/{part}.{try}.{n}.{ext}" and "…@{recipe}.{v}.{ext}" beside it
// (pipeline.md "Blobs").
std::string OriginalKey(std::string_view kind, std::string_view user, const Id& generation, int part,
                        int attempt_try, int index, Format format);
// "uploads/{user}/{output}/0.1.0.{ext}"
std::string UploadKey(std::string_view user, const Id& output, Format format);
std::string VariantKey(std::string_view original_key, const Recipe& recipe, int version);

}  // namespace mediagen
