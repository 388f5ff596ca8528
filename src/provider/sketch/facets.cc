// Facets: cut glass. The cells of a jittered grid (Worley, SIGGRAPH 1996), each a plane of its own tone,
// light along the cuts.
#include <cmath>

#include "provider/sketch/motif.h"

namespace mediagen::sketch {
namespace {

struct Cell {
  float first = 9, second = 9;  // squared distances of the nearest two points
  uint32_t hash = 0;
  float u = 0, v = 0;  // the nearest point
};

class Facets : public Motif {
 public:
  Facets(const Palette& palette, const Canvas& canvas, uint64_t seed)
      : palette_(palette), canvas_(canvas), bend_(seed + 9), seed_(static_cast<uint32_t>(seed)) {
    Dice dice(seed);
    density_ = dice.Range(3.6f, 6.5f);
    const float angle = dice.Range(0, 6.28f);
    cos_ = std::cos(angle);
    sin_ = std::sin(angle);
    stretch_ = dice.Range(1, 1.9f);
  }

  void PaintRow(uint32_t y, Colour* row) const override {
    const float v = canvas_.v(y);
    for (uint32_t x = 0; x < canvas_.width; ++x) {
      const float u = canvas_.u(x);
      const float a = (u * cos_ - v * sin_) * density_, b = (u * sin_ + v * cos_) * density_ / stretch_;
      const Cell large = Nearest(a, b, seed_);
      row[x] = Shade(large, a, b, row[x], 1);
      if ((large.hash & 3) != 0)
        row[x] = Shade(Nearest(a * 2.3f, b * 2.3f, seed_ + large.hash), a * 2.3f, b * 2.3f, row[x],
                       0.45f);  // cut again
    }
  }

 private:
  static Cell Nearest(float a, float b, uint32_t seed) {
    Cell cell;
    const int32_t whole_a = Floor(a), whole_b = Floor(b);
    for (int j = -1; j <= 1; ++j) {
      for (int i = -1; i <= 1; ++i) {
        const int32_t ca = whole_a + i, cb = whole_b + j;
        const uint32_t hash = HashCell(static_cast<uint32_t>(ca), static_cast<uint32_t>(cb), seed);
        const float pa = static_cast<float>(ca) + static_cast<float>(hash & 0xFFFF) * (1 / 65535.0f);
        const float pb = static_cast<float>(cb) + static_cast<float>(hash >> 16) * (1 / 65535.0f);
        const float distance = (pa - a) * (pa - a) + (pb - b) * (pb - b);
        if (distance < cell.first) {
          cell = {distance, cell.first, hash, pa, pb};
        } else if (distance < cell.second) {
          cell.second = distance;
        }
      }
    }
    return cell;
  }

  Colour Shade(const Cell& cell, float a, float b, Colour under, float weight) const {
    const uint32_t hash = cell.hash * 0x9E3779B1u;
    const float chance = static_cast<float>(hash >> 16 & 0xFF) / 255.0f,
                lean = static_cast<float>(hash >> 8 & 0xFF) / 255.0f * 6.28f;
    // Neighbouring cells share a colour, so the facets form larger shapes.
    const float region =
        0.3f + 0.8f * bend_.Layers(cell.u * 0.28f, cell.v * 0.28f, 2) + (chance - 0.5f) * 0.25f;
    const float place = Clamp01(region) * 3.999f;
    const auto i = static_cast<size_t>(place);
    const Colour tone = Mix(palette_.accents[i], palette_.accents[i + 1 < 5 ? i + 1 : 4],
                            Smooth(0.2f, 0.8f, place - static_cast<float>(i)));
    const float slope = (a - cell.u) * std::cos(lean) + (b - cell.v) * std::sin(lean);
    const float light = 0.95f + 0.62f * slope + (chance - 0.5f) * 0.85f;
    Colour facet = light > 1 ? Screen(tone, palette_.glow, (light - 1) * 0.75f)
                             : Mix(palette_.deep, tone, std::max(0.0f, light));
    facet = Mix(under, facet, (0.6f + 0.35f * chance) * weight);
    const float cut = std::sqrt(cell.second) - std::sqrt(cell.first);
    const float line = 1 - Smooth(0, 0.012f + canvas_.pixel() * density_ * 1.5f, cut);
    return Screen(facet, palette_.glow, (line * 0.5f + std::exp(-cut * 9) * 0.1f) * weight);
  }

  const Palette palette_;
  const Canvas canvas_;
  const Noise bend_;
  const uint32_t seed_;
  float density_, cos_, sin_, stretch_;
};

}  // namespace

std::unique_ptr<Motif> NewFacets(const Palette& palette, const Canvas& canvas, uint64_t seed) {
  return std::make_unique<Facets>(palette, canvas, seed);
}

}  // namespace mediagen::sketch
