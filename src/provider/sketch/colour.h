// Colours as light: linear RGB, so that mixing and glowing look as they do in the world. Chosen in OKLCH
// (Ottosson 2020), where equal steps look equal. Internal to sketch/.
#pragma once

#include <cstdint>

namespace mediagen::sketch {

struct Colour {
  float r = 0, g = 0, b = 0;
};

inline Colour operator+(Colour a, Colour b) { return {a.r + b.r, a.g + b.g, a.b + b.b}; }
inline Colour operator*(Colour a, float k) { return {a.r * k, a.g * k, a.b * k}; }
inline Colour Mix(Colour a, Colour b, float t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}
// Light on light, never past white.
inline Colour Screen(Colour a, Colour b, float k) {
  return {a.r + (1 - a.r) * b.r * k, a.g + (1 - a.g) * b.g * k, a.b + (1 - a.b) * b.b * k};
}

// `lightness` 0–1, `chroma` 0–0.37, `hue` in degrees. Chroma that the screen cannot show is given up,
// lightness and hue are kept.
Colour Oklch(float lightness, float chroma, float hue);

// 0–255 with a fraction (sRGB's transfer function, IEC 61966-2-1), for a caller that dithers.
float ToSrgb255(float linear);

inline float Clamp01(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
// 0 up to `a`, 1 from `b` on, smooth between.
inline float Smooth(float a, float b, float x) {
  const float t = Clamp01((x - a) / (b - a));
  return t * t * (3 - 2 * t);
}

}  // namespace mediagen::sketch
