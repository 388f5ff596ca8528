#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "base/hash.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

using Paint = std::array<int, 4> (*)(int x, int y, int w, int h);

std::array<int, 4> Ramp(int x, int y, int w, int h) {
  return {x * x * 255 / (w * w), y * y * y * 255 / (h * h * h), x * y * 255 / (w * h), 255};
}
std::array<int, 4> Fade(int x, int y, int w, int h) {
  return {x * 255 / w, 200, y * 255 / h, (x + y) * 255 / (w + h)};
}
std::array<int, 4> Mix(int x, int y, int, int) { return {x * 7 + y * 3, x * x + y * 5, x * y, 255}; }
bool Inside(int x, int y, int w, int h) {
  return (3 * x - w) * (3 * x - w) + (4 * y - h) * (4 * y - h) < w * h / 2.0;
}
std::array<int, 4> Disc(int x, int y, int w, int h) {
  return Inside(x, y, w, h) ? std::array<int, 4>{250, 120, 30, 255} : std::array<int, 4>{20, 40, 90, 255};
}
std::array<int, 4> Hole(int x, int y, int w, int h) {
  return Inside(x, y, w, h) ? std::array<int, 4>{0, 0, 0, 0}
                            : std::array<int, 4>{x * 255 / w, 140, y * y * 90 / (h * h), 255};
}

Pixels Draw(Paint paint, uint32_t width, uint32_t height, int channels) {
  Pixels pixels = NewPixels(width, height, channels).value();
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      const auto colour = paint(int(x), int(y), int(width), int(height));
      for (int c = 0; c < channels; ++c)
        pixels.row(y)[x * uint32_t(channels) + uint32_t(c)] = static_cast<uint8_t>(colour[size_t(c)]);
    }
  }
  return pixels;
}

struct Vector {
  Paint paint;
  uint32_t width, height;
  const char* hash;
};

// Made by the format's own JavaScript implementation (npm thumbhash 0.1.1) from the same pixels.
constexpr Vector kVectors[] = {
    {Ramp, 64, 48, "51280e1d9a9087879188888978688888c70a0ee958"},
    {Ramp, 48, 64, "51280e1d1a9087918898886878887888c80a0ee957"},
    {Ramp, 100, 100, "51280e1f1a9087879188888988688888888788ace0907e05"},
    {Fade, 64, 48, "e99885348c27a087b087797738f966a0980878287788878708"},
    {Fade, 30, 90, "6978852a0c2790b1b77788838f04887a85878087887888"},
    {Disc, 100, 60, "0ff7052c863d5089bf34967788532dbfd7f27b"},
    {Disc, 33, 33, "0ff7052f062c7278bf4487778818a52aa576c8f27b2cbf07"},
    {Hole, 50, 50, "19eb8935181d70768677786777808d068778c29d40bb88e7da"},
    {Mix, 97, 89, "1f08060e8266666666670864654357677776ce9f78e706"},
    {Mix, 100, 7, "da08063182112190719848999b8f5ca09a"},
    {Ramp, 2, 1, "4338062490720d8d888887d028877288208708"},
    {Fade, 100, 1, "9ecdbd71917787878888808788407bf884878888b077f8"},
};

}  // namespace

TEST_CASE("a ThumbHash is the one that the format's author computes") {
  for (const Vector& vector : kVectors) {
    CAPTURE(vector.hash);
    const auto hash = ThumbHash(Draw(vector.paint, vector.width, vector.height, 4));
    REQUIRE(hash.ok());
    CHECK(Hex(*hash) == std::string(vector.hash));
  }
}

TEST_CASE("a ThumbHash without alpha is the same from RGB as from opaque RGBA") {
  for (const Vector& vector : kVectors) {
    if (vector.paint == Fade || vector.paint == Hole) continue;
    CHECK(*ThumbHash(Draw(vector.paint, vector.width, vector.height, 3)) == UnHex(vector.hash));
  }
}

TEST_CASE("a ThumbHash of a large picture has at most 25 bytes and is near that of the small one") {
  const std::string large = *ThumbHash(Draw(Disc, 640, 480, 3)), small = *ThumbHash(Draw(Disc, 100, 75, 3));
  REQUIRE(large.size() == small.size());
  CHECK(large.size() <= 25);
  CHECK(large.size() >= 5);
  for (int i = 0; i < 3; ++i) {  // the means of the three colour channels, six bits each
    const auto bits = [&](const std::string& hash) {
      const uint32_t head =
          uint32_t(uint8_t(hash[0])) | uint32_t(uint8_t(hash[1])) << 8 | uint32_t(uint8_t(hash[2])) << 16;
      return int(head >> (6 * i) & 63);
    };
    CHECK(std::abs(bits(large) - bits(small)) <= 1);
  }
  CHECK(ThumbHash(Noise(65535, 1, 3, 1)).ok());
  CHECK(ThumbHash(Noise(1, 3000, 4, 2)).ok());
}

