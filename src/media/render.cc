// How variants are made: one decode, one pyramid, encodes side by side.
#include <algorithm>
#include <iterator>

#include "base/base64.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "fmt/format.h"
#include "media/picture_entry.h"

namespace mediagen {
namespace {

constexpr uint64_t kMaxVariantBytes = 64u << 20;
// Beside the pixels a decoder holds about as much again while it works: a PNG's inflated rows, a WebP's own
// copy, the coefficients of a progressive JPEG.
constexpr int64_t kDecodingBytesPerPixel = 8;

ResizeOptions SizeOf(const Recipe& recipe) {
  return {.width = recipe.width, .height = recipe.height, .fit = recipe.fit};
}

bool IsFullSize(const Recipe& recipe) { return recipe.width == 0 && recipe.height == 0; }

bool IsEager(std::string_view recipe) {
  return std::any_of(EagerRecipes().begin(), EagerRecipes().end(),
                     [&](const Recipe& eager) { return eager.name() == recipe; });
}

// Whether one more variant may be stored beside `stored`: a place is kept for each eager one that is missing.
bool HasPlace(std::span<const Variant> stored, std::string_view recipe) {
  size_t others = 0;
  for (const Variant& variant : stored) {
    if (variant.recipe == recipe) return true;  // it replaces itself
    others += IsEager(variant.recipe) ? 0 : 1;
  }
  return IsEager(recipe) || others + EagerRecipes().size() < kMostVariants;
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
  ASSIGN_OR_RETURN(Pixels pixels, DecodeFor(bytes, 100, 100, true));
  ASSIGN_OR_RETURN(std::string hash, ThumbHash(pixels));
  found.thumb_hash = Base64Encode(hash);
  return found;
}

StatusOr<Pixels> Media::DecodeFor(std::string_view original, uint32_t width, uint32_t height, bool to_srgb) {
  ASSIGN_OR_RETURN(ImageInfo info, Probe(original, options_.limits));
  const int64_t decoded = int64_t{info.width} * info.height * kDecodingBytesPerPixel;
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
  options.to_srgb = to_srgb;
  return Decode(original, options);
}

StatusOr<BufferRef> Media::Original(const Output& output) {
  auto bytes = blobs_->Get(output.blob_key, options_.limits.max_bytes);
  if (bytes.ok() || CodeOf(bytes.status()) != Code::kNotFound) return bytes;
  return Error(Code::kCorrupt,
               fmt::format("The file of output {} is missing from the blob store.", output.id.text()),
               {.hint = "Restore it from a backup of the blobs.", .object = output.id.text()});
}

StatusOr<std::vector<mediagen::Variant>> Media::StoredVariants(const Id& output) {
  std::vector<mediagen::Variant> stored;
  RETURN_IF_ERROR(store_->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(stored, snapshot.records().VariantsOf(output));
    return OkStatus();
  }));
  return stored;
}

// The blob, then the row that names it. What the row named before is left to the sweeper.
Status Media::Keep(const Output& output, const mediagen::Variant& row, std::string_view bytes) {
  ASSIGN_OR_RETURN(auto stored, StoredVariants(output.id));
  if (!HasPlace(stored, row.recipe)) return OkStatus();
  RETURN_IF_ERROR(blobs_->Put(row.blob_key, bytes));
  RETURN_IF_ERROR(store_->Commit([&row](Transaction& transaction) -> Status {
    Records& records = transaction.records();
    ASSIGN_OR_RETURN(auto still_there, records.FindOutput(row.output));
    ASSIGN_OR_RETURN(auto now, records.VariantsOf(row.output));
    if (!still_there || !HasPlace(now, row.recipe)) return records.AddTombstone(row.blob_key, 0);
    for (const mediagen::Variant& before : now) {
      if (before.recipe != row.recipe || before.blob_key == row.blob_key) continue;
      // Another process may have made it with more effort meanwhile: that one stays.
      if (before.version == row.version && before.effort > row.effort)
        return records.AddTombstone(row.blob_key, 0);
      RETURN_IF_ERROR(records.AddTombstone(before.blob_key, 0));
    }
    RETURN_IF_ERROR(records.RemoveTombstone(row.blob_key));
    return records.PutVariant(row);
  }));
  ForgetCard(output.id);
  return OkStatus();
}

StatusOr<Picture> Media::Make(const Output& output, const Work& work, const Pixels& resized,
                              std::string_view icc) {
  EncodeOptions encode;
  encode.format = work.recipe.format;
  if (work.recipe.quality > 0) encode.quality = work.recipe.quality;
  if (work.effort > 0) encode.method = work.effort;
  encode.icc = icc;
  ASSIGN_OR_RETURN(BufferRef encoded, Encode(resized, encode));
  renders_.Add();
  Picture picture = NewPicture(encoded.view(), work.recipe.format, work.effort);
  mediagen::Variant row;
  row.output = output.id;
  row.recipe = work.recipe.name();
  row.version = kCodecVersion;
  row.blob_key = VariantKey(output.blob_key, work.recipe, kCodecVersion, work.effort);
  row.media_type = MediaType(work.recipe.format);
  row.sha256 = picture.sha256;
  row.width = resized.width;
  row.height = resized.height;
  row.bytes = static_cast<int64_t>(encoded.size());
  row.effort = work.effort;
  RETURN_IF_ERROR(Keep(output, row, encoded.view()));
  return picture;
}

