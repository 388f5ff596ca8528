// Motif: one layer of a drawing, painted row by row onto what is there. Internal to sketch/.
//
// Motifs are immutable once made; any thread may paint. They refer to nothing but their own values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "provider/sketch/colour.h"
#include "provider/sketch/noise.h"
#include "provider/sketch/palette.h"

namespace mediagen::sketch {

// Places are told in lengths of the shorter side, (0, 0) in the middle: the same drawing fits any size.
struct Canvas {
  uint32_t width, height;

  float pixel() const { return 1.0f / static_cast<float>(std::min(width, height)); }
  float u(uint32_t x) const {
    return (static_cast<float>(x) + 0.5f - 0.5f * static_cast<float>(width)) * pixel();
  }
  float v(uint32_t y) const {
    return (static_cast<float>(y) + 0.5f - 0.5f * static_cast<float>(height)) * pixel();
  }
  float right() const { return 0.5f * static_cast<float>(width) * pixel(); }    // u of the right edge
  float bottom() const { return 0.5f * static_cast<float>(height) * pixel(); }  // v of the lower edge
};

class Motif {
 public:
  virtual ~Motif() = default;
  // `row` has canvas.width colours.
  virtual void PaintRow(uint32_t y, Colour* row) const = 0;
};

// `sun`: whether a disc is seen in it.
std::unique_ptr<Motif> NewBackground(const Palette& palette, const Canvas& canvas, bool sun, uint64_t seed);
std::unique_ptr<Motif> NewRidges(const Palette& palette, const Canvas& canvas, uint64_t seed);
std::unique_ptr<Motif> NewRibbons(const Palette& palette, const Canvas& canvas, uint64_t seed);
std::unique_ptr<Motif> NewOrbs(const Palette& palette, const Canvas& canvas, uint64_t seed);
std::unique_ptr<Motif> NewFacets(const Palette& palette, const Canvas& canvas, uint64_t seed);
std::unique_ptr<Motif> NewPetals(const Palette& palette, const Canvas& canvas, uint64_t seed);
// Stars by night, flakes in snow, else a few specks of light.
std::unique_ptr<Motif> NewSpecks(const Palette& palette, const Canvas& canvas, uint64_t seed);
// Brush strokes in what was painted, and darker corners. The last layer.
std::unique_ptr<Motif> NewFinish(const Palette& palette, const Canvas& canvas, uint64_t seed);

}  // namespace mediagen::sketch
