// Chance that is the same for the same seed on every run: dice, and gradient noise (Perlin, SIGGRAPH 2002).
// Internal to sketch/.
#pragma once

#include <cstdint>

namespace mediagen::sketch {

// splitmix64.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  float Unit() { return static_cast<float>(Next() >> 40) * 0x1p-24f; }  // [0, 1)
  float Range(float low, float high) { return low + (high - low) * Unit(); }
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>((Next() >> 32) * bound >> 32); }

 private:
  uint64_t state_;
};

inline uint32_t HashCell(uint32_t x, uint32_t y, uint32_t seed) {
  uint32_t h = x * 0x85EBCA6Bu ^ y * 0xC2B2AE35u ^ seed * 0x27D4EB2Fu;
  h = (h ^ h >> 15) * 0x2C1B3C6Du;
  h = (h ^ h >> 12) * 0x297A2D39u;
  return h ^ h >> 15;
}

// floor(x) for |x| < 2^31, without the function call that it is before SSE 4.1.
inline int32_t Floor(float x) {
  const auto whole = static_cast<int32_t>(x);
  return whole - (x < static_cast<float>(whole) ? 1 : 0);
}

// About -1 to 1; 0 on the lattice; features of size 1.
class Noise {
 public:
  explicit Noise(uint64_t seed) : seed_(static_cast<uint32_t>(seed ^ seed >> 32)) {}

  float At(float x, float y) const {
    const int32_t fx = Floor(x), fy = Floor(y);
    const auto ix = static_cast<uint32_t>(fx), iy = static_cast<uint32_t>(fy);
    const float px = x - static_cast<float>(fx), py = y - static_cast<float>(fy), tx = Fade(px);
    const float top = Lerp(Corner(ix, iy, px, py), Corner(ix + 1, iy, px - 1, py), tx);
    const float bottom = Lerp(Corner(ix, iy + 1, px, py - 1), Corner(ix + 1, iy + 1, px - 1, py - 1), tx);
    return Lerp(top, bottom, Fade(py)) * 1.4f;
  }

  // Octaves of it, each twice as fine and half as strong; about -1 to 1.
  float Layers(float x, float y, int octaves) const {
    float sum = 0, strength = 0.55f;
    for (int i = 0; i < octaves; ++i, strength *= 0.5f) {
      sum += strength * At(x, y);
      const float turned = 1.6f * x - 1.2f * y + 17.3f;  // turned between octaves: no lattice shows through
      y = 1.2f * x + 1.6f * y - 9.1f;
      x = turned;
    }
    return sum;
  }

 private:
  static float Fade(float t) { return t * t * t * (t * (t * 6 - 15) + 10); }
  static float Lerp(float a, float b, float t) { return a + (b - a) * t; }
  float Corner(uint32_t x, uint32_t y, float dx, float dy) const {
    const uint32_t h = HashCell(x, y, seed_);
    const float gx = static_cast<float>(h & 0xFFFF) * (2 / 65535.0f) - 1,
                gy = static_cast<float>(h >> 16) * (2 / 65535.0f) - 1;
    return gx * dx + gy * dy;
  }

  uint32_t seed_;
};

}  // namespace mediagen::sketch
