// Orbs: one or two worlds lit from the side, and bubbles of every size before and behind them.
#include <cmath>
#include <vector>

#include "provider/sketch/motif.h"

namespace mediagen::sketch {
namespace {

struct Orb {
  float u, v, radius;
  Colour colour, other;
  float opacity;
  bool solid;
  float turn;  // of a world's bands
};

class Orbs : public Motif {
 public:
  Orbs(const Palette& palette, const Canvas& canvas, uint64_t seed)
      : palette_(palette), canvas_(canvas), surface_(seed + 5) {
    Dice dice(seed);
    light_ = dice.Range(-2.6f, -0.6f);
    const uint32_t small = 16 + dice.Below(14), worlds = 1 + dice.Below(2);
    for (uint32_t i = 0; i < small; ++i) Add(&dice, 0.02f + 0.13f * std::pow(dice.Unit(), 2.4f), false);
    for (uint32_t i = 0; i < worlds; ++i)
      Add(&dice, i == 0 ? dice.Range(0.2f, 0.31f) : dice.Range(0.07f, 0.13f), true);
    for (uint32_t i = 0; i < small / 3; ++i) Add(&dice, dice.Range(0.015f, 0.07f), false);
  }

  void PaintRow(uint32_t y, Colour* row) const override {
    const float v = canvas_.v(y);
    for (const Orb& orb : orbs_) {
      const float dv = (v - orb.v) / orb.radius;
      if (std::abs(dv) > 1.15f) continue;
      for (uint32_t x = 0; x < canvas_.width; ++x) {
        const float du = (canvas_.u(x) - orb.u) / orb.radius, distance = std::sqrt(du * du + dv * dv);
        if (distance > 1.15f) continue;
        row[x] = orb.solid ? World(orb, du, dv, distance, row[x]) : Bubble(orb, du, dv, distance, row[x]);
      }
    }
  }

 private:
  void Add(Dice* dice, float radius, bool solid) {
    const float reach = solid ? 0.45f : 1.02f;
    Orb orb{dice->Range(-reach, reach) * canvas_.right(), dice->Range(-reach, reach) * canvas_.bottom(),
            radius};
    orb.colour = palette_.accents[dice->Below(5)];
    orb.other = solid ? palette_.accents[dice->Below(5)] : palette_.glow;
    orb.opacity = dice->Range(0.35f, 0.8f);
    orb.solid = solid;
    orb.turn = dice->Range(-0.7f, 0.7f);
    orbs_.push_back(orb);
  }

  float Inside(const Orb& orb, float distance) const {
    const float soft = canvas_.pixel() * 1.2f / orb.radius;
    return 1 - Smooth(1 - soft, 1 + soft, distance);
  }

  Colour World(const Orb& orb, float du, float dv, float distance, Colour under) const {
    const float air = std::exp(-std::max(0.0f, distance - 1) * 28) * 0.32f;
    const Colour behind = Screen(under, orb.colour, air * Smooth(1.15f, 1.0f, distance));
    const float inside = Inside(orb, distance);
    if (inside <= 0) return behind;
    const float height = std::sqrt(std::max(0.0f, 1 - distance * distance));
    const float across = du * std::cos(orb.turn) - dv * std::sin(orb.turn),
                along = du * std::sin(orb.turn) + dv * std::cos(orb.turn);
    const float bands = surface_.Layers(across * 1.2f + orb.u * 9,
                                        along * 4.5f + surface_.At(across * 2, along * 2) * 0.8f, 4);
    const Colour ground = Mix(orb.colour, Mix(orb.other, palette_.glow, 0.2f), Clamp01(0.5f + bands * 1.1f));
    const float facing = (du * std::cos(light_) + dv * std::sin(light_)) * 0.8f + 0.6f * height;
    const float lit = 0.05f + 0.95f * Smooth(-0.5f, 0.95f, facing);
    const Colour shaded = Mix(Mix(palette_.deep * 0.6f, ground, 0.06f), ground, lit);
    return Mix(behind, Screen(shaded, palette_.glow, 0.3f * lit * lit * (1 - height)), inside);
  }

  Colour Bubble(const Orb& orb, float du, float dv, float distance, Colour under) const {
    const float inside = Inside(orb, distance);
    if (inside <= 0) return under;
    const float rim = distance * distance * distance;
    const float hu = du - 0.42f * std::cos(light_), hv = dv - 0.42f * std::sin(light_);
    const float highlight = std::exp(-(hu * hu + hv * hv) * 16) * 0.75f;
    const Colour body = Mix(under, Mix(orb.colour, orb.other, 0.35f * (0.5f - 0.5f * dv)),
                            orb.opacity * (0.4f + 0.5f * rim) * inside);
    const float edge = Smooth(0.86f, 1, distance) * inside * 0.35f;
    return Screen(body, palette_.glow, (highlight + edge) * orb.opacity);
  }

  const Palette palette_;
  const Canvas canvas_;
  const Noise surface_;
  float light_;
  std::vector<Orb> orbs_;
};

}  // namespace

std::unique_ptr<Motif> NewOrbs(const Palette& palette, const Canvas& canvas, uint64_t seed) {
  return std::make_unique<Orbs>(palette, canvas, seed);
}

}  // namespace mediagen::sketch
