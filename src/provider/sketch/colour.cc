#include "provider/sketch/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace mediagen::sketch {
namespace {

Colour FromOklab(float lightness, float a, float b) {
  const float l = lightness + 0.3963377774f * a + 0.2158037573f * b;
  const float m = lightness - 0.1055613458f * a - 0.0638541728f * b;
  const float s = lightness - 0.0894841775f * a - 1.2914855480f * b;
  const float l3 = l * l * l, m3 = m * m * m, s3 = s * s * s;
  return {4.0767416621f * l3 - 3.3077115913f * m3 + 0.2309699292f * s3,
          -1.2684380046f * l3 + 2.6097574011f * m3 - 0.3413193965f * s3,
          -0.0041960863f * l3 - 0.7034186147f * m3 + 1.7076147010f * s3};
}

bool Shown(Colour c) {
  constexpr float kSlack = 0.002f;
  return std::min({c.r, c.g, c.b}) >= -kSlack && std::max({c.r, c.g, c.b}) <= 1 + kSlack;
}

double SrgbOf(double linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
}

constexpr size_t kSteps = 4096;

// Made once for each drawing thread's first use; a function's static is safe and costs nothing when no sketch
// is drawn.
const std::array<float, kSteps + 2>& Table() {
  static const std::array<float, kSteps + 2> table = [] {
    std::array<float, kSteps + 2> values{};
    // Over the square root, where the curve is nearly straight.
    for (size_t i = 0; i < values.size(); ++i) {
      const double root = static_cast<double>(i) / kSteps;
      values[i] = static_cast<float>(255 * SrgbOf(root * root));
    }
    return values;
  }();
  return table;
}

}  // namespace

Colour Oklch(float lightness, float chroma, float hue) {
  const float angle = hue * std::numbers::pi_v<float> / 180;
  const float a = std::cos(angle), b = std::sin(angle);
  lightness = Clamp01(lightness);
  Colour colour = FromOklab(lightness, chroma * a, chroma * b);
  for (int i = 0; i < 40 && !Shown(colour); ++i) {
    chroma *= 0.94f;
    colour = FromOklab(lightness, chroma * a, chroma * b);
  }
  return {Clamp01(colour.r), Clamp01(colour.g), Clamp01(colour.b)};
}

float ToSrgb255(float linear) {
  const float place = std::sqrt(Clamp01(linear)) * kSteps;
  const size_t i = static_cast<size_t>(place);
  const float part = place - static_cast<float>(i);
  return Table()[i] + (Table()[i + 1] - Table()[i]) * part;
}

}  // namespace mediagen::sketch
