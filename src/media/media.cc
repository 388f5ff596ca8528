#include "media/media.h"

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"
#include "media/picture_entry.h"

namespace mediagen {
namespace {

constexpr int64_t kLoadTimeoutMs = 30'000;
constexpr int64_t kCardTimeoutMs = 5'000;
constexpr size_t kMostReason = 300;

std::string CardKey(const Id& output) { return "card/" + output.text(); }
std::string BrokenKey(const Output& output) {
  return fmt::format("broken/{}/{}", output.id.text(), OriginalVersion(output.sha256));
}

}  // namespace

std::string VariantCacheKey(const Output& output, const Recipe& recipe, int effort) {
  return fmt::format("variant/{}/{}", output.id.text(), VariantVersion(output.sha256, recipe, effort));
}

std::vector<std::string> OutputTags(const Id& output) { return {"output/" + output.text()}; }

Picture PictureOfEntry(BufferRef entry, Format format, int effort) {
  Picture picture;
  picture.sha256 = Hex(entry.view().substr(0, kShaBytes));
  picture.offset = kShaBytes;
  picture.length = entry.size() - kShaBytes;
  picture.format = format;
  picture.effort = effort;
  picture.buffer = std::move(entry);
  return picture;
}

Picture NewPicture(std::string_view bytes, Format format, int effort) {
  Sha256Digest digest = Sha256(bytes);
  std::string entry(reinterpret_cast<const char*>(digest.data()), digest.size());
  entry.append(bytes);
  return PictureOfEntry(BufferRef::Own(std::move(entry)), format, effort);
}

bool IsPicturesFault(Code code) {
  return code == Code::kInvalid || code == Code::kUnsupported || code == Code::kTooLarge ||
         code == Code::kCorrupt;
}

std::string OriginalKey(std::string_view kind, std::string_view user, const Id& generation, int part,
                        int attempt_try, int index, Format format) {
  return fmt::format("generated-{}s/{}/{}/{}.{}.{}.{}", kind, BlobSegment(user), generation.text(), part,
                     attempt_try, index, Extension(format));
}

std::string UploadKey(std::string_view user, const Id& output, Format format, int upload_try) {
  return fmt::format("uploads/{}/{}/0.{}.0.{}", BlobSegment(user), output.text(), upload_try,
                     Extension(format));
}

std::string VariantKey(std::string_view original_key, const Recipe& recipe, int version, int effort) {
  std::string_view stem = original_key.substr(0, original_key.rfind('.'));
  return fmt::format("{}@{}.{}{}.{}", stem, recipe.name(), version,
                     effort > 0 ? fmt::format("m{}", effort) : "", Extension(recipe.format));
}

Media::Media(Store* store, BlobStore* blobs, Cache* cache, Executor* executor, Metrics* metrics,
             const MediaOptions& options)
    : store_(store), blobs_(blobs), cache_(cache), executor_(executor), options_(options) {
  renders_ = metrics->AddCounter("mediagen_variant_renders_total", "Variants that were decoded and encoded.");
  refusals_ = metrics->AddCounter("mediagen_decode_refusals_total",
                                  "Pictures not decoded because the decode budget was taken.");
}

std::optional<Card> Media::RememberedCard(const Id& output) {
  if (cache_ == nullptr) return std::nullopt;
  BufferRef known = cache_->Get(CardKey(output));
  if (!known) return std::nullopt;
  return Card::Read(std::move(known));
}

StatusOr<Card> Media::FindCard(const Id& output) {
  // What is invalidated while it is being read must not be kept: the cache's loads see to that.
  Cache::Lookup lookup;
  lookup.kind = Cache::Lookup::kWait;
  LoadOptions local(kCardTimeoutMs);  // the database is as near as a second level would be
  local.local = true;
  if (cache_ != nullptr) lookup = cache_->GetOrLoad(CardKey(output), local, [](Cache::Outcome) {});
  if (lookup.kind == Cache::Lookup::kHit) return Card::Read(std::move(lookup.value));
  // Somebody else is reading it: this thread reads, too, rather than wait.
  if (lookup.kind == Cache::Lookup::kWait && lookup.token != 0) cache_->Forget(lookup.token);
  std::optional<Card> card;
  Status read = store_->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(auto row, snapshot.records().FindOutput(output));
    if (!row) {
      return Error(Code::kNotFound, fmt::format("There is no output {}.", output.text()),
                   {.object = output.text()});
    }
    ASSIGN_OR_RETURN(auto variants, snapshot.records().VariantsOf(output));
    card = Card::Of(*row, variants);
    return OkStatus();
  });
  if (lookup.kind == Cache::Lookup::kLoad) {
    if (card)
      (void)cache_->Fill(lookup.token, card->buffer(), {.local = true, .tags = OutputTags(output)});
    else
      (void)cache_->Fail(lookup.token, read);
  }
  if (!card) return read;
  return *card;
}

