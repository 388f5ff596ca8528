// The other way: from a ThumbHash back to what it looks like, in the steps of the format's reference.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include "codec/bytes.h"
#include "codec/formats.h"

namespace mediagen {
namespace {

constexpr uint32_t kLongSide = 32;

// The head of a hash.
struct Head {
  double light, yellow_blue, red_green, alpha = 1;  // means
  double light_scale, yellow_blue_scale, red_green_scale, alpha_scale = 0;
  bool has_alpha, landscape;
  uint32_t lx, ly;  // terms of the light, as they say the aspect ratio
  size_t size;
};

Status NoHash() {
  return Error(Code::kInvalid, "these bytes are no ThumbHash",
               {.hint = "A ThumbHash has 5 to 25 bytes; decode its base64 first."});
}

StatusOr<Head> ReadHead(std::string_view hash) {
  if (hash.size() < 5) return NoHash();
  const uint32_t head = codec::Le24(hash, 0), tail = codec::Le16(hash, 3);
  Head h{};
  h.light = (head & 63) / 63.0;
  h.yellow_blue = (head >> 6 & 63) / 31.5 - 1;
  h.red_green = (head >> 12 & 63) / 31.5 - 1;
  h.light_scale = (head >> 18 & 31) / 31.0;
  h.has_alpha = (head >> 23) != 0;
  h.yellow_blue_scale = (tail >> 3 & 63) / 63.0;
  h.red_green_scale = (tail >> 9 & 63) / 63.0;
  h.landscape = (tail >> 15) != 0;
  const uint32_t most = h.has_alpha ? 5 : 7, least = tail & 7;
  if (least == 0) return NoHash();
  h.lx = h.landscape ? most : least;
  h.ly = h.landscape ? least : most;
  h.alpha = 1;
  h.size = 5;
  if (!h.has_alpha) return h;
  if (hash.size() < 6) return NoHash();
  h.alpha = (codec::U8(hash, 5) & 15) / 15.0;
  h.alpha_scale = (codec::U8(hash, 5) >> 4) / 15.0;
  h.size = 6;
  return h;
}

// One channel's terms, read from the nibbles behind `at`.
struct Waves {
  uint32_t nx, ny;
  std::vector<double> terms;

  Waves(std::string_view hash, size_t start, size_t* at, uint32_t across, uint32_t down, double scale)
      : nx(across), ny(down) {
    for (uint32_t cy = 0; cy < ny; ++cy) {
      for (uint32_t cx = cy == 0 ? 1 : 0; cx * ny < nx * (ny - cy); ++cx, ++*at) {
        const uint32_t nibble = codec::U8(hash, start + *at / 2) >> (*at % 2 * 4) & 15;
        terms.push_back((nibble / 7.5 - 1) * scale);
      }
    }
  }
  double At(double mean, const double* fx, const double* fy) const {
    double value = mean;
    size_t i = 0;
    for (uint32_t cy = 0; cy < ny; ++cy) {
      const double twice = fy[cy] * 2;
      for (uint32_t cx = cy == 0 ? 1 : 0; cx * ny < nx * (ny - cy); ++cx, ++i)
        value += terms[i] * fx[cx] * twice;
    }
    return value;
  }
};

std::array<double, 3> Rgb(double light, double yellow_blue, double red_green) {
  const double blue = light - 2.0 / 3.0 * yellow_blue;
  const double red = (3 * light - blue + red_green) / 2;
  return {red, red - red_green, blue};
}

uint8_t Byte(double value) { return static_cast<uint8_t>(std::max(0.0, 255 * std::min(1.0, value))); }

// cos(π/n · k · (i + ½)) for k below 7.
std::array<double, 7> Cosines(uint32_t i, uint32_t n) {
  std::array<double, 7> out;
  for (uint32_t k = 0; k < out.size(); ++k) out[k] = std::cos(std::numbers::pi / n * (i + 0.5) * k);
  return out;
}

}  // namespace

StatusOr<Pixels> ThumbHashPixels(std::string_view hash) {
  ASSIGN_OR_RETURN(const Head h, ReadHead(hash));
  size_t at = 0;
  const Waves light(hash, h.size, &at, std::max(3u, h.lx), std::max(3u, h.ly), h.light_scale);
  const Waves yellow_blue(hash, h.size, &at, 3, 3, h.yellow_blue_scale * 1.25);
  const Waves red_green(hash, h.size, &at, 3, 3, h.red_green_scale * 1.25);
  const Waves alpha(hash, h.size, &at, h.has_alpha ? 5 : 0, h.has_alpha ? 5 : 0, h.alpha_scale);
  if (hash.size() < h.size + (at + 1) / 2) return NoHash();
  const double ratio = double(h.lx) / h.ly;
  const auto side = [](double length) { return std::max(1u, static_cast<uint32_t>(std::round(length))); };
  const uint32_t width = side(ratio > 1 ? kLongSide : kLongSide * ratio),
                 height = side(ratio > 1 ? kLongSide / ratio : kLongSide);
  ASSIGN_OR_RETURN(Pixels pixels, NewPixels(width, height, 4));
  for (uint32_t y = 0; y < height; ++y) {
    const auto fy = Cosines(y, height);
    for (uint32_t x = 0; x < width; ++x) {
      const auto fx = Cosines(x, width);
      const auto rgb =
          Rgb(light.At(h.light, fx.data(), fy.data()), yellow_blue.At(h.yellow_blue, fx.data(), fy.data()),
              red_green.At(h.red_green, fx.data(), fy.data()));
      uint8_t* pixel = pixels.row(y) + size_t{x} * 4;
      for (size_t c = 0; c < 3; ++c) pixel[c] = Byte(rgb[c]);
      pixel[3] = Byte(alpha.At(h.alpha, fx.data(), fy.data()));
    }
  }
  return pixels;
}

StatusOr<Colour> ThumbHashAverage(std::string_view hash) {
  ASSIGN_OR_RETURN(const Head h, ReadHead(hash));
  const auto rgb = Rgb(h.light, h.yellow_blue, h.red_green);
  const auto round = [](double value) {
    return static_cast<uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
  };
  return Colour{round(rgb[0]), round(rgb[1]), round(rgb[2]), round(h.alpha)};
}

StatusOr<Colour> AverageColour(const Pixels& pixels) {
  RETURN_IF_ERROR(codec::CheckPixels(pixels));
  uint64_t sums[3] = {}, opaque = 0;
  const size_t step = static_cast<size_t>(pixels.channels);
  for (const uint8_t *p = pixels.data.get(), *end = p + pixels.bytes(); p < end; p += step) {
    const uint64_t alpha = step == 4 ? p[3] : 255;
    for (size_t c = 0; c < 3; ++c) sums[c] += p[c] * alpha;
    opaque += alpha;
  }
  if (opaque == 0) return Colour{0, 0, 0, 0};
  const uint64_t count = uint64_t{pixels.width} * pixels.height;
  const auto mean = [](uint64_t sum, uint64_t by) { return static_cast<uint8_t>((sum + by / 2) / by); };
  return Colour{mean(sums[0], opaque), mean(sums[1], opaque), mean(sums[2], opaque), mean(opaque, count)};
}

}  // namespace mediagen
