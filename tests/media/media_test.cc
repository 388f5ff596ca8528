#include "media/media.h"

#include <doctest/doctest.h>

#include "blob/fs/fs.h"
#include "cache/memory/memory.h"
#include "store/sqlite/open.h"
#include "support/temp_dir.h"

using namespace mediagen;
using mediagen::testing::TempDir;

namespace {

struct Fixture {
  TempDir dir;
  FakeClock clock;
  Metrics metrics;
  LogSink log{&clock};
  IdSource ids{&clock, SystemRandom()};
  std::unique_ptr<Executor> executor = NewManualExecutor(&clock);
  std::unique_ptr<Store> store;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<Cache> cache = NewMemoryCache(&clock, {});
  std::unique_ptr<Media> media;
  Output output;
  MayRender may_render;

  explicit Fixture(uint64_t budget = 512u << 20) {
    SqliteOptions options;
    options.dir = dir.path();
    options.threaded = false;
    store = *OpenSqliteStore(&clock, SystemFiles(), &metrics, &log, options);
    blobs = *OpenFileBlobs(SystemFiles(), dir.path() + "/blobs");
    media = std::make_unique<Media>(store.get(), blobs.get(), cache.get(), executor.get(), &metrics,
                                    MediaOptions{.limits = {}, .decode_budget_bytes = budget});
    output.id = ids.Next();
    output.user = "u1";
    output.blob_key = "generated-images/u1/x/0.1.0.png";
  }
  ~Fixture() { store->Stop(); }

  static BufferRef Png(uint32_t width, uint32_t height) {
    Pixels pixels = *NewPixels(width, height, 3);
    for (size_t i = 0; i < pixels.bytes(); ++i) pixels.data[i] = static_cast<uint8_t>(i * 7);
    return *Encode(pixels, {.format = Format::kPng});
  }
  void StoreOutput(std::string_view bytes) {
    REQUIRE(blobs->Put(output.blob_key, bytes).ok());
    auto inspected = media->Inspect(bytes);
    REQUIRE(inspected.ok());
    output.sha256 = inspected->sha256;
    REQUIRE(store->Commit([&](Transaction& transaction) { return transaction.records().PutOutput(output); })
                .ok());
  }
  std::vector<mediagen::Variant> Rows() {
    std::vector<mediagen::Variant> rows;
    REQUIRE(store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(rows, snapshot.records().VariantsOf(output.id));
                  return OkStatus();
                })
                .ok());
    return rows;
  }
  StatusOr<Picture> Variant(const Recipe& recipe) {
    std::optional<StatusOr<Picture>> got;
    auto card = media->FindCard(output.id);
    REQUIRE(card.ok());
    media->Variant(*card, recipe, may_render, [&](StatusOr<Picture> picture) { got = std::move(picture); });
    while (!got && executor->RunOne()) {
    }
    REQUIRE(got.has_value());
    return *got;
  }
};

}  // namespace

TEST_CASE("inspecting a picture tells its size, hash and ThumbHash; broken bytes are refused") {
  Fixture f;
  BufferRef png = Fixture::Png(40, 30);
  auto found = f.media->Inspect(png.view());
  REQUIRE(found.ok());
  CHECK(found->width == 40);
  CHECK(found->height == 30);
  CHECK(found->sha256.size() == 64);
  CHECK(found->thumb_hash.size() >= 8);
  CHECK_FALSE(f.media->Inspect("not a picture").ok());
  CHECK_FALSE(f.media->Inspect(png.view().substr(0, png.size() / 2)).ok());
}

TEST_CASE("a variant is made once, then comes from memory, then from its blob") {
  Fixture f;
  f.StoreOutput(Fixture::Png(400, 300).view());
  const Recipe recipe = *Recipe::Parse("w150,h150,cover,jpeg,q85");
  auto made = f.Variant(recipe);
  REQUIRE(made.ok());
  auto info = Probe(made->buffer.view().substr(made->offset));
  REQUIRE(info.ok());
  CHECK(info->width == 150);
  CHECK(info->height == 150);
  CHECK(f.media->RememberedVariant(*f.media->FindCard(f.output.id), recipe).has_value());
  f.cache->Clear();
  REQUIRE(f.blobs->Remove(f.output.blob_key).ok());  // the original is not needed for it any more
  auto again = f.Variant(recipe);
  REQUIRE(again.ok());
  CHECK(again->sha256 == made->sha256);
}

