// Bytes that mean harm: sizes that lie, pictures that stop, bits that flip.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/id.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// A WebP lossless header for width × height, without the picture.
std::string LosslessHeader(uint32_t width, uint32_t height) {
  return WebpOf(RiffChunk("VP8L", "\x2F" + Le32((width - 1) | (height - 1) << 14) + std::string(40, '\x55')));
}

std::string JpegHeader(uint16_t width, uint16_t height) {
  const std::string jpeg = Encoded(Gradient(8, 8, 3), Format::kJpeg);
  const size_t frame = jpeg.find("\xFF\xC0");
  std::string out = jpeg;
  const std::string size = Be32(uint32_t{height} << 16 | width);
  return out.replace(frame + 5, 4, size);
}

std::string HugePng() {
  return PngHeader(60000, 60000, 8, 2) + PngChunk("IDAT", Zlib("x")) + PngChunk("IEND", "");
}

std::unique_ptr<Random> Dice(uint64_t seed) { return SeededRandom(seed); }

// A few of the picture's bytes are changed, dropped or doubled.
std::string Mutate(std::string bytes, Random* random) {
  for (uint64_t i = 1 + random->Below(4); i > 0; --i) {
    // Headers matter most, so half of the changes fall among the first hundred bytes.
    const size_t range = random->Below(2) == 0 ? std::min<size_t>(100, bytes.size()) : bytes.size();
    const size_t at = random->Below(range);
    switch (random->Below(6)) {
      case 0:
        bytes[at] = static_cast<char>(random->Next());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random->Below(8));
        break;
      case 2:
        bytes[at] = '\xFF';
        break;
      case 3:
        bytes[at] = '\0';
        break;
      case 4:
        bytes.erase(at, 1 + random->Below(4));
        break;
      default:
        bytes.insert(at, bytes.substr(at, 1 + random->Below(4)));
    }
    if (bytes.empty()) bytes = "x";
  }
  return bytes;
}

// PNG's checksums would end most of its cases early, so they are made right again.
std::string WithChecksums(const std::string& png) {
  std::string out = png.substr(0, 8);
  for (size_t at = 8; at + 12 <= png.size();) {
    const auto byte = [&](size_t i) { return uint32_t{static_cast<uint8_t>(png[at + i])}; };
    const size_t size = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    if (size > png.size() - at - 12) return out + png.substr(at);
    out += PngChunk(png.substr(at + 4, 4), png.substr(at + 8, size));
    at += 12 + size;
  }
  return out;
}

// Whatever comes of it, it is a whole picture or an error that says why.
void CheckOutcome(const std::string& bytes) {
  const DecodeOptions options = {.limits = {.max_pixels = 1 << 20}, .target_width = 5};
  const auto pixels = Decode(bytes, options);
  if (pixels.ok()) {
    CHECK(pixels->data != nullptr);
    CHECK(uint64_t{pixels->width} * pixels->height <= 1 << 20);
    return;
  }
  const Code code = CodeOf(pixels.status());
  const bool expected = code == Code::kInvalid || code == Code::kUnsupported || code == Code::kTooLarge;
  CHECK_MESSAGE(expected, InfoOf(pixels.status()).message);
  CHECK_FALSE(InfoOf(pixels.status()).message.empty());
}

}  // namespace

TEST_CASE("a header that claims 60000x60000 is refused before anything is allocated") {
  for (const std::string& bytes :
       {HugePng(), JpegHeader(60000, 60000), WebpOf(Vp8x(0, 60000, 60000) + std::string(40, 'x')),
        LosslessHeader(16384, 16384)}) {
    for (const Status& status : {Probe(bytes).status(), Decode(bytes).status()}) {
      CHECK(CodeOf(status) == Code::kTooLarge);
      CHECK(InfoOf(status).message.find("pixels") != std::string::npos);
    }
  }
  CHECK(InfoOf(Probe(HugePng()).status()).message.find("60000x60000") != std::string::npos);
}

TEST_CASE("limits are those of the caller") {
  const std::string png = Encoded(Gradient(20, 10, 3), Format::kPng);
  CHECK(Decode(png, {.limits = {.max_pixels = 200}}).ok());
  CHECK(CodeOf(Decode(png, {.limits = {.max_pixels = 199}}).status()) == Code::kTooLarge);
  CHECK(Decode(png, {.limits = {.max_bytes = png.size()}}).ok());
  CHECK(CodeOf(Decode(png, {.limits = {.max_bytes = png.size() - 1}}).status()) == Code::kTooLarge);
  CHECK(CodeOf(Probe(png, {.max_bytes = 10}).status()) == Code::kTooLarge);
  // A side past a million stays out even where the area would do.
  const std::string line = PngHeader(1'000'001, 1, 8, 2) + PngChunk("IEND", "");
  CHECK(CodeOf(Probe(line).status()) == Code::kTooLarge);
  CHECK(CodeOf(Probe(PngHeader(0xFFFFFFFF, 0xFFFFFFFF, 8, 2)).status()) == Code::kTooLarge);
}