void Media::ForgetCard(const Id& output) {
  if (cache_ != nullptr) cache_->Remove(CardKey(output));
}

void Media::Forget(const Id& output) {
  if (cache_ == nullptr) return;
  for (const std::string& tag : OutputTags(output)) cache_->Invalidate(tag);
}

void Media::ForgetAll() {
  if (cache_ != nullptr) cache_->Clear();
}

std::optional<Picture> Media::RememberedVariant(const Card& card, const Recipe& recipe) {
  if (cache_ == nullptr) return std::nullopt;
  const int effort = card.Effort(recipe);
  BufferRef entry = cache_->Get(VariantCacheKey(card.output(), recipe, effort));
  if (!entry) return std::nullopt;
  Picture picture = PictureOfEntry(std::move(entry), recipe.format, effort);
  picture.remembered = true;
  return picture;
}

// What a broken picture's next visitors are told, without another decode.
Status Media::KnownBroken(const Output& output) {
  if (cache_ == nullptr) return OkStatus();
  BufferRef known = cache_->Get(BrokenKey(output));
  if (!known) return OkStatus();
  return Error(static_cast<Code>(known.view().front()), std::string(known.view().substr(1)),
               {.object = output.id.text()});
}

void Media::NoteBroken(const Output& output, const Status& status) {
  const ErrorInfo info = InfoOf(status);
  if (cache_ == nullptr || !IsPicturesFault(info.code)) return;
  std::string note(1, static_cast<char>(info.code));
  note += Shorten(info.message, kMostReason);
  cache_->Put(BrokenKey(output), BufferRef::Own(std::move(note)),
              {.ttl_ms = kBrokenMs, .local = true, .tags = OutputTags(output.id)});
}

void Media::LoadFor(const Output& output, const Recipe& recipe, uint64_t token, const MayRender& may_render,
                    const PictureDone& done) {
  bool posted = executor_->Post([this, output, recipe, token, may_render, done] {
    StatusOr<Picture> picture = Load(output, recipe, may_render);
    if (!picture.ok()) NoteBroken(output, picture.status());
    if (cache_ != nullptr && picture.ok()) {
      // Stale when it was invalidated meanwhile: still right to answer.
      (void)cache_->Fill(token, picture->buffer, {.tags = OutputTags(output.id)});
    } else if (cache_ != nullptr) {
      (void)cache_->Fail(token, picture.status());
    }
    done(std::move(picture));
  });
  if (posted) return;
  const Status closed = Error(Code::kClosed, "The engine is closed.");
  if (cache_ != nullptr) (void)cache_->Fail(token, closed);
  done(closed);
}

void Media::Variant(const Card& card, const Recipe& recipe, MayRender may_render, PictureDone done) {
  const Output& output = card.output();
  if (Status broken = KnownBroken(output); !broken.ok()) return done(broken);
  if (cache_ == nullptr) return LoadFor(output, recipe, 0, may_render, done);
  const int effort = card.Effort(recipe);
  Cache::Lookup lookup =
      cache_->GetOrLoad(VariantCacheKey(output, recipe, effort), kLoadTimeoutMs,
                        [this, output, recipe, effort, may_render, done](Cache::Outcome outcome) {
                          if (outcome.load_token != 0)
                            return LoadFor(output, recipe, outcome.load_token, may_render, done);
                          if (!outcome.status.ok()) return done(outcome.status);
                          done(PictureOfEntry(std::move(outcome.value), recipe.format, effort));
                        });
  if (lookup.kind == Cache::Lookup::kHit) {
    Picture picture = PictureOfEntry(std::move(lookup.value), recipe.format, effort);
    picture.remembered = true;
    return done(std::move(picture));
  }
  if (lookup.kind == Cache::Lookup::kLoad) LoadFor(output, recipe, lookup.token, may_render, done);
}

}  // namespace mediagen
