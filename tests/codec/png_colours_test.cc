// gAMA and cHRM: what PngSuite's pictures of category g are for, and what must not be touched.
#include "codec/png_colours.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "codec/colour.h"
#include "codec/pictures.h"
#include "codec/png_writer.h"

namespace mediagen {
namespace {

using codec::PngColourProfile;

std::string Gamma(uint32_t value) { return PngChunk("gAMA", Be32(value)); }

std::string Points(std::initializer_list<uint32_t> points) {
  std::string data;
  for (uint32_t point : points) data += Be32(point);
  return PngChunk("cHRM", data);
}
const std::string kSrgbPoints = Points({31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000});
const std::string kP3Points = Points({31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000});

// sRGB's value of the light that `value` means under a gamma (IEC 61966-2-1).
int Shown(int value, double gamma) {
  const double light = std::pow(value / 255.0, 1 / gamma);
  const double encoded = light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
  return static_cast<int>(std::lround(255 * encoded));
}

Pixels Decoded(const PngPicture& picture, const std::string& chunks) {
  return MustDecode(WritePng(picture, {.before_palette = chunks}));
}

}  // namespace

TEST_CASE("a picture's gamma is corrected, whatever its kind, and its alpha is not") {
  for (uint32_t gamma : {35'000u, 40'000u, 70'000u, 100'000u, 250'000u}) {
    for (const auto& kind : {std::pair{0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 8}, {4, 8}, {6, 16}}) {
      const PngPicture picture = PngOf(kind.first, kind.second, 16, 16);
      const Pixels plain = mediagen::Shown(picture), shown = Decoded(picture, Gamma(gamma));
      CAPTURE(gamma);
      CAPTURE(kind.first);
      REQUIRE(shown.channels == plain.channels);
      int most = 0;
      for (size_t i = 0; i < plain.bytes(); ++i) {
        const bool alpha = plain.channels == 4 && i % 4 == 3;
        const int expected = alpha ? plain.data[i] : Shown(plain.data[i], gamma / 100'000.0);
        most = std::max(most, std::abs(shown.data[i] - expected));
        if (alpha) CHECK(shown.data[i] == plain.data[i]);
      }
      CHECK(most <= 1);
    }
  }
}

TEST_CASE("other primaries are converted as by the profile that has them") {
  const PngPicture picture = PngOf(2, 8, 32, 32);
  const Pixels shown = Decoded(picture, Gamma(45'455) + kP3Points), plain = mediagen::Shown(picture);
  CHECK(Distance(shown, plain) > 20);
  PngPicture few = {.colour_type = 2, .depth = 8, .width = 3, .height = 1};
  few.samples = {255, 255, 255, 0, 0, 0, 200, 100, 100};
  const Pixels pixels = Decoded(few, Gamma(45'455) + kP3Points);
  CHECK(At(pixels, 0, 0) == std::array{255, 255, 255, 255});
  CHECK(At(pixels, 1, 0) == std::array{0, 0, 0, 255});
  // By the matrices of CSS Color 4: color(display-p3 0.784 0.392 0.392) is rgb(215 93 97).
  const auto colour = At(pixels, 2, 0);
  CHECK(std::abs(colour[0] - 215) <= 1);
  CHECK(std::abs(colour[1] - 93) <= 1);
  CHECK(std::abs(colour[2] - 97) <= 1);
}

TEST_CASE("what says sRGB, or nothing that is of use, changes no pixel") {
  const PngPicture picture = PngOf(2, 8, 16, 16);
  const Pixels plain = mediagen::Shown(picture);
  std::string flipped = Gamma(100'000);
  flipped.back() ^= 1;
  const std::string linear = Gamma(100'000), srgb = PngChunk("sRGB", std::string(1, '\0'));
  for (const std::string& chunks :
       {Gamma(45'455), Gamma(45'470), Gamma(44'000), Gamma(45'455) + kSrgbPoints, kP3Points, flipped,
        Gamma(0), Gamma(1), Gamma(0xFFFFFFFF), PngChunk("gAMA", "xyz"), linear + srgb, srgb + linear,
        PngChunk("iCCP", "x") + linear, PngChunk("cICP", std::string("\1\x0D\0\1", 4)) + linear,
        PngChunk("PLTE", "abc") + linear})
    CHECK(Same(Decoded(picture, chunks), plain));
  const std::string png = WritePng(picture, {.before_palette = linear});
  CHECK(Same(MustDecode(png, {.to_srgb = false}), plain));
  CHECK_FALSE(Same(MustDecode(png), plain));
}

TEST_CASE("primaries that no light has are those of sRGB") {
  const PngPicture picture = PngOf(2, 8, 16, 16);
  const Pixels linear = Decoded(picture, Gamma(100'000));
  for (const std::string& points : {Points({0, 0, 0, 0, 0, 0, 0, 0}), PngChunk("cHRM", "short"),
                                    Points({31270, 32900, 90000, 33000, 30000, 60000, 15000, 6000}),
                                    Points({31270, 0xFFFFFFFF, 1, 2, 3, 4, 5, 6})})
    CHECK(Same(Decoded(picture, Gamma(100'000) + points), linear));
  // Three points on one line span no triangle: whatever comes of it, it is a picture.
  const std::string line = Points({31270, 32900, 10000, 10000, 20000, 20000, 30000, 30000});
  CHECK(Decoded(picture, Gamma(100'000) + line).width == 16);
}

TEST_CASE("the same numbers are the same profile, cut off or not at all") {
  const std::string png = WritePng(PngOf(0, 8, 4, 4), {.before_palette = Gamma(100'000) + kP3Points});
  const std::string profile = PngColourProfile(png);
  CHECK(codec::GamutOf(profile) == codec::Gamut::kOther);
  CHECK(PngColourProfile(png) == profile);
  const std::string without =
      PngColourProfile(WritePng(PngOf(0, 8, 4, 4), {.before_palette = Gamma(100'000)}));
  for (size_t size = 0; size < png.size(); ++size) {
    const std::string cut = PngColourProfile(png.substr(0, size));
    const bool one_of_them = cut.empty() || cut == without || cut == profile;
    CHECK(one_of_them);
  }
}

}  // namespace mediagen
