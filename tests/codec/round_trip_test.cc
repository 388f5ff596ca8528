#include <doctest/doctest.h>

#include <cstring>

#include "codec/icc.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

struct Size {
  uint32_t width, height;
};
constexpr Size kSizes[] = {{1, 1}, {2, 1}, {1, 3}, {7, 5}, {16, 16}, {33, 31}, {127, 64}};

StatusOr<Pixels> Again(const Pixels& pixels, const EncodeOptions& options) {
  ASSIGN_OR_RETURN(const BufferRef bytes, Encode(pixels, options));
  CHECK(Sniff(bytes.view()) == options.format);
  return Decode(bytes.view());
}

}  // namespace

TEST_CASE("PNG and lossless WebP give back every byte, at any size, with and without alpha") {
  for (Format format : {Format::kPng, Format::kWebp}) {
    for (int channels : {3, 4}) {
      for (Size size : kSizes) {
        CAPTURE(channels);
        CAPTURE(size.width);
        for (const Pixels& pixels :
             {Gradient(size.width, size.height, channels), Noise(size.width, size.height, channels, 1)}) {
          Pixels expected = Noise(size.width, size.height, channels, 1);
          std::memcpy(expected.data.get(), pixels.data.get(), pixels.bytes());
          if (format == Format::kWebp && channels == 4) {  // colour under no alpha is not kept
            for (size_t i = 0; i < expected.bytes(); i += 4) {
              if (expected.data[i + 3] == 0) std::memset(expected.data.get() + i, 0, 4);
            }
          }
          auto back = Again(pixels, {.format = format, .lossless = true});
          REQUIRE(back.ok());
          if (back->channels == 3 && channels == 4) continue;  // WebP drops an alpha of 255 throughout
          CHECK(Same(*back, expected));
        }
      }
    }
  }
}

TEST_CASE("every PNG level gives back every byte") {
  const Pixels pixels = Gradient(61, 47, 3);
  for (int level = 1; level <= 12; ++level) {
    const auto back = Again(pixels, {.format = Format::kPng, .png_level = level});
    REQUIRE(back.ok());
    CHECK(Same(*back, pixels));
  }
}

TEST_CASE("JPEG and lossy WebP stay near the picture") {
  for (Format format : {Format::kJpeg, Format::kWebp}) {
    for (Size size : kSizes) {
      const Pixels pixels = Gradient(size.width, size.height, 3);
      const auto back = Again(pixels, {.format = format, .quality = 95});
      REQUIRE(back.ok());
      CHECK(back->width == size.width);
      CHECK(back->height == size.height);
      if (size.width >= 16 && size.height >= 16) CHECK(Distance(*back, pixels) < 48);
    }
    const auto flat = Again(Flat(40, 40, {30, 90, 200, 255}, 3), {.format = format, .quality = 95});
    REQUIRE(flat.ok());
    CHECK(Distance(*flat, Flat(40, 40, {30, 90, 200, 255}, 3)) <= 4);
  }
}

TEST_CASE("a lossy WebP keeps alpha") {
  const Pixels pixels = Gradient(32, 32, 4);
  const auto back = Again(pixels, {.format = Format::kWebp, .quality = 95});
  REQUIRE(back.ok());
  REQUIRE(back->channels == 4);
  for (uint32_t i = 0; i < 32; ++i) CHECK(At(*back, i, i)[3] == At(pixels, i, i)[3]);
}

TEST_CASE("a line of 65535 pixels goes through PNG; JPEG and WebP say how long theirs may be") {
  const Pixels line = Gradient(65535, 1, 3);
  const auto back = Again(line, {.format = Format::kPng});
  REQUIRE(back.ok());
  CHECK(Same(*back, line));
  for (Format format : {Format::kJpeg, Format::kWebp}) {
    const auto refused = Encode(line, {.format = format});
    CHECK(CodeOf(refused.status()) == Code::kTooLarge);
    CHECK(InfoOf(refused.status()).message.find("65535x1") != std::string::npos);
  }
  CHECK(Again(Gradient(65500, 1, 3), {.format = Format::kJpeg}).ok());
  CHECK(Again(Gradient(1, 16383, 3), {.format = Format::kWebp, .method = 0}).ok());
  CHECK(Again(Gradient(1, 65535, 4), {.format = Format::kPng}).ok());
}

