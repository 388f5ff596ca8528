// Petals: rings of petals around one heart, the inner over the outer, each ring with veins and a shadow on
// the one below.
#include <cmath>
#include <numbers>
#include <vector>

#include "provider/sketch/motif.h"

namespace mediagen::sketch {
namespace {

struct Ring {
  float radius, petals, turn, depth, point;
  Colour heart, tip;
};

class Petals : public Motif {
 public:
  Petals(const Palette& palette, const Canvas& canvas, uint64_t seed)
      : palette_(palette), canvas_(canvas), ripple_(seed + 7) {
    Dice dice(seed);
    u_ = dice.Range(-0.22f, 0.22f) * canvas.right();
    v_ = dice.Range(-0.1f, 0.24f) * canvas.bottom();
    const uint32_t count = 6 + dice.Below(4);
    const float petals = static_cast<float>(5 + dice.Below(8)), reach = dice.Range(0.5f, 0.66f),
                twist = dice.Range(0.2f, 0.6f);
    for (uint32_t i = 0; i < count; ++i) {
      const float out = 1 - static_cast<float>(i) / static_cast<float>(count);
      Ring ring{reach * std::pow(out, 0.85f), petals + static_cast<float>(i / 3),
                twist * static_cast<float>(i), dice.Range(0.3f, 0.5f), dice.Range(0.55f, 1.1f)};
      ring.tip = Mix(palette.accents[i % 5], palette.glow, dice.Range(0, 0.22f));
      ring.heart = Mix(palette.accents[(i + 1) % 5], palette.deep, 0.35f + 0.35f * out);
      rings_.push_back(ring);
    }
  }

  void PaintRow(uint32_t y, Colour* row) const override {
    const float dv = canvas_.v(y) - v_;
    for (uint32_t x = 0; x < canvas_.width; ++x) {
      const float du = canvas_.u(x) - u_;
      const float radius = std::sqrt(du * du + dv * dv) * (1 + 0.05f * ripple_.At(du * 4, dv * 4)),
                  angle = std::atan2(dv, du);
      for (const Ring& ring : rings_) {
        if (radius < ring.radius * 1.12f) row[x] = Paint(ring, radius, angle, row[x]);
      }
      const float heart = Smooth(0.045f, 0.035f, radius);
      row[x] = Mix(row[x], Mix(palette_.glow, palette_.accents[0], Smooth(0, 0.045f, radius)), heart);
    }
  }

 private:
  Colour Paint(const Ring& ring, float radius, float angle, Colour under) const {
    const float swing = std::abs(std::cos(0.5f * ring.petals * angle + ring.turn));
    const float edge = ring.radius * (1 - ring.depth + ring.depth * std::pow(swing, ring.point));
    const float soft = canvas_.pixel() * 1.3f;
    const float inside = 1 - Smooth(edge - soft, edge + soft, radius);
    const float shadow = std::exp(-std::max(0.0f, radius - edge) * 34) * 0.3f;
    const Colour behind = Mix(under, palette_.deep * 0.6f, shadow * (1 - inside));
    if (inside <= 0) return behind;
    const float t = radius / edge;
    const float vein =
        1 + 0.09f * std::sin(angle * ring.petals * 7 + ring.turn * 3) * t + 0.1f * (swing - 0.6f);
    Colour colour = Mix(ring.heart, ring.tip, t * t * (3 - 2 * t)) * vein;
    colour = Screen(colour, palette_.glow, 0.32f * Smooth(0.9f, 1, t));
    return Mix(behind, colour, inside * 0.93f);
  }

  const Palette palette_;
  const Canvas canvas_;
  const Noise ripple_;
  float u_, v_;
  std::vector<Ring> rings_;
};

}  // namespace

std::unique_ptr<Motif> NewPetals(const Palette& palette, const Canvas& canvas, uint64_t seed) {
  return std::make_unique<Petals>(palette, canvas, seed);
}

}  // namespace mediagen::sketch
