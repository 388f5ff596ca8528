// What conformance suites for WebP hold, as pictures that are written here: lossy with every encoder method,
// filter and segment, alpha in every way that it is stored, lossless with every transform, animations. Each
// is compared with what libwebp's simplest calls make of it, and what is broken with their verdict.
#include <doctest/doctest.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

using namespace std::string_literals;

constexpr std::pair<uint32_t, uint32_t> kSizes[] = {{1, 1},   {2, 3},   {7, 9},   {16, 16}, {17, 15},
                                                    {33, 31}, {100, 3}, {3, 100}, {129, 65}};

const uint8_t* Bytes(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

// Of as many channels as are wanted, by one call of libwebp; nullptr for what it refuses.
std::unique_ptr<uint8_t, void (*)(void*)> ByLibwebp(const std::string& webp, int channels, int* width,
                                                    int* height) {
  const auto decode = channels == 4 ? WebPDecodeRGBA : WebPDecodeRGB;
  return {decode(Bytes(webp), webp.size(), width, height), WebPFree};
}

bool SameAsLibwebp(const Pixels& pixels, const std::string& webp) {
  int width = 0, height = 0;
  const auto plain = ByLibwebp(webp, pixels.channels, &width, &height);
  return plain != nullptr && pixels.width == static_cast<uint32_t>(width) &&
         pixels.height == static_cast<uint32_t>(height) &&
         std::memcmp(plain.get(), pixels.data.get(), pixels.bytes()) == 0;
}

void CheckWhole(const std::string& webp, int channels) {
  const Pixels pixels = MustDecode(webp);
  CHECK(pixels.channels == channels);
  CHECK(SameAsLibwebp(pixels, webp));
}

// By libwebp's encoder with whatever it can be told.
std::string Written(const Pixels& pixels, const WebPConfig& config) {
  WebPPicture picture;
  REQUIRE(WebPPictureInit(&picture) != 0);
  picture.width = static_cast<int>(pixels.width);
  picture.height = static_cast<int>(pixels.height);
  picture.use_argb = config.lossless;
  const auto import = pixels.channels == 4 ? WebPPictureImportRGBA : WebPPictureImportRGB;
  REQUIRE(import(&picture, pixels.data.get(), static_cast<int>(pixels.stride())) != 0);
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  REQUIRE(WebPEncode(&config, &picture) != 0);
  std::string out(reinterpret_cast<const char*>(writer.mem), writer.size);
  WebPMemoryWriterClear(&writer);
  WebPPictureFree(&picture);
  return out;
}

WebPConfig Config(float quality = 75) {
  WebPConfig config;
  REQUIRE(WebPConfigInit(&config) != 0);
  config.quality = quality;
  config.method = 2;
  return config;
}

Pixels Picture(uint32_t width, uint32_t height, int channels) {
  Pixels pixels = Gradient(width, height, channels);
  const Pixels noise = Noise(width, height, channels, width * 1000 + height);
  for (size_t i = 0; i < pixels.bytes(); i += 7) pixels.data[i] = noise.data[i];
  return pixels;
}

// Few colours, which lossless packs into a palette.
Pixels Few(uint32_t width, uint32_t height, int colours) {
  Pixels pixels = NewPixels(width, height, 4).value();
  const Pixels table = Noise(static_cast<uint32_t>(colours), 1, 4, 5);
  for (size_t i = 0; i < size_t{width} * height; ++i)
    std::memcpy(&pixels.data[4 * i], &table.data[4 * (i * i / 3 % static_cast<size_t>(colours))], 4);
  return pixels;
}

std::string U24(uint32_t value) { return Le32(value).substr(0, 3); }

std::string FrameOf(const std::string& webp, uint32_t left, uint32_t top, const Pixels& pixels,
                    uint8_t flags) {
  const std::string head = U24(left / 2) + U24(top / 2) + U24(pixels.width - 1) + U24(pixels.height - 1) +
                           U24(40) + static_cast<char>(flags);
  return RiffChunk("ANMF", head + webp.substr(12));
}

// Every frame by libwebp's own animation decoder.
void CheckFrames(const std::string& webp) {
  const Animation animation = DecodeFrames(webp).value();
  const WebPData data = {Bytes(webp), webp.size()};
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
      WebPAnimDecoderNew(&data, nullptr), WebPAnimDecoderDelete);
  REQUIRE(decoder != nullptr);
  for (size_t i = 0; i < animation.frames.size(); ++i) {
    uint8_t* canvas = nullptr;
    int end_ms = 0;
    REQUIRE(WebPAnimDecoderGetNext(decoder.get(), &canvas, &end_ms) != 0);
    const Frame& frame = animation.frames[i];
    CHECK(std::memcmp(canvas, frame.pixels.data.get(), frame.pixels.bytes()) == 0);
    CHECK(end_ms == static_cast<int>(40 * (i + 1)));
  }
  CHECK(WebPAnimDecoderHasMoreFrames(decoder.get()) == 0);
  CHECK(Distance(MustDecode(webp), animation.frames[0].pixels) == 0);
}