TEST_CASE("a format without alpha shows the background through") {
  const auto back = Again(Flat(24, 24, {255, 0, 0, 0}, 4),
                          {.format = Format::kJpeg, .quality = 95, .background = 0x10C020});
  REQUIRE(back.ok());
  CHECK(Distance(*back, Flat(24, 24, {0x10, 0xC0, 0x20, 255}, 3)) <= 4);
  const auto half = Again(Flat(24, 24, {255, 0, 0, 128}, 4),
                          {.format = Format::kJpeg, .quality = 95, .background = 0x0000FF});
  REQUIRE(half.ok());
  CHECK(Distance(*half, Flat(24, 24, {128, 0, 127, 255}, 3)) <= 6);
}

TEST_CASE(
    "a JPEG keeps as much of the colour's detail as was asked for, and may be progressive or optimised") {
  const Pixels noise = Noise(64, 64, 3, 9);
  const auto size = [&](const EncodeOptions& options) { return Encode(noise, options)->size(); };
  const EncodeOptions plain{.format = Format::kJpeg, .quality = 90};
  EncodeOptions other = plain;
  other.chroma = Chroma::k422;
  const auto half = size(other);
  other.chroma = Chroma::k444;
  CHECK(size(plain) < half);
  CHECK(half < size(other));
  CHECK(Distance(*Again(noise, other), noise) < Distance(*Again(noise, plain), noise));
  other = plain;
  other.optimize = true;
  CHECK(size(other) < size(plain));
  CHECK(Same(*Again(noise, other), *Again(noise, plain)));
  other.progressive = true;
  CHECK(Encode(noise, other)->view().find("\xFF\xC2") != std::string_view::npos);  // SOF2
  CHECK(Encode(noise, plain)->view().find("\xFF\xC2") == std::string_view::npos);
  CHECK(Distance(*Again(noise, other), *Again(noise, plain)) <= 1);
}

TEST_CASE("every format carries the profile that it is given") {
  const std::string icc(3'000, 'i');
  for (int channels : {3, 4}) {
    const Pixels pixels = Gradient(20, 10, channels);
    for (Format format : {Format::kPng, Format::kJpeg, Format::kWebp}) {
      CAPTURE(int(format));
      const BufferRef with = *Encode(pixels, {.format = format, .icc = icc});
      CHECK(codec::IccProfile(with.view(), format) == icc);
      CHECK(Probe(with.view())->icc);
      CHECK(Same(*Decode(with.view()), *Again(pixels, {.format = format})));  // nobody can use this one
    }
  }
}

TEST_CASE("a higher quality takes more bytes") {
  const Pixels pixels = Noise(64, 64, 3, 3);
  for (Format format : {Format::kJpeg, Format::kWebp}) {
    CHECK(Encode(pixels, {.format = format, .quality = 95})->size() >
          Encode(pixels, {.format = format, .quality = 30})->size());
  }
}

TEST_CASE("the same pixels and options give the same bytes") {
  const Pixels pixels = Gradient(50, 40, 4);
  for (Format format : {Format::kPng, Format::kJpeg, Format::kWebp}) {
    CHECK(Encode(pixels, {.format = format})->view() == Encode(pixels, {.format = format})->view());
  }
}

TEST_CASE("options out of range, formats that are not written, and no pixels are refused") {
  const Pixels pixels = Gradient(4, 4, 3);
  CHECK(CodeOf(Encode(pixels, {.quality = 0}).status()) == Code::kInvalid);
  CHECK(CodeOf(Encode(pixels, {.quality = 101}).status()) == Code::kInvalid);
  CHECK(CodeOf(Encode(pixels, {.method = 7}).status()) == Code::kInvalid);
  CHECK(CodeOf(Encode(pixels, {.method = -1}).status()) == Code::kInvalid);
  CHECK(CodeOf(Encode(pixels, {.png_level = 13}).status()) == Code::kInvalid);
  CHECK(CodeOf(Encode(pixels, {.png_level = 0}).status()) == Code::kInvalid);
  for (Format format : {Format::kGif, Format::kAvif, Format::kSvg, Format::kMp4, Format::kUnknown}) {
    CHECK(CodeOf(Encode(pixels, {.format = format}).status()) == Code::kUnsupported);
  }
  CHECK(CodeOf(Encode(Pixels{}, {}).status()) == Code::kInvalid);
}

}  // namespace mediagen
