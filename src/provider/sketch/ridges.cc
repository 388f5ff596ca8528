// Ridges: hills behind hills, each nearer one darker, with mist between them.
#include <cmath>
#include <vector>

#include "provider/sketch/motif.h"

namespace mediagen::sketch {
namespace {

struct Ridge {
  std::vector<float> edge;  // v of its upper edge, by x
  Colour top, foot;
  float mist;  // how far down the mist reaches
};

class Ridges : public Motif {
 public:
  Ridges(const Palette& palette, const Canvas& canvas, uint64_t seed)
      : palette_(palette), canvas_(canvas), grain_(seed + 3) {
    Dice dice(seed);
    const int count = 6 + static_cast<int>(dice.Below(4));
    const float sharp = dice.Unit(), rise = dice.Range(0.17f, 0.32f);
    const size_t first = 4 - dice.Below(2);
    const size_t bright = dice.Below(static_cast<uint32_t>(count - 2)) + 1;
    for (int i = 0; i < count; ++i) {
      const float near = static_cast<float>(i) / static_cast<float>(count - 1);
      ridges_.push_back(Make(near, sharp, rise, dice.Next()));
      // Three of the accents follow each other from far to near: more would be a striped flag.
      const float place = near * 1.999f;
      const auto from = static_cast<size_t>(place);
      const Colour accent = Mix(palette.accents[(first + from) % 4], palette.accents[(first + from + 1) % 4],
                                place - static_cast<float>(from));
      const Colour tone = near < 0.5f ? Mix(palette.sky[2], accent, near * 1.7f)
                                      : Mix(accent, palette.deep, (near - 0.5f) * 1.6f);
      ridges_.back().top = static_cast<size_t>(i) == bright ? Mix(tone, palette.accents[0], 0.6f) : tone;
      ridges_.back().foot =
          Mix(ridges_.back().top, Mix(palette.sky[3], palette.glow, 0.3f), 0.62f * (1 - 0.8f * near));
      ridges_.back().mist = 0.12f + 0.2f * near;
    }
  }

  void PaintRow(uint32_t y, Colour* row) const override {
    const float v = canvas_.v(y), soft = canvas_.pixel() * 1.2f;
    for (size_t i = 0; i < ridges_.size(); ++i) {
      const Ridge& ridge = ridges_[i];
      for (uint32_t x = 0; x < canvas_.width; ++x) {
        const float depth = v - ridge.edge[x];
        if (depth < -soft) continue;
        const float strata = grain_.At(canvas_.u(x) * 3 + static_cast<float>(i) * 7, depth * 22) * 0.10f;
        Colour colour = Mix(ridge.top, ridge.foot, Smooth(0, ridge.mist, depth));
        colour = colour * (1 + strata + 0.35f * std::exp(-depth * 90));  // a lit rim
        row[x] = Mix(row[x], colour, Smooth(-soft, soft, depth) * 0.96f);
      }
    }
  }

 private:
  // `sharp` turns rolling hills into peaks.
  Ridge Make(float near, float sharp, float rise, uint64_t seed) const {
    const Noise noise(seed);
    Dice dice(seed);
    const float base = canvas_.bottom() * (-0.12f + 1.0f * near),
                frequency = dice.Range(1.1f, 1.9f) * (1.25f - 0.35f * near);
    Ridge ridge;
    ridge.edge.resize(canvas_.width);
    for (uint32_t x = 0; x < canvas_.width; ++x) {
      const float u = canvas_.u(x) * frequency;
      const float rolling = noise.Layers(u, 0.5f, 3);
      const float peaks = 0.55f - 1.5f * std::abs(noise.Layers(u * 1.1f, 4.5f, 5));
      ridge.edge[x] = base - rise * (1.15f - 0.5f * near) * ((1 - sharp) * rolling * 1.5f + sharp * peaks);
    }
    return ridge;
  }

  const Palette palette_;
  const Canvas canvas_;
  const Noise grain_;
  std::vector<Ridge> ridges_;
};

}  // namespace

std::unique_ptr<Motif> NewRidges(const Palette& palette, const Canvas& canvas, uint64_t seed) {
  return std::make_unique<Ridges>(palette, canvas, seed);
}

}  // namespace mediagen::sketch
