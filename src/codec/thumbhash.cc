// ThumbHash: a picture in at most 25 bytes, as the low frequencies of its cosine transform. Luminance takes
// up to 7 by 7 terms (5 by 5 beside alpha), the two chroma axes 3 by 3, alpha 5 by 5, each only its upper
// left triangle, four bits a term.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "codec/formats.h"

namespace mediagen {
namespace {

constexpr uint32_t kMaxSide = 100;

// One channel's transform: its mean, its largest term, and the terms scaled to 0–1.
struct Terms {
  double mean = 0, scale = 0;
  std::vector<double> waves;
};

struct Channels {
  std::vector<double> light, yellow_blue, red_green, alpha;
};

uint32_t Quantise(double value, double steps) {
  return static_cast<uint32_t>(std::floor(value * steps + 0.5));
}

// cos(π/n · k · (i + ½)) for every wave k below `waves` and place i below `size`.
std::vector<double> Cosines(uint32_t size, uint32_t waves) {
  std::vector<double> table(size_t{size} * waves);
  for (uint32_t k = 0; k < waves; ++k) {
    for (uint32_t i = 0; i < size; ++i)
      table[size_t{k} * size + i] = std::cos(std::numbers::pi / size * k * (i + 0.5));
  }
  return table;
}

Terms Transform(const std::vector<double>& channel, uint32_t width, uint32_t height, uint32_t nx,
                uint32_t ny) {
  const std::vector<double> across = Cosines(width, nx), down = Cosines(height, ny);
  Terms terms;
  for (uint32_t cy = 0; cy < ny; ++cy) {
    for (uint32_t cx = 0; cx * ny < nx * (ny - cy); ++cx) {
      double sum = 0;
      for (uint32_t y = 0; y < height; ++y) {
        const double wave = down[size_t{cy} * height + y];
        for (uint32_t x = 0; x < width; ++x)
          sum += channel[size_t{y} * width + x] * across[size_t{cx} * width + x] * wave;
      }
      sum /= static_cast<double>(width) * height;
      if (cx == 0 && cy == 0) {
        terms.mean = sum;
      } else {
        terms.waves.push_back(sum);
        terms.scale = std::max(terms.scale, std::abs(sum));
      }
    }
  }
  // Of a flat channel only rounding noise is left: its terms are written as 0, so the hash is the same on
  // every machine.
  constexpr double kNoise = 1e-9;
  for (double& wave : terms.waves) wave = terms.scale > kNoise ? 0.5 + 0.5 / terms.scale * wave : 0;
  return terms;
}

// Translucent pixels are seen over the picture's mean colour. Returns whether any pixel is translucent.
bool Split(const Pixels& pixels, Channels* out) {
  const size_t count = size_t{pixels.width} * pixels.height, step = static_cast<size_t>(pixels.channels);
  const auto alpha_at = [&](const uint8_t* p) { return step == 4 ? p[3] / 255.0 : 1.0; };
  std::array<double, 3> mean{};
  double opaque = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* p = pixels.data.get() + i * step;
    for (size_t c = 0; c < 3; ++c) mean[c] += alpha_at(p) / 255.0 * p[c];
    opaque += alpha_at(p);
  }
  if (opaque > 0) {
    for (double& value : mean) value /= opaque;
  }
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* p = pixels.data.get() + i * step;
    const double alpha = alpha_at(p);
    std::array<double, 3> rgb;
    for (size_t c = 0; c < 3; ++c) rgb[c] = mean[c] * (1 - alpha) + alpha / 255.0 * p[c];
    out->light.push_back((rgb[0] + rgb[1] + rgb[2]) / 3);
    out->yellow_blue.push_back((rgb[0] + rgb[1]) / 2 - rgb[2]);
    out->red_green.push_back(rgb[0] - rgb[1]);
    out->alpha.push_back(alpha);
  }
  return opaque < static_cast<double>(count);
}

void AppendNibbles(const std::vector<double>& waves, std::string* out, bool* half) {
  for (double wave : waves) {
    const uint32_t nibble = Quantise(wave, 15);
    if (*half) {
      out->back() = static_cast<char>(static_cast<uint8_t>(out->back()) | nibble << 4);
    } else {
      out->push_back(static_cast<char>(nibble));
    }
    *half = !*half;
  }
}

std::string Hash(const Pixels& pixels) {
  const uint32_t width = pixels.width, height = pixels.height;
  Channels channels;
  const bool alpha = Split(pixels, &channels);
  const double most = alpha ? 5 : 7, longest = std::max(width, height);
  const uint32_t lx = std::max(1u, Quantise(most * width / longest, 1)),
                 ly = std::max(1u, Quantise(most * height / longest, 1));
  const Terms l = Transform(channels.light, width, height, std::max(3u, lx), std::max(3u, ly));
  const Terms p = Transform(channels.yellow_blue, width, height, 3, 3);
  const Terms q = Transform(channels.red_green, width, height, 3, 3);
  const bool landscape = width > height;
  const uint32_t head = Quantise(l.mean, 63) | Quantise(0.5 + 0.5 * p.mean, 63) << 6 |
                        Quantise(0.5 + 0.5 * q.mean, 63) << 12 | Quantise(l.scale, 31) << 18 |
                        uint32_t{alpha} << 23;
  const uint32_t tail = (landscape ? ly : lx) | Quantise(p.scale, 63) << 3 | Quantise(q.scale, 63) << 9 |
                        uint32_t{landscape} << 15;
  std::string out;
  for (uint32_t byte : {head, head >> 8, head >> 16, tail, tail >> 8}) out.push_back(static_cast<char>(byte));
  bool half = false;
  if (alpha) {
    const Terms a = Transform(channels.alpha, width, height, 5, 5);
    out.push_back(static_cast<char>(Quantise(a.mean, 15) | Quantise(a.scale, 15) << 4));
    for (const Terms* terms : {&l, &p, &q, &a}) AppendNibbles(terms->waves, &out, &half);
  } else {
    for (const Terms* terms : {&l, &p, &q}) AppendNibbles(terms->waves, &out, &half);
  }
  return out;
}

}  // namespace

StatusOr<std::string> ThumbHash(const Pixels& pixels) {
  RETURN_IF_ERROR(codec::CheckPixels(pixels));
  if (pixels.width <= kMaxSide && pixels.height <= kMaxSide) return Hash(pixels);
  ASSIGN_OR_RETURN(const Pixels small, Resize(pixels, {.width = kMaxSide, .height = kMaxSide}));
  return Hash(small);
}

}  // namespace mediagen
