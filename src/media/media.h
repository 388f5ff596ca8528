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
#include "media/card.h"
#include "media/recipe.h"
#include "store/store.h"

namespace mediagen {

// An output has at most so many stored variants. Places are kept for those that are made of every picture;
// what finds none is made for who asked, and not stored.
constexpr size_t kMostVariants = 16;

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
  int effort = 0;           // with which it was encoded
  bool remembered = false;  // it came from memory
};
using PictureDone = std::function<void(StatusOr<Picture>)>;
// Asked before a picture of so many pixels is decoded for a request, on a thread that may wait; an error is
// that request's answer.
using MayRender = std::function<Status(uint64_t pixels)>;

class Media {
 public:
  // All pointers must outlive it. `cache` may be null.
  Media(Store* store, BlobStore* blobs, Cache* cache, Executor* executor, Metrics* metrics,
        const MediaOptions& options);

  // Sniffs, probes, decodes, hashes. kInvalid or kUnsupported for what is not a whole picture (or video) of a
  // type that is stored.
  StatusOr<Inspected> Inspect(std::string_view bytes);

  // What is stored of an output: from memory alone, or read where memory has nothing; kNotFound. A card in
  // memory may be older than another process's last write: Forget before Find asks the store.
  std::optional<Card> RememberedCard(const Id& output);
  StatusOr<Card> FindCard(const Id& output);
  void ForgetCard(const Id& output);
  // Drops everything of an output from memory; of all outputs, when events may have been missed.
  void Forget(const Id& output);
  void ForgetAll();

  // The variant of `card`'s output by `recipe`: from the cache (then `done` is called inline), its blob, or
  // made now: one caller makes it, the others wait for it. A picture that could not be decoded is not tried
  // again for kBrokenMs.
  void Variant(const Card& card, const Recipe& recipe, MayRender may_render, PictureDone done);
  // From the cache alone.
  std::optional<Picture> RememberedVariant(const Card& card, const Recipe& recipe);
  static constexpr int64_t kBrokenMs = 30'000;

  // Makes every missing one of `recipes` from one decode and stores blobs and rows. Blocks: for a job's
  // thread. Whether some stored variant waits for its final effort (Refine).
  StatusOr<bool> Derive(const Output& output, std::span<const Recipe> recipes);
  // Makes every stored variant again that has not got its final effort yet. Blocks, as Derive does.
  Status Refine(const Output& output);

  BlobStore* blobs() const { return blobs_; }

 private:
  class Admission;
  struct Work {  // one variant to be made
    Recipe recipe;
    int effort = 0;
  };
  StatusOr<BufferRef> Original(const Output& output);
  StatusOr<Pixels> DecodeFor(std::string_view original, uint32_t width, uint32_t height, bool to_srgb);
  StatusOr<std::vector<mediagen::Variant>> StoredVariants(const Id& output);
  StatusOr<Picture> Load(const Output& output, const Recipe& recipe, const MayRender& may_render);
  StatusOr<Picture> Render(const Output& output, const Work& work);
  StatusOr<Picture> Make(const Output& output, const Work& work, const Pixels& resized, std::string_view icc);
  Status MakeAll(const Output& output, std::span<const Work> works);
  Status Keep(const Output& output, const mediagen::Variant& row, std::string_view bytes);
  Status KnownBroken(const Output& output);
  void NoteBroken(const Output& output, const Status& status);
  void LoadFor(const Output& output, const Recipe& recipe, uint64_t token, const MayRender& may_render,
               const PictureDone& done);

  Store* store_;
  BlobStore* blobs_;
  Cache* cache_;
  Executor* executor_;
  const MediaOptions options_;
  std::atomic<int64_t> decoding_bytes_{0};
  Counter renders_, refusals_;
};

// Whether an error says that the picture itself is at fault: no other try will end better.
bool IsPicturesFault(Code code);

// "generated-images/{user}/{generation}/{part}.{try}.{n}.{ext}" and "…@{recipe}.{v}.{ext}" beside it
// (pipeline.md "Blobs").
std::string OriginalKey(std::string_view kind, std::string_view user, const Id& generation, int part,
                        int attempt_try, int index, Format format);
// "uploads/{user}/{output}/0.{try}.0.{ext}"
std::string UploadKey(std::string_view user, const Id& output, Format format, int upload_try = 1);
// `v` is the codec's version and, where there is one, the effort: a better encoding overwrites nothing.
std::string VariantKey(std::string_view original_key, const Recipe& recipe, int version, int effort);

}  // namespace mediagen
