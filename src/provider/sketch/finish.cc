// What every drawing gets at last: specks of light, the strokes of a brush, darker corners.
#include <cmath>
#include <vector>

#include "provider/sketch/motif.h"

namespace mediagen::sketch {
namespace {

struct Speck {
  float u, v, radius, strength;
};

class Specks : public Motif {
 public:
  Specks(const Palette& palette, const Canvas& canvas, uint64_t seed) : palette_(palette), canvas_(canvas) {
    Dice dice(seed);
    const uint32_t count = palette.snow ? 150 : palette.night ? 190 : 26;
    const float largest = palette.snow ? 0.0085f : palette.night ? 0.0030f : 0.0055f;
    for (uint32_t i = 0; i < count; ++i) {
      const float v = dice.Unit();
      specks_.push_back({dice.Range(-1, 1) * canvas.right(),
                         (palette.night && !palette.snow ? v * v * 1.7f - 1 : v * 2 - 1) * canvas.bottom(),
                         std::max(canvas.pixel() * 0.7f, largest * (0.25f + 0.75f * dice.Unit())),
                         dice.Range(0.25f, 0.9f)});
    }
  }

  void PaintRow(uint32_t y, Colour* row) const override {
    const float v = canvas_.v(y), pixel = canvas_.pixel();
    for (const Speck& speck : specks_) {
      const float dv = v - speck.v, reach = speck.radius * 2.2f;
      if (std::abs(dv) > reach) continue;
      const float left = (speck.u - reach + canvas_.right()) / pixel,
                  right = (speck.u + reach + canvas_.right()) / pixel;
      const auto first = static_cast<uint32_t>(std::max(0.0f, left)),
                 last = static_cast<uint32_t>(std::max(0.0f, right));
      for (uint32_t x = first; x <= last && x < canvas_.width; ++x) {
        const float du = canvas_.u(x) - speck.u, near = (du * du + dv * dv) / (speck.radius * speck.radius);
        row[x] = Screen(row[x], palette_.glow, speck.strength * std::exp(-near * 1.3f));
      }
    }
  }

 private:
  const Palette palette_;
  const Canvas canvas_;
  std::vector<Speck> specks_;
};

class Finish : public Motif {
 public:
  Finish(const Canvas& canvas, uint64_t seed) : canvas_(canvas), stroke_(seed) {
    Dice dice(seed);
    const float angle = dice.Range(-0.6f, 0.6f);
    cos_ = std::cos(angle);
    sin_ = std::sin(angle);
  }

  void PaintRow(uint32_t y, Colour* row) const override {
    const float v = canvas_.v(y);
    const float across_corner = canvas_.right() * canvas_.right() + canvas_.bottom() * canvas_.bottom();
    for (uint32_t x = 0; x < canvas_.width; ++x) {
      const float u = canvas_.u(x);
      const float along = u * cos_ - v * sin_, across = u * sin_ + v * cos_;
      const float bristle = stroke_.At(along * 9, across * 105);
      const float corner = (u * u + v * v) / across_corner;
      row[x] = row[x] * ((1 + 0.045f * bristle) * (1 - 0.3f * corner * corner));
    }
  }

 private:
  const Canvas canvas_;
  const Noise stroke_;
  float cos_, sin_;
};

}  // namespace

std::unique_ptr<Motif> NewSpecks(const Palette& palette, const Canvas& canvas, uint64_t seed) {
  return std::make_unique<Specks>(palette, canvas, seed);
}

std::unique_ptr<Motif> NewFinish(const Palette&, const Canvas& canvas, uint64_t seed) {
  return std::make_unique<Finish>(canvas, seed);
}

}  // namespace mediagen::sketch
