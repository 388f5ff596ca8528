// Ribbons: bands of silk across the picture, bright along one edge and fading to the other, threads within.
#include <cmath>
#include <vector>

#include "provider/sketch/motif.h"

namespace mediagen::sketch {
namespace {

struct Ribbon {
  std::vector<float> middle, half;  // v of its middle and half its width, by x
  Colour from, to;
  float opacity, threads;
};

class Ribbons : public Motif {
 public:
  Ribbons(const Palette& palette, const Canvas& canvas, uint64_t seed) : palette_(palette), canvas_(canvas) {
    Dice dice(seed);
    const uint32_t count = 9 + dice.Below(6);
    const float slope = dice.Range(-0.55f, 0.55f), wave = dice.Range(0.8f, 1.6f);
    const Noise flow(dice.Next());
    for (uint32_t i = 0; i < count; ++i) {
      const float place = (static_cast<float>(i) + 0.5f) / static_cast<float>(count);
      Ribbon ribbon;
      ribbon.from = palette.accents[dice.Below(3)];
      ribbon.to = Mix(palette.accents[dice.Below(4)], palette.deep, dice.Range(0, 0.45f));
      ribbon.opacity = dice.Range(0.65f, 1);
      ribbon.threads = dice.Range(9, 26);
      const float width = dice.Range(0.06f, 0.2f), base = canvas.bottom() * (place * 2 - 1) * 0.95f,
                  phase = dice.Range(0, 0.8f);
      for (uint32_t x = 0; x < canvas.width; ++x) {
        const float u = canvas.u(x);
        ribbon.middle.push_back(base + u * slope + 0.30f * flow.Layers(u * wave + phase, place * 1.1f, 2));
        ribbon.half.push_back(
            width * (0.35f + std::abs(1.1f + 1.5f * flow.At(u * wave * 1.4f + 31, place * 4 + phase))));
      }
      ribbons_.push_back(std::move(ribbon));
    }
  }

  void PaintRow(uint32_t y, Colour* row) const override {
    const float v = canvas_.v(y), pixel = canvas_.pixel();
    for (const Ribbon& ribbon : ribbons_) {
      for (uint32_t x = 0; x < canvas_.width; ++x) {
        const float t =
            (v - ribbon.middle[x]) / ribbon.half[x];  // -1 at the bright edge, 1 where it has faded
        if (t < -1.1f || t > 1) continue;
        const float edge = pixel * 1.5f / ribbon.half[x];
        const float fade = 0.5f - 0.5f * t;
        const float alpha = Smooth(-1 - edge, -1 + edge, t) * ribbon.opacity * fade * (0.75f + 0.25f * fade);
        const float sheen = std::exp(-(t + 0.72f) * (t + 0.72f) * 26) * 0.3f +
                            std::exp(-(t + 0.99f) * (t + 0.99f) * 900) * 0.5f;
        const float thread = 1 + 0.07f * std::sin(t * ribbon.threads + canvas_.u(x) * 5);
        const Colour colour =
            Screen(Mix(ribbon.from, ribbon.to, 0.5f + 0.5f * t) * thread, palette_.glow, sheen);
        row[x] = Mix(row[x], colour, alpha);
      }
    }
  }

 private:
  const Palette palette_;
  const Canvas canvas_;
  std::vector<Ribbon> ribbons_;
};

}  // namespace

std::unique_ptr<Motif> NewRibbons(const Palette& palette, const Canvas& canvas, uint64_t seed) {
  return std::make_unique<Ribbons>(palette, canvas, seed);
}

}  // namespace mediagen::sketch
