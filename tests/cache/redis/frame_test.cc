// How a value lies in Redis: what comes back, what is compressed, and that nothing which is not one is taken.
#include "cache/redis/frame.h"

#include <doctest/doctest.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/id.h"

namespace mediagen::tiered {
namespace {

constexpr uint64_t kMost = 1 << 20;

std::string Number(uint64_t number, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text.push_back(static_cast<char>(number >> shift));
  return text;
}
// As frame.h has it, with the checksum that belongs to it.
std::string Sealed(std::string_view key, std::string frame) {
  return frame + Number(Xxh3(frame, Xxh3(key)), 8);
}
std::string Made(int flags, uint64_t size, std::string_view bytes) {
  const std::string head =
      Number(0, 2) + Number(static_cast<uint64_t>(flags), 1) + Number(0x3FF0000000000000, 8);
  return Sealed("k", head + Number(60'000, 8) + Number(0, 8) + Number(size, 8) + std::string(bytes));
}
std::string Noise(size_t size) {
  const auto random = SeededRandom(5);
  std::string noise(size, '\0');
  for (char& byte : noise) byte = static_cast<char>(random->Below(256));
  return noise;
}
std::string Compressed(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1));
  return out;
}

TEST_CASE("a value comes back with all that it was stored with") {
  Kept kept{BufferRef::Copy("meow"),
            {.ttl_ms = 60'000, .soft_ttl_ms = 20'000, .versioned = true, .cost = 2.5}};
  kept.options.tags = {"red", "", std::string("a\0b", 3), std::string(65'535, 't')};
  const std::string frame = *EncodeFrame("k", kept);
  auto back = DecodeFrame("k", frame, 50'000, kMost);
  REQUIRE(back.ok());
  CHECK(back->value.view() == "meow");
  CHECK(back->options.tags == kept.options.tags);
  CHECK(back->options.cost == 2.5);
  CHECK(back->options.versioned);
  CHECK(!back->options.negative);
  CHECK(back->options.ttl_ms == 50'000);
  CHECK(back->options.soft_ttl_ms == 10'000);
  CHECK(DecodeFrame("k", frame, 30'000, kMost)->options.soft_ttl_ms == 1);  // stale already
  CHECK(DecodeFrame("k", frame, 90'000, kMost)->options.ttl_ms == 60'000);  // never more than it was given
  CHECK(CodeOf(DecodeFrame("k", frame, 0, kMost).status()) == Code::kCorrupt);
  CHECK(CodeOf(DecodeFrame("another key", frame, 50'000, kMost).status()) == Code::kCorrupt);
}

TEST_CASE("a negative entry has a value or none, and tags that do not fit are not stored") {
  const EntryOptions negative{.ttl_ms = 1000, .negative = true};
  CHECK(!DecodeFrame("k", *EncodeFrame("k", {nullptr, negative}), 1000, kMost)->value);
  CHECK(DecodeFrame("k", *EncodeFrame("k", {BufferRef::Copy(""), negative}), 1000, kMost)->value);
  CHECK(!EncodeFrame("k", {BufferRef::Copy("v"), {.tags = {std::string(65'536, 't')}}}));
  CHECK(!EncodeFrame("k", {BufferRef::Copy("v"), {.tags = std::vector<std::string>(65'536)}}));
}

TEST_CASE("what shrinks by a tenth is compressed, what does not is not") {
  const auto stored = [](const std::string& value) {
    const std::string frame = *EncodeFrame("k", {BufferRef::Copy(value), {.ttl_ms = 1000}});
    CHECK(DecodeFrame("k", frame, 1000, kMost)->value.view() == value);
    return frame.size();
  };
  CHECK(stored(std::string(1000, 'x')) > 1000);
  CHECK(stored(std::string(100'000, 'x')) < 200);
  CHECK(stored(Noise(100'000)) > 100'000);
  CHECK(stored(Noise(5'000) + std::string(300, 'x')) > 5'300);
  CHECK(stored(Noise(3'000) + std::string(2'000, 'x')) < 4'000);
}

TEST_CASE("bytes that are no frame are corrupt, wherever they end and whatever they claim") {
  const std::string text(5'000, 'x'), packed = Compressed(text);
  CHECK(DecodeFrame("k", Made(1, 5'000, packed), 1000, kMost)->value.view() == text);
  const auto code = [](const std::string& frame) {
    return CodeOf(DecodeFrame("k", frame, 1000, kMost).status());
  };
  CHECK(code(Made(1, 4'999, packed)) == Code::kCorrupt);
  CHECK(code(Made(1, 5'001, packed)) == Code::kCorrupt);
  CHECK(code(Made(1, uint64_t{1} << 60, packed)) == Code::kTooLarge);  // before anything is allocated
  CHECK(code(Made(1, kMost, packed.substr(0, packed.size() / 2))) == Code::kCorrupt);
  CHECK(code(Made(1, 5'000, packed.substr(0, packed.size() - 1))) == Code::kCorrupt);
  CHECK(code(Made(0, 5'000, packed)) == Code::kCorrupt);
  CHECK(code(Made(8, 0, "")) == Code::kCorrupt);    // no value, and not negative
  CHECK(code(Made(16, 1, "x")) == Code::kCorrupt);  // a flag of another version
  const std::string good =
      *EncodeFrame("k", {BufferRef::Copy("meow"), {.ttl_ms = 1000, .tags = {"red", "blue"}}});
  for (size_t size = 0; size + 8 < good.size(); ++size) {
    CHECK(code(good.substr(0, size)) == Code::kCorrupt);
    CHECK(code(Sealed("k", good.substr(0, size))) == Code::kCorrupt);
  }
  CHECK(code(Sealed("k", Number(65'535, 2))) == Code::kCorrupt);
  const std::string costless = Number(0, 2) + Number(0, 1) + Number(0x7FF8000000000000, 8) + Number(1, 8);
  CHECK(code(Sealed("k", costless + Number(0, 8) + Number(0, 8))) == Code::kCorrupt);
}

}  // namespace
}  // namespace mediagen::tiered