TEST_CASE("a variant whose blob was damaged is made again") {
  Fixture f;
  f.StoreOutput(Fixture::Png(200, 200).view());
  const Recipe recipe = *Recipe::Parse("w64,h64,inside,webp,q70");
  auto made = f.Variant(recipe);
  REQUIRE(made.ok());
  f.cache->Clear();
  const std::string key = VariantKey(f.output.blob_key, recipe, kCodecVersion, 6);
  REQUIRE(f.blobs->Remove(key).ok());
  REQUIRE(f.blobs->Put(key, "damaged").ok());
  auto again = f.Variant(recipe);
  REQUIRE(again.ok());
  CHECK(again->sha256 == made->sha256);
}

TEST_CASE("a picture whose original is missing is corrupt, and says which") {
  Fixture f;
  f.StoreOutput(Fixture::Png(20, 20).view());
  REQUIRE(f.blobs->Remove(f.output.blob_key).ok());
  auto refused = f.Variant(PreviewRecipe());
  CHECK(CodeOf(refused.status()) == Code::kCorrupt);
  CHECK(InfoOf(refused.status()).object == f.output.id.text());
}

TEST_CASE("deriving makes every missing variant from one decode, once") {
  Fixture f;
  f.StoreOutput(Fixture::Png(700, 700).view());
  CHECK(*f.media->Derive(f.output, EagerRecipes()));  // WebPs want refining
  CHECK(f.Rows().size() == EagerRecipes().size());
  REQUIRE(f.blobs->Remove(f.output.blob_key).ok());
  CHECK(f.media->Derive(f.output, EagerRecipes()).ok());  // nothing is missing, so nothing is read
}

TEST_CASE("a WebP is made fast first, then better: other bytes, another version, one blob") {
  Fixture f;
  f.StoreOutput(Fixture::Png(320, 240).view());
  const Recipe recipe = *Recipe::Parse("w300,h300,cover,webp,q85");
  auto draft = f.Variant(recipe);
  REQUIRE(draft.ok());
  CHECK(draft->effort == 4);
  CHECK(f.media->FindCard(f.output.id)->HasDrafts());
  const std::string before = f.Rows().at(0).blob_key;

  REQUIRE(f.media->Refine(f.output).ok());
  auto refined = f.Variant(recipe);
  REQUIRE(refined.ok());
  CHECK(refined->remembered);  // who comes next need not wait for it
  CHECK(refined->effort == 6);
  CHECK(refined->sha256 != draft->sha256);
  CHECK_FALSE(f.media->FindCard(f.output.id)->HasDrafts());
  REQUIRE(f.Rows().size() == 1);
  CHECK(f.Rows()[0].effort == 6);
  CHECK(f.Rows()[0].sha256 == refined->sha256);
  CHECK(f.Rows()[0].blob_key != before);
  REQUIRE(f.store
              ->Read([&](const Snapshot& snapshot) -> Status {
                ASSIGN_OR_RETURN(auto tombstones, snapshot.records().Tombstones(10));
                CHECK(tombstones == std::vector{before});
                return OkStatus();
              })
              .ok());
  f.cache->Clear();
  CHECK(f.Variant(recipe)->sha256 == refined->sha256);  // the blob, too
  REQUIRE(f.blobs->Remove(f.output.blob_key).ok());
  CHECK(f.media->Refine(f.output).ok());  // nothing is left to do, so nothing is read
}