// What is taken here, libwebp takes, and with the same pixels. Whether it was.
bool CheckVerdict(const std::string& webp) {
  const auto pixels =
      Decode(webp, {.limits = {.max_pixels = 1 << 20}, .apply_orientation = false, .to_srgb = false});
  if (!pixels.ok()) {
    const Code code = CodeOf(pixels.status());
    const bool expected = code == Code::kInvalid || code == Code::kTooLarge;
    CHECK_MESSAGE(expected, InfoOf(pixels.status()).message);
    return false;
  }
  CHECK(SameAsLibwebp(*pixels, webp));
  return true;
}

void CheckRefused(const std::string& webp) {
  const Status status = Decode(webp).status();
  CHECK(CodeOf(status) == Code::kInvalid);
  CHECK_FALSE(InfoOf(status).message.empty());
}

}  // namespace

TEST_CASE("corpus WebP: lossy at every size, quality, filter, number of segments and partitions") {
  for (const auto& size : kSizes) {
    const Pixels pixels = Picture(size.first, size.second, 3);
    for (float quality : {0.F, 30.F, 75.F, 100.F}) CheckWhole(Written(pixels, Config(quality)), 3);
  }
  const Pixels pixels = Picture(129, 65, 3);
  for (int strength : {0, 20, 100}) {
    for (int type : {0, 1}) {
      for (int sharpness : {0, 7}) {
        WebPConfig config = Config();
        config.filter_strength = strength, config.filter_type = type, config.filter_sharpness = sharpness;
        CheckWhole(Written(pixels, config), 3);
      }
    }
  }
  for (int count : {1, 2, 4}) {
    WebPConfig config = Config();
    config.segments = count, config.partitions = count - 1, config.method = 4;
    CheckWhole(Written(pixels, config), 3);
  }
}

TEST_CASE("corpus WebP: alpha of lossy pictures, raw and compressed, under every filter, exact or reduced") {
  for (const auto& size : kSizes) {
    const Pixels pixels = Picture(size.first, size.second, 4);
    for (int compression : {0, 1}) {
      for (int filtering : {0, 1, 2}) {
        for (int quality : {10, 100}) {
          WebPConfig config = Config();
          config.alpha_compression = compression, config.alpha_filtering = filtering;
          config.alpha_quality = quality;
          CAPTURE(size.first);
          CAPTURE(compression);
          CAPTURE(filtering);
          CheckWhole(Written(pixels, config), 4);
        }
      }
    }
  }
}

TEST_CASE("corpus WebP: lossless with every transform, and palettes of every depth") {
  WebPConfig config = Config();
  config.lossless = 1, config.exact = 1;
  for (const auto& size : kSizes) {
    for (int channels : {3, 4}) {
      for (int method : {0, 3, 6}) {
        config.method = method;
        const Pixels pixels = Picture(size.first, size.second, channels);
        const std::string webp = Written(pixels, config);
        CheckWhole(webp, channels);
        CHECK(Same(MustDecode(webp), pixels));
      }
    }
    for (int colours : {1, 2, 3, 4, 5, 16, 17, 256}) {
      const Pixels pixels = Few(size.first, size.second, colours);
      CAPTURE(size.first);
      CAPTURE(colours);
      const std::string webp = Written(pixels, config);
      const Pixels out = MustDecode(webp);
      CHECK(SameAsLibwebp(out, webp));
      if (out.channels == 4) CHECK(Same(out, pixels));
    }
  }
}

TEST_CASE("corpus WebP: lines of 16,383 pixels, lying and standing") {
  for (const auto& size : {std::pair{16383u, 1u}, {1u, 16383u}}) {
    const Pixels pixels = Picture(size.first, size.second, 3);
    WebPConfig config = Config();
    CheckWhole(Written(pixels, config), 3);
    config.lossless = 1;
    CheckWhole(Written(pixels, config), 3);
  }
}

