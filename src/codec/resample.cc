#include "codec/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "codec/resample_rgb.h"
#include "codec/resample_rows.h"

namespace mediagen::codec {
namespace {

double CatmullRom(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

double Lanczos3(double x) {
  x = std::abs(x) * std::numbers::pi;
  if (x < 1e-9) return 1;
  return x < 3 * std::numbers::pi ? std::sin(x) / x * std::sin(x / 3) / (x / 3) : 0;
}

bool IsCopy(const Pixels& source, const Region& region, const Pixels& out) {
  return region.x == 0 && region.y == 0 && region.width == source.width && region.height == source.height &&
         out.width == source.width && out.height == source.height;
}

}  // namespace

Weights WeightsOf(Filter filter, uint32_t source, double begin, double length, uint32_t size) {
  const auto kernel = filter == Filter::kLanczos3 ? Lanczos3 : CatmullRom;
  const double ratio = length / size, scale = std::max(1.0, ratio);
  const double support = (filter == Filter::kLanczos3 ? 3 : 2) * scale;
  Weights weights;
  weights.taps = std::min<size_t>(source, static_cast<size_t>(std::ceil(2 * support)) + 1);
  weights.first.resize(size);
  weights.values.resize(size * weights.taps);
  std::vector<double> exact(weights.taps);
  for (uint32_t i = 0; i < size; ++i) {
    const double centre = begin + (i + 0.5) * ratio - 0.5;
    const double last_first = static_cast<double>(source - weights.taps);
    const uint32_t first = static_cast<uint32_t>(std::clamp(std::ceil(centre - support), 0.0, last_first));
    float* values = weights.values.data() + size_t{i} * weights.taps;
    double sum = 0;
    for (size_t k = 0; k < weights.taps; ++k)
      sum += exact[k] = kernel((static_cast<double>(first + k) - centre) / scale);
    for (size_t k = 0; k < weights.taps; ++k) values[k] = static_cast<float>(exact[k] / sum);
    weights.first[i] = first;
  }
  return weights;
}

void Resample(const Pixels& source, const Region& region, Filter filter, Pixels* out) {
  if (IsCopy(source, region, *out)) {
    std::memcpy(out->data.get(), source.data.get(), source.bytes());
    return;
  }
  const Weights across = WeightsOf(filter, source.width, region.x, region.width, out->width);
  const Weights down = WeightsOf(filter, source.height, region.y, region.height, out->height);
  if (source.channels == 3) return ResampleRgb(source, across, down, out);
  std::vector<float> row(source.stride());
  for (uint32_t y = 0; y < out->height; ++y) {
    CombineRows(source.row(down.first[y]), source.stride(), down.values.data() + y * down.taps, down.taps,
                row.data());
    CombineColumns(row.data(), across, out->row(y));
  }
}

}  // namespace mediagen::codec