TEST_CASE("an output stores sixteen variants at most, and those of every picture always find a place") {
  Fixture f;
  f.StoreOutput(Fixture::Png(64, 64).view());
  for (uint32_t width = 1; width <= 20; ++width) {
    auto made = f.Variant({width, 0, Fit::kInside, Format::kJpeg, 85});
    REQUIRE(made.ok());  // who asked gets it in any case
    CHECK(made->length > 0);
  }
  CHECK(f.Rows().size() == kMostVariants - EagerRecipes().size());
  REQUIRE(f.media->Derive(f.output, EagerRecipes()).ok());
  CHECK(f.Rows().size() == kMostVariants);
  size_t blobs = 0;
  const auto listed = f.blobs->List("generated-images/", "", 100);
  for (const BlobInfo& blob : *listed) blobs += blob.size > 0 ? 1 : 0;
  CHECK(blobs == kMostVariants + 1);
  // A stored one is made again in its own place.
  REQUIRE(f.blobs->Remove(f.Rows()[0].blob_key).ok());
  f.cache->Clear();
  REQUIRE(f.Variant(*Recipe::Parse(f.Rows()[0].recipe)).ok());
  CHECK(f.blobs->Stat(f.Rows()[0].blob_key).ok());
}

TEST_CASE("a picture that cannot be decoded is not tried again at once") {
  Fixture f;
  f.StoreOutput(Fixture::Png(64, 64).view());
  REQUIRE(f.blobs->Remove(f.output.blob_key).ok());
  const BufferRef whole = Fixture::Png(64, 64);
  REQUIRE(f.blobs->Put(f.output.blob_key, whole.view().substr(0, whole.size() / 2)).ok());
  int asked = 0;
  f.may_render = [&](uint64_t pixels) {
    CHECK(pixels == uint64_t{f.output.width} * f.output.height);
    ++asked;
    return OkStatus();
  };
  const Recipe recipe = *Recipe::Parse("w32,h32,cover,jpeg,q85");
  const Status first = f.Variant(recipe).status(), second = f.Variant(recipe).status();
  CHECK(CodeOf(first) == Code::kInvalid);
  CHECK(CodeOf(second) == Code::kInvalid);
  CHECK(InfoOf(first).message == InfoOf(second).message);
  CHECK(asked == 1);
  f.clock.Advance(Media::kBrokenMs + 1);
  CHECK_FALSE(f.Variant(recipe).ok());
  CHECK(asked == 2);
}

TEST_CASE("a render that is refused decodes nothing, and the next one may") {
  Fixture f;
  f.StoreOutput(Fixture::Png(64, 64).view());
  const Recipe recipe = *Recipe::Parse("w32,h32,cover,jpeg,q85");
  f.may_render = [](uint64_t) { return Error(Code::kRateLimited, "not now"); };
  CHECK(CodeOf(f.Variant(recipe).status()) == Code::kRateLimited);
  CHECK(f.Rows().empty());
  f.may_render = nullptr;
  CHECK(f.Variant(recipe).ok());
  // What is there needs no leave.
  f.may_render = [](uint64_t) { return Error(Code::kRateLimited, "not now"); };
  CHECK(f.Variant(recipe).ok());
  f.cache->Clear();
  CHECK(f.Variant(recipe).ok());
}

TEST_CASE("what is known of an output is forgotten when its row changes") {
  Fixture f;
  f.StoreOutput(Fixture::Png(64, 64).view());
  REQUIRE(f.Variant(PreviewRecipe()).ok());
  REQUIRE(f.media->FindCard(f.output.id).ok());
  REQUIRE(f.media->RememberedCard(f.output.id).has_value());
  f.output.visibility = "public";
  REQUIRE(f.store->Commit([&](Transaction& t) { return t.records().PutOutput(f.output); }).ok());
  f.media->Forget(f.output.id);
  CHECK_FALSE(f.media->RememberedCard(f.output.id).has_value());
  auto card = f.media->FindCard(f.output.id);
  REQUIRE(card.ok());
  CHECK(card->output().visibility == "public");
  CHECK(card->output().blob_key == f.output.blob_key);
  CHECK(card->StoredEffort(PreviewRecipe()) == 6);
  CHECK_FALSE(f.media->RememberedVariant(*card, PreviewRecipe()).has_value());
  CHECK(CodeOf(f.media->FindCard(f.ids.Next()).status()) == Code::kNotFound);
}
