#include "media/media.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kShaBytes = 32;  // a cached variant is its raw SHA-256, then its bytes: one entry, no copy
constexpr int64_t kLoadTimeoutMs = 30'000;
constexpr uint64_t kMaxVariantBytes = 64u << 20;
constexpr int kVariantVersion = kCodecVersion;

std::string CacheKey(const Id& output, std::string_view original_sha256, const Recipe& recipe) {
  return fmt::format("variant/{}/{}/{}", output.text(), VariantVersion(original_sha256, recipe),
                     recipe.name());
}

Picture FromCached(BufferRef entry, Format format) {
  Picture picture;
  picture.sha256 = Hex(entry.view().substr(0, kShaBytes));
  picture.offset = kShaBytes;
  picture.length = entry.size() - kShaBytes;
  picture.format = format;
  picture.buffer = std::move(entry);
  return picture;
}

ResizeOptions SizeOf(const Recipe& recipe) {
  return {.width = recipe.width, .height = recipe.height, .fit = recipe.fit};
}

Picture NewPicture(std::string_view bytes, Format format) {
  Sha256Digest digest = Sha256(bytes);
  std::string entry(reinterpret_cast<const char*>(digest.data()), digest.size());
  entry.append(bytes);
  return FromCached(BufferRef::Own(std::move(entry)), format);
}

}  // namespace

// Holds a share of the decode budget while a picture is decoded.
class Media::Admission {
 public:
  Admission(std::atomic<int64_t>* used, int64_t bytes, int64_t budget) : used_(used), bytes_(bytes) {
    int64_t before = used_->fetch_add(bytes_);
    admitted_ = before == 0 ||
                before + bytes_ <= budget;  // one picture alone is always admitted: its own limits bound it
    if (!admitted_) used_->fetch_sub(bytes_);
  }
  ~Admission() {
    if (admitted_) used_->fetch_sub(bytes_);
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  bool admitted() const { return admitted_; }

 private:
  std::atomic<int64_t>* used_;
  int64_t bytes_;
  bool admitted_;
};

std::string OriginalKey(std::string_view kind, std::string_view user, const Id& generation, int part,
                        int attempt_try, int index, Format format) {
  return fmt::format("generated-{}s/{}/{}/{}.{}.{}.{}", kind, BlobSegment(user), generation.text(), part,
                     attempt_try, index, Extension(format));
}

std::string UploadKey(std::string_view user, const Id& output, Format format) {
  return fmt::format("uploads/{}/{}/0.1.0.{}", BlobSegment(user), output.text(), Extension(format));
}

std::string VariantKey(std::string_view original_key, const Recipe& recipe, int version) {
  std::string_view stem = original_key.substr(0, original_key.rfind('.'));
  return fmt::format("{}@{}.{}.{}", stem, recipe.name(), version, Extension(recipe.format));
}

Media::Media(Store* store, BlobStore* blobs, Cache* cache, Executor* executor, Metrics* metrics,
             const MediaOptions& options)
    : store_(store), blobs_(blobs), cache_(cache), executor_(executor), options_(options) {
  renders_ = metrics->AddCounter("mediagen_variant_renders_total", "Variants that were decoded and encoded.");
  refusals_ = metrics->AddCounter("mediagen_decode_refusals_total",
                                  "Pictures not decoded because the decode budget was taken.");
}

StatusOr<Inspected> Media::Inspect(std::string_view bytes) {
  Inspected found;
  found.format = Sniff(bytes);
  found.sha256 = Hex(Sha256(bytes));
  if (IsVideo(found.format)) return found;
  ASSIGN_OR_RETURN(ImageInfo info, Probe(bytes, options_.limits));
  found.c2pa = info.c2pa;
  found.prompt = info.prompt;
  const bool turned = info.orientation >= 5;
  found.width = turned ? info.height : info.width;
  found.height = turned ? info.width : info.height;
  // A whole decode: what cannot be shown is refused here, while the provider still has it, and not when
  // somebody looks.
  ASSIGN_OR_RETURN(Pixels pixels, DecodeFor(bytes, 100, 100));
  ASSIGN_OR_RETURN(std::string hash, ThumbHash(pixels));
  found.thumb_hash = Base64Encode(hash);
  return found;
}

StatusOr<Pixels> Media::DecodeFor(std::string_view original, uint32_t width, uint32_t height) {
  ASSIGN_OR_RETURN(ImageInfo info, Probe(original, options_.limits));
  const int64_t decoded = int64_t{info.width} * info.height * 4;
  Admission admission(&decoding_bytes_, decoded, static_cast<int64_t>(options_.decode_budget_bytes));
  if (!admission.admitted()) {
    refusals_.Add();
    return Error(Code::kOverloaded, "Too many pictures are being decoded at this moment.",
                 {.hint = "Try again in a second.", .retry_after_ms = 1000});
  }
  DecodeOptions options;
  options.limits = options_.limits;
  options.target_width = width;
  options.target_height = height;
  return Decode(original, options);
}

StatusOr<BufferRef> Media::Original(const Output& output) {
  auto bytes = blobs_->Get(output.blob_key, options_.limits.max_bytes);
  if (bytes.ok() || CodeOf(bytes.status()) != Code::kNotFound) return bytes;
  return Error(Code::kCorrupt,
               fmt::format("The file of output {} is missing from the blob store.", output.id.text()),
               {.hint = "Restore it from a backup of the blobs.", .object = output.id.text()});
}

StatusOr<Picture> Media::Make(const Output& output, const Recipe& recipe, const Pixels& resized) {
  EncodeOptions encode;
  encode.format = recipe.format;
  if (recipe.quality > 0) encode.quality = recipe.quality;
  ASSIGN_OR_RETURN(BufferRef encoded, Encode(resized, encode));
  renders_.Add();

  Picture picture = NewPicture(encoded.view(), recipe.format);
  mediagen::Variant row;
  row.output = output.id;
  row.recipe = recipe.name();
  row.version = kVariantVersion;
  row.blob_key = VariantKey(output.blob_key, recipe, kVariantVersion);
  row.media_type = MediaType(recipe.format);
  row.sha256 = picture.sha256;
  row.width = resized.width;
  row.height = resized.height;
  row.bytes = static_cast<int64_t>(encoded.size());
  RETURN_IF_ERROR(blobs_->Put(row.blob_key, encoded.view()));
  RETURN_IF_ERROR(store_->Commit([&row](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto still_there, transaction.records().FindOutput(row.output));
    if (!still_there) return transaction.records().AddTombstone(row.blob_key, 0);
    return transaction.records().PutVariant(row);
  }));
  return picture;
}

