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
  StatusOr<Picture> Variant(const Recipe& recipe) {
    std::optional<StatusOr<Picture>> got;
    media->Variant(output, recipe, [&](StatusOr<Picture> picture) { got = std::move(picture); });
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
  CHECK(f.media->CachedVariant(f.output.id, f.output.sha256, recipe).has_value());
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
  const std::string key = VariantKey(f.output.blob_key, recipe, kCodecVersion);
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
  REQUIRE(f.media->Derive(f.output, EagerRecipes()).ok());
  std::vector<mediagen::Variant> rows;
  auto read = [&] {
    REQUIRE(f.store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(rows, snapshot.records().VariantsOf(f.output.id));
                  return OkStatus();
                })
                .ok());
  };
  read();
  CHECK(rows.size() == EagerRecipes().size());
  REQUIRE(f.blobs->Remove(f.output.blob_key).ok());
  CHECK(f.media->Derive(f.output, EagerRecipes()).ok());  // nothing is missing, so nothing is read
}