TEST_CASE("a flat picture's ThumbHash has its colour and no waves") {
  const std::string hash = *ThumbHash(Flat(40, 30, {255, 255, 255, 255}, 3));
  CHECK((uint8_t(hash[0]) & 63) == 63);      // luminance
  CHECK((uint8_t(hash[2]) >> 2 & 31) == 0);  // its largest wave
  for (size_t i = 5; i < hash.size(); ++i) CHECK(hash[i] == 0);
  const std::string clear = *ThumbHash(Flat(9, 9, {1, 2, 3, 0}, 4));
  CHECK((uint8_t(clear[2]) & 0x80) != 0);  // has alpha
  CHECK((uint8_t(clear[5]) & 15) == 0);    // of which there is none
}

TEST_CASE("a ThumbHash looks like what its author draws of it, and has that average colour") {
  struct Drawn {
    const char* hash;
    uint32_t width, height;
    std::array<int, 4> top_left, top_right, middle, bottom_left, average;
  };
  // By thumbHashToRGBA and thumbHashToAverageRGBA of the same package.
  const Drawn rows[] = {
      {"51280e1d9a9087879188888978688888c70a0ee958",
       32,
       23,
       {37, 43, 5, 255},
       {247, 8, 29, 255},
       {67, 22, 77, 255},
       {0, 225, 25, 255},
       {83, 63, 61, 255}},
      {"e99885348c27a087b087797738f966a0980878287788878708",
       32,
       26,
       {124, 197, 120, 10},
       {222, 198, 73, 155},
       {130, 204, 140, 127},
       {93, 198, 202, 118},
       {149, 202, 147, 119}},
      {"6978852a0c2790b1b77788838f04887a85878087887888",
       13,
       32,
       {105, 210, 142, 54},
       {180, 205, 124, 73},
       {131, 201, 136, 125},
       {60, 214, 229, 182},
       {136, 204, 158, 119}},
      {"1f08060e8266666666670864654357677776ce9f78e706",
       32,
       27,
       {36, 37, 5, 255},
       {118, 113, 105, 255},
       {145, 130, 141, 255},
       {112, 126, 111, 255},
       {129, 125, 123, 255}},
  };
  const auto near = [](const std::array<int, 4>& a, const std::array<int, 4>& b) {
    int most = 0;
    for (size_t c = 0; c < 4; ++c) most = std::max(most, std::abs(a[c] - b[c]));
    return most <= 1;  // their cosines may differ in the last bit
  };
  for (const Drawn& row : rows) {
    CAPTURE(row.hash);
    const Pixels drawn = *ThumbHashPixels(UnHex(row.hash));
    REQUIRE(drawn.width == row.width);
    REQUIRE(drawn.height == row.height);
    CHECK(near(At(drawn, 0, 0), row.top_left));
    CHECK(near(At(drawn, row.width - 1, 0), row.top_right));
    CHECK(near(At(drawn, row.width / 2, row.height / 2), row.middle));
    CHECK(near(At(drawn, 0, row.height - 1), row.bottom_left));
    const Colour average = *ThumbHashAverage(UnHex(row.hash));
    CHECK(near({average.red, average.green, average.blue, average.alpha}, row.average));
  }
}

TEST_CASE("bytes that are no ThumbHash are refused, whatever they are") {
  const std::string hash = UnHex("e99885348c27a087b087797738f966a0980878287788878708");
  for (size_t size = 0; size < hash.size(); ++size) {
    CHECK(CodeOf(ThumbHashPixels(hash.substr(0, size)).status()) == Code::kInvalid);
    if (size < 5) CHECK(CodeOf(ThumbHashAverage(hash.substr(0, size)).status()) == Code::kInvalid);
  }
  const Pixels noise = Noise(64, 64, 4, 5);
  for (uint32_t y = 0; y < 64; ++y) {
    const std::string bytes(reinterpret_cast<const char*>(noise.row(y)), 25);
    const auto drawn = ThumbHashPixels(bytes);
    if (drawn.ok()) CHECK(std::max(drawn->width, drawn->height) == 32);
  }
}

TEST_CASE("the average colour of a picture weighs by alpha") {
  Pixels two = Flat(2, 1, {200, 100, 0, 255}, 4);
  const uint8_t clear[4] = {0, 0, 255, 0};
  std::copy_n(clear, 4, two.row(0) + 4);
  const Colour colour = *AverageColour(two);
  CHECK(int(colour.red) == 200);
  CHECK(int(colour.blue) == 0);
  CHECK(int(colour.alpha) == 128);
  CHECK(int(AverageColour(Flat(3, 3, {1, 2, 3, 0}, 4))->alpha) == 0);
  CHECK(int(AverageColour(Flat(9, 9, {9, 8, 7, 255}, 3))->green) == 8);
  CHECK(CodeOf(AverageColour(Pixels{}).status()) == Code::kInvalid);
}

TEST_CASE("no pixels have no ThumbHash") { CHECK(CodeOf(ThumbHash(Pixels{}).status()) == Code::kInvalid); }

}  // namespace mediagen
