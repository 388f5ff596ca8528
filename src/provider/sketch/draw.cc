#include "provider/sketch/draw.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "base/hash.h"
#include "fmt/format.h"
#include "provider/sketch/motif.h"

namespace mediagen {
namespace {

using sketch::Canvas;
using sketch::Colour;
using sketch::Form;
using sketch::Motif;
using sketch::Palette;

constexpr uint32_t kMinSide = 16, kMaxSide = 4096;
constexpr int kMaxSteps = 200;

using Layers = std::vector<std::unique_ptr<Motif>>;

std::unique_ptr<Motif> NewForm(Form form, const Palette& palette, const Canvas& canvas, uint64_t seed) {
  switch (form) {
    case Form::kRidges:
      return sketch::NewRidges(palette, canvas, seed);
    case Form::kRibbons:
      return sketch::NewRibbons(palette, canvas, seed);
    case Form::kOrbs:
      return sketch::NewOrbs(palette, canvas, seed);
    case Form::kFacets:
      return sketch::NewFacets(palette, canvas, seed);
    case Form::kPetals:
      break;
  }
  return sketch::NewPetals(palette, canvas, seed);
}

Layers Compose(std::string_view prompt, uint64_t seed, const Canvas& canvas) {
  sketch::Dice dice(Xxh3(prompt, seed));
  const sketch::Reading reading = sketch::Read(prompt, dice.Next());
  Layers layers;
  layers.push_back(
      sketch::NewBackground(reading.palette, canvas, reading.form == Form::kRidges, dice.Next()));
  layers.push_back(NewForm(reading.form, reading.palette, canvas, dice.Next()));
  layers.push_back(sketch::NewSpecks(reading.palette, canvas, dice.Next()));
  layers.push_back(sketch::NewFinish(reading.palette, canvas, dice.Next()));
  return layers;
}

// Where rounding falls, so that slow gradients show no bands: interleaved gradient noise (Jimenez, SIGGRAPH
// 2014).
float Threshold(uint32_t x, uint32_t y) {
  const float place = 0.06711056f * static_cast<float>(x) + 0.00583715f * static_cast<float>(y);
  const float scaled = 52.9829189f * (place - static_cast<float>(sketch::Floor(place)));
  return scaled - static_cast<float>(sketch::Floor(scaled));
}

void PaintRow(const Layers& layers, uint32_t y, std::vector<Colour>* row, Pixels* pixels) {
  for (const auto& layer : layers) layer->PaintRow(y, row->data());
  uint8_t* out = pixels->row(y);
  for (uint32_t x = 0; x < pixels->width; ++x) {
    const float threshold = Threshold(x, y);
    for (float light : {(*row)[x].r, (*row)[x].g, (*row)[x].b}) {
      *out++ = static_cast<uint8_t>(std::min(255.0f, sketch::ToSrgb255(light) + threshold));
    }
  }
}

}  // namespace

StatusOr<Pixels> DrawSketch(std::string_view prompt, uint64_t seed, uint32_t width, uint32_t height,
                            const std::function<Status(int step, int steps)>& on_step, int steps) {
  if (std::min(width, height) < kMinSide || std::max(width, height) > kMaxSide) {
    return Error(Code::kInvalid, fmt::format("A sketch cannot have {}x{} pixels.", width, height),
                 {.hint = fmt::format("Each side has {} to {}.", kMinSide, kMaxSide)});
  }
  if (steps < 1 || steps > kMaxSteps) {
    return Error(Code::kInvalid, fmt::format("A sketch cannot be drawn in {} steps.", steps),
                 {.hint = fmt::format("1 to {}.", kMaxSteps)});
  }
  ASSIGN_OR_RETURN(Pixels pixels, NewPixels(width, height, 3));
  const Layers layers = Compose(prompt, seed, {width, height});
  std::vector<sketch::Colour> row(width);
  uint32_t y = 0;
  for (int step = 1; step <= steps; ++step) {
    RETURN_IF_ERROR(on_step(step, steps));
    const auto end =
        static_cast<uint32_t>(uint64_t{height} * static_cast<uint64_t>(step) / static_cast<uint64_t>(steps));
    for (; y < end; ++y) PaintRow(layers, y, &row, &pixels);
  }
  return pixels;
}

}  // namespace mediagen
