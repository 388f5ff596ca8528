#include "support/quality.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace mediagen::bench {
namespace {

Photo Flat(uint32_t width, uint32_t height, uint8_t value) {
  return {width, height, std::vector<uint8_t>(size_t{width} * height * 3, value)};
}

TEST_CASE("the same size and seed give the same picture, another seed another one") {
  const Photo photo = MakePhoto(40, 30, 7);
  CHECK(photo.rgb.size() == 40 * 30 * 3);
  CHECK(photo.rgb == MakePhoto(40, 30, 7).rgb);
  CHECK(photo.rgb != MakePhoto(40, 30, 8).rgb);
  const auto [least, most] = std::minmax_element(photo.rgb.begin(), photo.rgb.end());
  CHECK(*most - *least > 60);
}

TEST_CASE("an error of one everywhere is 48.13 dB, one of two 6 dB less") {
  const Reference exact = Exactly(Flat(16, 16, 100));
  CHECK(Psnr(exact, Flat(16, 16, 101)) == doctest::Approx(48.1308).epsilon(1e-5));
  CHECK(Psnr(exact, Flat(16, 16, 98)) == doctest::Approx(42.1102).epsilon(1e-5));
  CHECK(Psnr(exact, Flat(16, 16, 100)) > 100);
}

TEST_CASE("a picture is like itself, a little less like a noisy copy, and not like another one") {
  const Photo photo = MakePhoto(64, 64, 1);
  Photo noisy = photo;
  for (size_t i = 0; i < noisy.rgb.size(); i += 3) noisy.rgb[i] = static_cast<uint8_t>(noisy.rgb[i] ^ 8);
  const Reference exact = Exactly(photo);
  CHECK(Ssim(exact, photo) == doctest::Approx(1.0));
  CHECK(Ssim(exact, noisy) < 0.999);
  CHECK(Ssim(exact, MakePhoto(64, 64, 2)) < Ssim(exact, noisy));
}

TEST_CASE("an exact reduction keeps what is constant, and a ramp's slope") {
  for (Kernel kernel : {Kernel::kCatmullRom, Kernel::kLanczos3}) {
    const Reference flat = ReduceExactly(Flat(97, 61, 37), 40, 13, kernel);
    CHECK(flat.rgb.size() == 40 * 13 * 3);
    for (double value : flat.rgb) CHECK(value == doctest::Approx(37.0));
    Photo ramp = Flat(200, 100, 0);
    for (uint32_t y = 0; y < 100; ++y) {
      for (uint32_t x = 0; x < 200; ++x) {
        ramp.rgb[(y * 200 + x) * 3] = static_cast<uint8_t>(x);
        ramp.rgb[(y * 200 + x) * 3 + 1] = static_cast<uint8_t>(y);
      }
    }
    const Reference half = ReduceExactly(ramp, 100, 50, kernel);
    for (uint32_t y = 10; y < 40; ++y) {
      for (uint32_t x = 10; x < 90; ++x) {
        const double* pixel = half.rgb.data() + (size_t{y} * 100 + x) * 3;
        CHECK(std::abs(pixel[0] - (2 * x + 0.5)) < 0.05);
        CHECK(std::abs(pixel[1] - (2 * y + 0.5)) < 0.05);
      }
    }
  }
}

}  // namespace
}  // namespace mediagen::bench