TEST_CASE(
    "corpus WebP: animations of lossy and lossless frames, wherever they stand and however they blend") {
  const Pixels large = Picture(20, 16, 4), small = Picture(7, 5, 4), opaque = Picture(6, 9, 3);
  WebPConfig lossless = Config();
  lossless.lossless = 1;
  for (uint8_t flags = 0; flags < 4; ++flags) {
    const std::string frames = FrameOf(Encoded(large, Format::kWebp), 0, 0, large, flags) +
                               FrameOf(Written(small, lossless), 4, 2, small, flags ^ 1) +
                               FrameOf(Written(opaque, Config()), 12, 6, opaque, flags) +
                               FrameOf(Encoded(small, Format::kWebp), 0, 10, small, flags ^ 2);
    CheckFrames(WebpOf(Vp8x(0x12, 20, 16) + RiffChunk("ANIM", "\xFF\xFF\xFF\xFF\0\0"s) + frames));
  }
}

TEST_CASE("corpus WebP: chunks that say nothing of the pixels, before and behind them") {
  const std::string webp = Encoded(Picture(13, 9, 4), Format::kWebp), picture = webp.substr(12);
  const Pixels pixels = MustDecode(webp);
  for (const std::string& chunk : {RiffChunk("EXIF", Exif(1, true)), RiffChunk("XMP ", "<x/>"),
                                   RiffChunk("ABCD", "odd"), RiffChunk("ICCP", "no profile")}) {
    std::string before = Vp8x(0x10, 13, 9), behind = before;
    CHECK(Same(MustDecode(WebpOf(before.append(chunk).append(picture))), pixels));
    CHECK(Same(MustDecode(WebpOf(behind.append(picture).append(chunk))), pixels));
  }
}

TEST_CASE("corpus WebP: containers that contradict themselves are refused") {
  const Pixels pixels = Picture(13, 9, 4);
  const std::string webp = Encoded(pixels, Format::kWebp), picture = webp.substr(12);
  CheckRefused(WebpOf(Vp8x(0x10, 14, 9) + picture));                    // another canvas
  CheckRefused(WebpOf(Vp8x(0x10, 13, 9)));                              // no picture
  CheckRefused(WebpOf(Vp8x(0x12, 13, 9)));                              // no frame
  CheckRefused(WebpOf(RiffChunk("ALPH", "\0\0"s) + picture));           // begins with alpha
  CheckRefused(WebpOf(RiffChunk("EXIF", Exif(1, true)) + picture));     // or with EXIF
  CheckRefused("RIFF" + Le32(4) + "WEBP");                              // nothing at all
  CheckRefused("RIFF" + Le32(0xFFFFFFFF) + "WEBP" + picture);           // longer than it is
  CheckRefused(WebpOf("VP8L" + Le32(0xFFFFFFF0) + picture.substr(8)));  // a chunk that is
  CheckRefused(WebpOf("VP8L" + Le32(0) + picture.substr(8)));           // an empty picture
  std::string signature = webp, version = webp;
  signature[20] = '\x2E';  // another bitstream
  CheckRefused(signature);
  version[24] = static_cast<char>(version[24] | '\xE0');  // another version of it
  CheckRefused(version);
  std::string lossy = Written(Picture(13, 9, 3), Config());
  lossy[26] = lossy[27] = 0;  // no width
  CheckRefused(lossy);
}

TEST_CASE("corpus WebP: a file that is changed anywhere is judged as by libwebp") {
  const auto random = SeededRandom(20261121);
  WebPConfig lossless = Config();
  lossless.lossless = 1;
  const Pixels rgba = Picture(20, 19, 4);
  int pictures = 0, errors = 0;
  for (const std::string& webp : {Written(Picture(20, 19, 3), Config()), Written(rgba, Config()),
                                  Written(rgba, lossless), Written(Few(20, 19, 4), lossless)}) {
    for (int i = 0; i < 500; ++i) {
      std::string changed = webp;
      for (uint64_t n = 1 + random->Below(3); n > 0; --n)
        changed[random->Below(changed.size())] = static_cast<char>(random->Next());
      ++(CheckVerdict(changed) ? pictures : errors);
    }
  }
  CHECK(pictures > 100);
  CHECK(errors > 100);
}

}  // namespace mediagen