StatusOr<Picture> Media::Render(const Output& output, const Work& work) {
  const Recipe& recipe = work.recipe;
  ASSIGN_OR_RETURN(BufferRef original, Original(output));
  // At full size colours that sRGB does not have are kept, with the profile that says what they are.
  const std::string icc = IsFullSize(recipe) ? WideGamutProfile(original.view()) : "";
  ASSIGN_OR_RETURN(Pixels pixels, DecodeFor(original.view(), recipe.width, recipe.height, icc.empty()));
  original = BufferRef();
  if (!IsFullSize(recipe)) {
    ASSIGN_OR_RETURN(pixels, Resize(pixels, SizeOf(recipe)));
  }
  return Make(output, work, pixels, icc);
}

StatusOr<Picture> Media::Load(const Output& output, const Recipe& recipe, const MayRender& may_render) {
  std::optional<mediagen::Variant> row;
  RETURN_IF_ERROR(store_->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(row, snapshot.records().FindVariant(output.id, recipe.name()));
    return OkStatus();
  }));
  if (row && row->version == kCodecVersion) {
    auto stored = blobs_->Get(row->blob_key, kMaxVariantBytes);
    // A blob that is gone or is not what the row says is made again: it costs a decode, not a picture.
    if (stored.ok() && Hex(Sha256(stored->view())) == row->sha256)
      return NewPicture(stored->view(), recipe.format, row->effort);
    if (stored.ok()) RETURN_IF_ERROR(blobs_->Remove(row->blob_key));
  }
  if (may_render) RETURN_IF_ERROR(may_render(uint64_t{output.width} * output.height));
  return Render(output, {recipe, FirstEffort(recipe)});
}

Status Media::MakeAll(const Output& output, std::span<const Work> works) {
  uint32_t width = 0, height = 0;
  std::vector<ResizeOptions> sizes;
  std::vector<size_t> size_of;  // of each work, in `sizes`: the JPEG and the WebP of a size share its pixels
  for (const Work& work : works) {
    width = std::max(width, work.recipe.width);
    height = std::max(height, work.recipe.height);
    auto same = std::find_if(works.begin(), works.end(), [&](const Work& other) {
      return other.recipe.width == work.recipe.width && other.recipe.height == work.recipe.height &&
             other.recipe.fit == work.recipe.fit;
    });
    const size_t first = static_cast<size_t>(same - works.begin());
    size_of.push_back(first < size_of.size() ? size_of[first] : sizes.size());
    if (size_of.back() == sizes.size()) sizes.push_back(SizeOf(work.recipe));
  }
  ASSIGN_OR_RETURN(BufferRef original, Original(output));
  ASSIGN_OR_RETURN(Pixels pixels, DecodeFor(original.view(), width, height, true));
  ASSIGN_OR_RETURN(const std::vector<Pixels> resized, ResizeAll(pixels, sizes));
  pixels = Pixels();
  original = BufferRef();
  std::vector<Status> ended(works.size(), OkStatus());
  ParallelFor(executor_, works.size(), [&](size_t i) {
    StatusOr<Picture> picture = Make(output, works[i], resized[size_of[i]], "");
    ended[i] = picture.status();
    if (!picture.ok() || cache_ == nullptr) return;
    cache_->Put(VariantCacheKey(output, works[i].recipe, works[i].effort), picture->buffer,
                {.tags = OutputTags(output.id)});
  });
  for (const Status& status : ended) RETURN_IF_ERROR(status);
  return OkStatus();
}

StatusOr<bool> Media::Derive(const Output& output, std::span<const Recipe> recipes) {
  if (output.kind != "image") return false;
  ASSIGN_OR_RETURN(auto stored, StoredVariants(output.id));
  std::vector<Work> missing;
  bool drafts = false;
  for (const Recipe& recipe : recipes) {
    auto there = std::find_if(stored.begin(), stored.end(), [&](const mediagen::Variant& variant) {
      return variant.recipe == recipe.name() && variant.version == kCodecVersion;
    });
    const int effort = there == stored.end() ? FirstEffort(recipe) : there->effort;
    drafts = drafts || effort < FinalEffort(recipe);
    if (there == stored.end()) missing.push_back({recipe, effort});
  }
  if (!missing.empty()) RETURN_IF_ERROR(MakeAll(output, missing));
  return drafts;
}

Status Media::Refine(const Output& output) {
  if (output.kind != "image") return OkStatus();
  ASSIGN_OR_RETURN(auto stored, StoredVariants(output.id));
  std::vector<Work> drafts, full_size;
  for (const mediagen::Variant& variant : stored) {
    auto recipe = Recipe::Parse(variant.recipe);
    if (!recipe.ok() || variant.version != kCodecVersion || variant.effort >= FinalEffort(*recipe)) continue;
    (IsFullSize(*recipe) ? full_size : drafts).push_back({*recipe, FinalEffort(*recipe)});
  }
  if (!drafts.empty()) RETURN_IF_ERROR(MakeAll(output, drafts));
  for (const Work& work : full_size) RETURN_IF_ERROR(Render(output, work).status());
  return OkStatus();
}

}  // namespace mediagen