TEST_CASE("pixels past 2 GiB are refused, and so are those that do not exist") {
  CHECK(CodeOf(NewPixels(65536, 65536, 4).status()) == Code::kTooLarge);
  CHECK(CodeOf(NewPixels(0xFFFFFFFF, 0xFFFFFFFF, 4).status()) == Code::kTooLarge);
  CHECK(CodeOf(NewPixels(0, 5, 3).status()) == Code::kInvalid);
  CHECK(CodeOf(NewPixels(5, 0, 3).status()) == Code::kInvalid);
  CHECK(CodeOf(NewPixels(5, 5, 2).status()) == Code::kInvalid);
  const Pixels pixels = NewPixels(3, 3, 3).value();
  CHECK(reinterpret_cast<uintptr_t>(pixels.data.get()) % 64 == 0);
}

TEST_CASE("a picture that is cut off anywhere is invalid, never half a picture") {
  const Pixels rgb = Noise(19, 11, 3, 1), rgba = Noise(19, 11, 4, 2);
  const std::string lossy(Encode(rgba, {.format = Format::kWebp}).value().view());
  for (const std::string& bytes :
       {Encoded(rgb, Format::kPng), Encoded(rgba, Format::kPng), Encoded(rgb, Format::kJpeg),
        Encoded(rgb, Format::kWebp), Encoded(rgba, Format::kWebp), lossy}) {
    REQUIRE(Decode(bytes).ok());
    const bool webp = Sniff(bytes) == Format::kWebp;
    for (size_t size = 0; size < bytes.size(); ++size) {
      // Only a WebP's last pad byte may be missing: some writers leave it out.
      if (webp && size + 1 == bytes.size() && bytes.back() == '\0') continue;
      CAPTURE(size);
      CHECK(CodeOf(Decode(bytes.substr(0, size)).status()) == Code::kInvalid);
    }
  }
}

TEST_CASE("a cut-off picture's error says where it ends") {
  for (Format format : {Format::kPng, Format::kJpeg, Format::kWebp}) {
    const std::string bytes = Encoded(Noise(19, 11, 3, 1), format);
    const std::string message = InfoOf(Decode(bytes.substr(0, bytes.size() - 5)).status()).message;
    CHECK(message.find("is truncated at byte " + std::to_string(bytes.size() - 5)) != std::string::npos);
  }
}

TEST_CASE("bytes behind a picture do not matter") {
  const Pixels pixels = Noise(9, 9, 3, 1);
  for (Format format : {Format::kPng, Format::kJpeg, Format::kWebp})
    CHECK(Decode(Encoded(pixels, format) + "trailer").ok());
}

TEST_CASE("a changed picture is a picture or an error, never a crash") {
  const Pixels rgb = Gradient(23, 17, 3), rgba = Noise(13, 9, 4, 6);
  const std::string lossy(Encode(rgba, {.format = Format::kWebp}).value().view());
  const std::string png =
      WithPngChunk(WithPngChunk(Encoded(rgba, Format::kPng), "zTXt", "prompt\0\0"s + Zlib("a fox")), "eXIf",
                   Exif(6, true));
  const std::string jpeg = WithJpegSegment(Encoded(rgb, Format::kJpeg), 0xE1, "Exif\0\0"s + Exif(5, false));
  const std::string webp =
      WebpOf(Vp8x(0x18, 13, 9) + Encoded(rgba, Format::kWebp).substr(12) + RiffChunk("EXIF", Exif(3, true)));
  const auto u24 = [](uint32_t value) { return Le32(value).substr(0, 3); };
  const std::string frame =
      u24(0) + u24(0) + u24(12) + u24(8) + u24(100) + "\0"s + Encoded(rgba, Format::kWebp).substr(12);
  const std::string moving =
      WebpOf(Vp8x(0x12, 13, 9) + RiffChunk("ANIM", std::string(6, '\0')) + RiffChunk("ANMF", frame));
  const std::string gif =
      "GIF89a\x05\0\x07\0\x80\0\0\0\0\0\xFF\xFF\xFF\x21\xF9\4\1\0\0\0\0\x2C\0\0\0\0\2\0\2\0\0\2\2\x4C\1\0;"s;
  const auto random = Dice(20261120);
  for (const std::string& bytes : {png, jpeg, webp, moving, lossy, gif}) {
    for (int i = 0; i < 1000; ++i) {
      const std::string changed = Mutate(bytes, random.get());
      CheckOutcome(changed);
      if (Sniff(changed) == Format::kPng) CheckOutcome(WithChecksums(changed));
    }
  }
}

TEST_CASE("random bytes behind any magic are a picture or an error") {
  const auto random = Dice(7);
  for (std::string_view magic :
       {"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"sv, "\xFF\xD8\xFF"sv, "RIFF\xFF\0\0\0WEBPVP8X"sv,
        "RIFF\xFF\0\0\0WEBPVP8 "sv, "RIFF\xFF\0\0\0WEBPVP8L"sv, "GIF89a"sv, "<svg"sv,
        "\0\0\0\x1C"
        "ftyp"sv,
        "\x1A\x45\xDF\xA3"sv}) {
    for (int i = 0; i < 200; ++i) {
      std::string bytes(random->Below(300), '\0');
      random->Fill(bytes.data(), bytes.size());
      CheckOutcome(std::string(magic) + bytes);
    }
  }
}

}  // namespace mediagen
