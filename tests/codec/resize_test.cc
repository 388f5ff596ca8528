#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "codec/pictures.h"
#include "codec/resample.h"

namespace mediagen {

TEST_CASE("each fit gives its size") {
  struct Row {
    uint32_t source_width, source_height, width, height;
    Fit fit;
    bool enlarge;
    uint32_t out_width, out_height;
  };
  const Row rows[] = {
      {200, 100, 50, 50, Fit::kCover, false, 50, 50},
      {200, 100, 50, 50, Fit::kContain, false, 50, 50},
      {200, 100, 50, 50, Fit::kInside, false, 50, 25},
      {200, 100, 50, 50, Fit::kOutside, false, 100, 50},
      {200, 100, 50, 50, Fit::kFill, false, 50, 50},
      // One side: the other follows, whatever the fit.
      {200, 100, 50, 0, Fit::kCover, false, 50, 25},
      {200, 100, 0, 50, Fit::kContain, false, 100, 50},
      {200, 100, 0, 20, Fit::kInside, false, 40, 20},
      {200, 100, 20, 0, Fit::kOutside, false, 20, 10},
      {200, 100, 0, 10, Fit::kFill, false, 20, 10},
      {3, 1000, 0, 10, Fit::kInside, false, 1, 10},  // never less than a pixel
      {1000, 3, 10, 10, Fit::kInside, false, 10, 1},
      {333, 250, 100, 100, Fit::kInside, false, 100, 75},
      // Not enlarged: the box shrinks with its shape; the sides of fill shrink alone.
      {200, 100, 400, 400, Fit::kCover, false, 100, 100},
      {200, 100, 400, 50, Fit::kCover, false, 200, 25},
      {200, 100, 400, 400, Fit::kContain, false, 200, 200},
      {200, 100, 400, 400, Fit::kInside, false, 200, 100},
      {200, 100, 400, 400, Fit::kOutside, false, 200, 100},
      {200, 100, 400, 50, Fit::kOutside, false, 200, 100},
      {200, 100, 400, 50, Fit::kFill, false, 200, 50},
      {200, 100, 400, 0, Fit::kInside, false, 200, 100},
      // Enlarged when asked.
      {200, 100, 400, 400, Fit::kCover, true, 400, 400},
      {200, 100, 400, 400, Fit::kContain, true, 400, 400},
      {200, 100, 400, 400, Fit::kInside, true, 400, 200},
      {200, 100, 400, 400, Fit::kOutside, true, 800, 400},
      {200, 100, 400, 400, Fit::kFill, true, 400, 400},
  };
  for (const Row& row : rows) {
    CAPTURE(row.width);
    CAPTURE(row.height);
    CAPTURE(int(row.fit));
    CAPTURE(row.enlarge);
    const auto out =
        Resize(Gradient(row.source_width, row.source_height, 3),
               {.width = row.width, .height = row.height, .fit = row.fit, .enlarge = row.enlarge});
    REQUIRE(out.ok());
    CHECK(out->width == row.out_width);
    CHECK(out->height == row.out_height);
  }
}

TEST_CASE("a constant picture stays constant, whatever the size") {
  for (int channels : {3, 4}) {
    const Pixels flat = Flat(37, 53, {17, 130, 255, 200}, channels);
    for (auto [width, height] :
         {std::pair{1u, 1u}, {2u, 90u}, {36u, 52u}, {38u, 54u}, {200u, 7u}, {37u, 53u}}) {
      const auto out = Resize(flat, {.width = width, .height = height, .fit = Fit::kFill, .enlarge = true});
      REQUIRE(out.ok());
      CHECK(Distance(*out, Flat(width, height, {17, 130, 255, 200}, channels)) <= (channels == 4 ? 1 : 0));
    }
  }
}

TEST_CASE("the same size gives the same bytes") {
  for (int channels : {3, 4}) {
    const Pixels noise = Noise(31, 17, channels, 1);
    CHECK(Same(*Resize(noise, {.width = 31, .height = 17}), noise));
    CHECK(Same(*Resize(noise, {.width = 500}), noise));
  }
}

TEST_CASE("a smooth picture keeps its colours in place") {
  const Pixels small = *Resize(Gradient(400, 300, 3), {.width = 80, .height = 60});
  CHECK(Distance(small, Gradient(80, 60, 3)) <= 4);
  const Pixels large = *Resize(Gradient(40, 30, 3), {.width = 80, .height = 60, .enlarge = true});
  CHECK(Distance(large, Gradient(80, 60, 3)) <= 8);
}

TEST_CASE("reducing removes what is too fine to show") {
  Pixels stripes = NewPixels(256, 256, 3).value();
  for (uint32_t y = 0; y < 256; ++y) {
    for (uint32_t i = 0; i < 256 * 3; ++i) stripes.row(y)[i] = (i / 3) % 2 == 0 ? 0 : 255;
  }
  const Pixels out = *Resize(stripes, {.width = 50, .height = 50});
  for (uint32_t x = 2; x < 48; ++x) CHECK(std::abs(At(out, x, 25)[0] - 127) <= 12);
}

TEST_CASE("colour under transparent pixels does not bleed into their neighbours") {
  Pixels edge = NewPixels(64, 64, 4).value();
  for (uint32_t y = 0; y < 64; ++y) {
    for (uint32_t x = 0; x < 64; ++x) {
      const uint8_t opaque[4] = {200, 40, 40, 255}, hidden[4] = {0, 255, 0, 0};
      std::copy_n(x < 32 ? opaque : hidden, 4, edge.row(y) + x * 4);
    }
  }
  for (uint32_t side : {13u, 21u, 150u}) {
    const Pixels out = *Resize(edge, {.width = side, .height = side, .enlarge = true});
    bool seen_edge = false;
    for (uint32_t x = 0; x < side; ++x) {
      const auto colour = At(out, x, side / 2);
      seen_edge |= colour[3] > 0 && colour[3] < 255;
      if (colour[3] < 8) continue;  // what is hardly there may be rounded
      CHECK(colour[1] <= 48);
      CHECK(colour[0] >= 190);
    }
    CHECK(seen_edge);
    CHECK(At(out, side - 1, 0) == std::array<int, 4>{0, 0, 0, 0});
  }
}

TEST_CASE("cover cuts both ends alike") {
  Pixels bands = NewPixels(300, 100, 3).value();  // a third each of red, green, blue
  for (uint32_t y = 0; y < 100; ++y) {
    for (uint32_t x = 0; x < 300; ++x) {
      for (uint32_t c = 0; c < 3; ++c) bands.row(y)[x * 3 + c] = x / 100 == c ? 255 : 0;
    }
  }
  const Pixels out = *Resize(bands, {.width = 50, .height = 50, .fit = Fit::kCover});
  for (uint32_t x = 2; x < 48; ++x) CHECK(At(out, x, 25) == std::array<int, 4>{0, 255, 0, 255});
}

TEST_CASE("contain puts the picture in the middle of a transparent canvas") {
  const Pixels out =
      *Resize(Flat(200, 100, {9, 8, 7, 255}, 3), {.width = 50, .height = 50, .fit = Fit::kContain});
  REQUIRE(out.channels == 4);
  CHECK(At(out, 25, 5) == std::array<int, 4>{0, 0, 0, 0});
  CHECK(At(out, 25, 25) == std::array<int, 4>{9, 8, 7, 255});
  CHECK(At(out, 25, 45) == std::array<int, 4>{0, 0, 0, 0});
  CHECK(Resize(Flat(200, 100, {9, 8, 7, 255}, 3), {.width = 50, .height = 25, .fit = Fit::kContain})
            ->channels == 3);
}

TEST_CASE("a position says what cover keeps and where contain puts the picture") {
  Pixels bands = NewPixels(300, 100, 3).value();  // a third each of red, green, blue
  for (uint32_t y = 0; y < 100; ++y) {
    for (uint32_t x = 0; x < 300; ++x) {
      for (uint32_t c = 0; c < 3; ++c) bands.row(y)[x * 3 + c] = x / 100 == c ? 255 : 0;
    }
  }
  const Pixels left = *Resize(bands, {.width = 50, .height = 50, .fit = Fit::kCover, .x = 0}),
               right = *Resize(bands, {.width = 50, .height = 50, .fit = Fit::kCover, .x = 1});
  CHECK(At(left, 20, 25) == std::array<int, 4>{255, 0, 0, 255});
  CHECK(At(right, 30, 25) == std::array<int, 4>{0, 0, 255, 255});
  const Pixels low =
      *Resize(Flat(200, 100, {9, 8, 7, 255}, 3), {.width = 50, .height = 50, .fit = Fit::kContain, .y = 1});
  CHECK(At(low, 25, 24) == std::array<int, 4>{0, 0, 0, 0});
  CHECK(At(low, 25, 26) == std::array<int, 4>{9, 8, 7, 255});
  for (double x : {-0.1, 1.1, double(NAN)})
    CHECK(CodeOf(Resize(bands, {.width = 50, .fit = Fit::kCover, .x = x}).status()) == Code::kInvalid);
}

// The filter's own sums in double precision, premultiplied, over the whole picture.
Pixels Exactly(const Pixels& source, uint32_t width, uint32_t height, Filter filter) {
  const codec::Weights across = codec::WeightsOf(filter, source.width, 0, source.width, width),
                       down = codec::WeightsOf(filter, source.height, 0, source.height, height);
  Pixels out = NewPixels(width, height, source.channels).value();
  const size_t step = static_cast<size_t>(source.channels);
  for (uint32_t y = 0; y < height; ++y) {
    for (uint32_t x = 0; x < width; ++x) {
      double sums[4] = {};
      for (size_t j = 0; j < down.taps; ++j) {
        const uint8_t* row = source.row(down.first[y] + static_cast<uint32_t>(j));
        for (size_t i = 0; i < across.taps; ++i) {
          const uint8_t* pixel = row + (across.first[x] + i) * step;
          const double weight = double(down.values[y * down.taps + j]) * across.values[x * across.taps + i];
          const double alpha = step == 4 ? pixel[3] / 255.0 : 1;
          for (size_t c = 0; c < 3; ++c) sums[c] += weight * alpha * pixel[c];
          if (step == 4) sums[3] += weight * pixel[3];
        }
      }
      const double alpha = step == 4 ? std::min(sums[3], 255.0) / 255 : 1;
      uint8_t* pixel = out.row(y) + x * step;
      for (size_t c = 0; c < 3; ++c)
        pixel[c] = static_cast<uint8_t>(
            std::lround(std::clamp(alpha * 255 < 0.5 ? 0 : sums[c] / alpha, 0.0, 255.0)));
      if (step == 4) pixel[3] = static_cast<uint8_t>(std::lround(std::clamp(sums[3], 0.0, 255.0)));
    }
  }
  return out;
}

TEST_CASE("both filters give what their sums in double precision give") {
  for (int channels : {3, 4}) {
    const Pixels source = Gradient(97, 61, channels);
    for (Filter filter : {Filter::kCatmullRom, Filter::kLanczos3}) {
      for (auto [width, height] : {std::pair{40u, 30u}, {13u, 60u}, {97u, 20u}, {150u, 90u}}) {
        const Pixels out = *Resize(
            source, {.width = width, .height = height, .fit = Fit::kFill, .enlarge = true, .filter = filter});
        CHECK(Distance(out, Exactly(source, width, height, filter)) <= (channels == 4 ? 2 : 1));
      }
    }
  }
}

TEST_CASE("in linear light, black and white in equal parts become the grey that is half as bright as white") {
  Pixels stripes = NewPixels(256, 256, 3).value();
  for (uint32_t y = 0; y < 256; ++y) {
    for (uint32_t i = 0; i < 256 * 3; ++i) stripes.row(y)[i] = (i / 3) % 2 == 0 ? 0 : 255;
  }
  const Pixels out = *Resize(stripes, {.width = 32, .height = 32, .linear_light = true});
  for (uint32_t x = 2; x < 30; ++x) CHECK(std::abs(At(out, x, 16)[0] - 188) <= 2);
  for (int channels : {3, 4}) {
    const Pixels flat = Flat(37, 53, {1, 130, 255, 200}, channels);
    const Pixels small = *Resize(flat, {.width = 9, .height = 11, .fit = Fit::kFill, .linear_light = true});
    CHECK(Distance(small, Flat(9, 11, {1, 130, 255, 200}, channels)) <= (channels == 4 ? 1 : 0));
  }
  const Pixels hidden = Flat(20, 20, {0, 255, 0, 0}, 4);
  CHECK(At(*Resize(hidden, {.width = 5, .linear_light = true}), 2, 2) == std::array<int, 4>{0, 0, 0, 0});
}

TEST_CASE("many sizes at once are what each is alone, but for rounding") {
  const Pixels source = Gradient(640, 480, 3);
  const std::vector<ResizeOptions> sizes = {{.width = 64, .height = 64},
                                            {.width = 150, .height = 150, .fit = Fit::kCover},
                                            {.width = 600, .height = 600, .fit = Fit::kCover},
                                            {.width = 300, .height = 300, .fit = Fit::kCover},
                                            {.width = 100, .height = 90, .fit = Fit::kContain},
                                            {.width = 70, .height = 70, .fit = Fit::kCover, .x = 0}};
  const std::vector<Pixels> all = *ResizeAll(source, sizes);
  REQUIRE(all.size() == sizes.size());
  for (size_t i = 0; i < sizes.size(); ++i) {
    CAPTURE(i);
    CHECK(Distance(all[i], *Resize(source, sizes[i])) <= 2);
  }
  CHECK(ResizeAll(source, {})->empty());
  const std::vector<ResizeOptions> bad = {{.width = 10}, {}};
  CHECK(CodeOf(ResizeAll(source, bad).status()) == Code::kInvalid);
}

TEST_CASE("lines and single pixels resize") {
  for (int channels : {3, 4}) {
    CHECK(Resize(Noise(1, 1, channels, 1), {.width = 64, .height = 64, .enlarge = true})->width == 64);
    CHECK(Resize(Noise(65535, 1, channels, 1), {.width = 100, .height = 100})->height == 1);
    CHECK(Resize(Noise(1, 65535, channels, 1), {.width = 1, .height = 1, .fit = Fit::kFill})->height == 1);
    CHECK(
        Resize(Noise(5, 4000, channels, 1), {.width = 4000, .height = 3, .fit = Fit::kFill, .enlarge = true})
            ->width == 4000);
  }
}

TEST_CASE("no size, no pixels and more than can be held are refused") {
  const Pixels pixels = Gradient(10, 10, 3);
  CHECK(CodeOf(Resize(pixels, {}).status()) == Code::kInvalid);
  CHECK(CodeOf(Resize(Pixels{}, {.width = 5}).status()) == Code::kInvalid);
  CHECK(CodeOf(Resize(pixels, {.width = 100'000, .height = 100'000, .enlarge = true}).status()) ==
        Code::kTooLarge);
  CHECK(CodeOf(Resize(pixels, {.width = 0xFFFFFFFF, .height = 1, .fit = Fit::kOutside, .enlarge = true})
                   .status()) == Code::kTooLarge);
}

TEST_CASE("every instruction set of this machine, and none, gives the same picture") {
  for (int channels : {3, 4}) {
    const Pixels source = Noise(131, 77, channels, 11);
    for (auto [width, height] : {std::pair{40u, 30u}, {13u, 70u}, {200u, 150u}}) {
      const ResizeOptions options = {.width = width, .height = height, .fit = Fit::kFill, .enlarge = true};
      const Pixels best = *Resize(source, options);
      std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
      targets.push_back(HWY_SCALAR);
      for (int64_t target : targets) {
        CAPTURE(target);
        hwy::GetChosenTarget().Update(target);
        CHECK(Distance(*Resize(source, options), best) <= (channels == 4 ? 2 : 1));
      }
      hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    }
  }
}

TEST_CASE("weights sum to one and stay within the line") {
  for (auto [source, size] : {std::pair{1u, 1u}, {1u, 9u}, {100u, 7u}, {7u, 100u}, {5u, 5u}, {1000u, 999u}}) {
    for (Filter filter : {Filter::kCatmullRom, Filter::kLanczos3}) {
      const codec::Weights weights = codec::WeightsOf(filter, source, 0, source, size);
      REQUIRE(weights.first.size() == size);
      for (uint32_t i = 0; i < size; ++i) {
        CHECK(weights.first[i] + weights.taps <= source);
        float sum = 0;
        for (size_t k = 0; k < weights.taps; ++k) sum += weights.values[i * weights.taps + k];
        CHECK(sum == doctest::Approx(1.0));
      }
    }
  }
}

}  // namespace mediagen