StatusOr<Picture> Media::Load(const Output& output, const Recipe& recipe) {
  std::optional<mediagen::Variant> row;
  RETURN_IF_ERROR(store_->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(row, snapshot.records().FindVariant(output.id, recipe.name()));
    return OkStatus();
  }));
  if (row && row->version == kVariantVersion) {
    auto stored = blobs_->Get(row->blob_key, kMaxVariantBytes);
    // A blob that is gone or is not what the row says is made again: it costs a decode, not a picture.
    if (stored.ok() && Hex(Sha256(stored->view())) == row->sha256)
      return NewPicture(stored->view(), recipe.format);
    if (stored.ok()) RETURN_IF_ERROR(blobs_->Remove(row->blob_key));
  }
  ASSIGN_OR_RETURN(BufferRef original, Original(output));
  ASSIGN_OR_RETURN(Pixels pixels, DecodeFor(original.view(), recipe.width, recipe.height));
  ASSIGN_OR_RETURN(Pixels resized, Resize(pixels, SizeOf(recipe)));
  return Make(output, recipe, resized);
}

std::optional<Picture> Media::CachedVariant(const Id& output, std::string_view original_sha256,
                                            const Recipe& recipe) {
  if (cache_ == nullptr) return std::nullopt;
  BufferRef entry = cache_->Get(CacheKey(output, original_sha256, recipe));
  if (!entry) return std::nullopt;
  return FromCached(std::move(entry), recipe.format);
}

void Media::Variant(const Output& output, const Recipe& recipe, PictureDone done) {
  auto load = [this, output, recipe](uint64_t token, const PictureDone& loaded) {
    bool posted = executor_->Post([this, output, recipe, token, loaded] {
      StatusOr<Picture> picture = Load(output, recipe);
      if (cache_ != nullptr && picture.ok()) {
        (void)cache_->Fill(
            token, picture->buffer,
            {.tags = {"output/" + output.id.text()}});  // stale: invalidated meanwhile, still right to answer
      } else if (cache_ != nullptr) {
        (void)cache_->Fail(token, picture.status());
      }
      loaded(std::move(picture));
    });
    if (!posted) loaded(Error(Code::kClosed, "The engine is closed."));
  };
  if (cache_ == nullptr) return load(0, done);
  Cache::Lookup lookup = cache_->GetOrLoad(CacheKey(output.id, output.sha256, recipe), kLoadTimeoutMs,
                                           [load, done, format = recipe.format](Cache::Outcome outcome) {
                                             if (outcome.load_token != 0)
                                               return load(outcome.load_token, done);
                                             if (!outcome.status.ok()) return done(outcome.status);
                                             done(FromCached(std::move(outcome.value), format));
                                           });
  if (lookup.kind == Cache::Lookup::kHit) return done(FromCached(std::move(lookup.value), recipe.format));
  if (lookup.kind == Cache::Lookup::kLoad) load(lookup.token, done);
}

Status Media::Derive(const Output& output, std::span<const Recipe> recipes) {
  std::vector<Recipe> missing;
  RETURN_IF_ERROR(store_->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(auto made, snapshot.records().VariantsOf(output.id));
    missing.clear();
    for (const Recipe& recipe : recipes) {
      bool there = std::any_of(made.begin(), made.end(), [&](const mediagen::Variant& variant) {
        return variant.recipe == recipe.name() && variant.version == kVariantVersion;
      });
      if (!there) missing.push_back(recipe);
    }
    return OkStatus();
  }));
  if (missing.empty() || output.kind != "image") return OkStatus();
  uint32_t width = 0, height = 0;
  for (const Recipe& recipe : missing) {
    width = std::max(width, recipe.width);
    height = std::max(height, recipe.height);
  }
  ASSIGN_OR_RETURN(BufferRef original, Original(output));
  ASSIGN_OR_RETURN(Pixels pixels, DecodeFor(original.view(), width, height));
  std::vector<ResizeOptions> sizes;
  std::transform(missing.begin(), missing.end(), std::back_inserter(sizes), SizeOf);
  ASSIGN_OR_RETURN(const std::vector<Pixels> resized, ResizeAll(pixels, sizes));
  pixels = Pixels();
  for (size_t i = 0; i < missing.size(); ++i) {
    const Recipe& recipe = missing[i];
    ASSIGN_OR_RETURN(Picture picture, Make(output, recipe, resized[i]));
    if (cache_ != nullptr) {
      cache_->Put(CacheKey(output.id, output.sha256, recipe), picture.buffer,
                  {.tags = {"output/" + output.id.text()}});
    }
  }
  return OkStatus();
}

}  // namespace mediagen
