// The ground: a gradient whose bands flow, noise bent by noise (Quilez, "domain warping"), and a soft sun.
#include <cmath>

#include "provider/sketch/motif.h"

namespace mediagen::sketch {
namespace {

class Background : public Motif {
 public:
  Background(const Palette& palette, const Canvas& canvas, bool sun, uint64_t seed)
      : palette_(palette), canvas_(canvas), bend_(seed + 1), tone_(seed + 2), disc_(sun ? 0.88f : 0) {
    Dice dice(seed);
    tilt_ = dice.Range(-0.35f, 0.35f);
    frequency_ = dice.Range(1.0f, 1.9f);
    strength_ = dice.Range(0.35f, 0.7f);
    sun_u_ = canvas.right() * dice.Range(-0.6f, 0.6f);
    sun_v_ = canvas.bottom() * dice.Range(-0.62f, -0.2f);
    sun_radius_ = dice.Range(0.06f, 0.14f);
  }

  void PaintRow(uint32_t y, Colour* row) const override {
    const float v = canvas_.v(y);
    for (uint32_t x = 0; x < canvas_.width; ++x) {
      const float u = canvas_.u(x);
      const float a = bend_.Layers(u * frequency_, v * frequency_, 2);
      const float b = bend_.Layers(u * frequency_ + 5.2f, v * frequency_ + 1.3f, 2);
      const float flow = tone_.Layers(u * frequency_ + a * 1.4f, v * frequency_ * 1.3f + b * 1.4f, 4);
      const float down = 0.5f + v / (2 * canvas_.bottom()) * 0.9f + u * tilt_;
      row[x] = Sun(u, v, Tone(down + flow * strength_));
    }
  }

 private:
  Colour Tone(float t) const {
    t = Clamp01(t) * 3;
    const int i = t >= 2 ? 2 : t >= 1 ? 1 : 0;
    return Mix(palette_.sky[static_cast<size_t>(i)], palette_.sky[static_cast<size_t>(i) + 1],
               Smooth(0, 1, t - static_cast<float>(i)));
  }

  Colour Sun(float u, float v, Colour under) const {
    const float du = u - sun_u_, dv = v - sun_v_, distance = std::sqrt(du * du + dv * dv);
    const float disc = 1 - Smooth(sun_radius_ - canvas_.pixel(), sun_radius_ + canvas_.pixel(), distance);
    const float halo = std::exp(-distance * 4.5f) * 0.4f;
    return Mix(Screen(under, palette_.glow, halo), palette_.glow, disc * disc_);
  }

  const Palette palette_;
  const Canvas canvas_;
  const Noise bend_, tone_;
  const float disc_;  // how much of the sun itself is seen; its light always is
  float tilt_, frequency_, strength_, sun_u_, sun_v_, sun_radius_;
};

}  // namespace

std::unique_ptr<Motif> NewBackground(const Palette& palette, const Canvas& canvas, bool sun, uint64_t seed) {
  return std::make_unique<Background>(palette, canvas, sun, seed);
}

}  // namespace mediagen::sketch
