#include "support/photo.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mediagen::bench {
namespace {

struct Rgb {
  double red, green, blue;
};

Rgb Mix(const Rgb& a, const Rgb& b, double share) {
  return {a.red + (b.red - a.red) * share, a.green + (b.green - a.green) * share,
          a.blue + (b.blue - a.blue) * share};
}

// Equally distributed over 32 bits, from integers alone.
uint32_t Hash(uint32_t x, uint32_t y, uint32_t seed) {
  uint32_t h = x * 0x9E3779B1u ^ y * 0x85EBCA77u ^ seed * 0xC2B2AE3Du;
  h = (h ^ h >> 16) * 0x7FEB352Du;
  h = (h ^ h >> 15) * 0x846CA68Bu;
  return h ^ h >> 16;
}

double Unit(uint32_t x, uint32_t y, uint32_t seed) { return Hash(x, y, seed) / 4294967296.0; }

// Random values on a grid with smooth curves between them.
double ValueNoise(double x, double y, uint32_t seed) {
  const uint32_t left = static_cast<uint32_t>(x), top = static_cast<uint32_t>(y);
  const auto smooth = [](double t) { return t * t * (3 - 2 * t); };
  const double across = smooth(x - left), down = smooth(y - top);
  const auto between = [&](uint32_t row) {
    const double a = Unit(left, row, seed), b = Unit(left + 1, row, seed);
    return a + (b - a) * across;
  };
  const double above = between(top), below = between(top + 1);
  return above + (below - above) * down;
}

// Texture at every scale, 0–1: each octave has half the size of the one before and half its contrast.
double Texture(double x, double y, int octaves, uint32_t seed) {
  double sum = 0, most = 0, contrast = 1;
  for (int i = 0; i < octaves; ++i, contrast /= 2, x *= 2, y *= 2) {
    sum += contrast * ValueNoise(x, y, seed + static_cast<uint32_t>(i));
    most += contrast;
  }
  return sum / most;
}

// A disc or a bar of its own colour, whose edge is one pixel soft.
struct Shape {
  double x, y, width, height, cos, sin;
  bool round;
  Rgb colour;
  double grain;

  double Coverage(double px, double py) const {
    const double dx = px - x, dy = py - y;
    const double u = std::abs(dx * cos + dy * sin), v = std::abs(dy * cos - dx * sin);
    const double inside = round ? (1 - std::hypot(u / width, v / height)) * std::min(width, height)
                                : std::min(width - u, height - v);
    return std::clamp(inside + 0.5, 0.0, 1.0);
  }
};

constexpr int kShapes = 24;

std::vector<Shape> Shapes(uint32_t width, uint32_t height, uint32_t seed) {
  std::vector<Shape> shapes;
  for (uint32_t i = 0; i < kShapes; ++i) {
    const auto unit = [&](uint32_t what) { return Unit(i, what, seed); };
    const double size = std::min(width, height) * (0.02 + 0.2 * unit(0) * unit(1)), angle = 6.3 * unit(2);
    shapes.push_back({width * unit(3), height * unit(4), size * (0.3 + unit(5)), size * (0.1 + 0.6 * unit(6)),
                      std::cos(angle), std::sin(angle), unit(7) < 0.5,
                      Rgb{255 * unit(8), 255 * unit(9), 255 * unit(10)}, 60 * unit(11)});
  }
  return shapes;
}

}  // namespace

Photo MakePhoto(uint32_t width, uint32_t height, uint32_t seed) {
  constexpr Rgb kSky{96, 148, 214}, kHaze{232, 214, 190}, kEarth{88, 74, 46}, kLeaf{52, 96, 40};
  const std::vector<Shape> shapes = Shapes(width, height, seed);
  Photo photo{width, height, std::vector<uint8_t>(size_t{width} * height * 3)};
  uint8_t* out = photo.rgb.data();
  for (uint32_t y = 0; y < height; ++y) {
    const double v = double(y) / height;
    for (uint32_t x = 0; x < width; ++x) {
      const double u = double(x) / height;
      const double hills = 0.45 + 0.25 * ValueNoise(4 * u, 0, seed + 50);
      const double coarse = Texture(6 * u, 6 * v, 3, seed + 60);
      const double fine = Texture(24 * u, 24 * v, 4, seed + 70) - 0.5;
      const bool above = v < hills;
      Rgb colour =
          above ? Mix(kSky, kHaze, v / hills * 0.8 + 0.3 * coarse) : Mix(kEarth, kLeaf, 1.6 * coarse - 0.3);
      double light = above ? 14 * fine : 120 * fine;
      for (const Shape& shape : shapes) {
        const double coverage = shape.Coverage(x, y);
        if (coverage == 0) continue;
        colour = Mix(colour, shape.colour, coverage);
        light += (shape.grain * fine - light) * coverage;
      }
      // The sum of two equal distributions is nearer to a sensor's noise than one.
      const double noise = 5 * (Unit(x, y, seed + 90) + Unit(x, y, seed + 91) - 1);
      for (double channel : {colour.red, colour.green, colour.blue})
        *out++ = static_cast<uint8_t>(std::lround(std::clamp(channel + light + noise, 0.0, 255.0)));
    }
  }
  return photo;
}

}  // namespace mediagen::bench
