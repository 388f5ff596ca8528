// Resampling in linear light. Plain loops over floats: who asks for this has time for it.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "codec/resample.h"

namespace mediagen::codec {
namespace {

constexpr size_t kSteps = 1 << 16;  // of light: twenty for one of sRGB's darkest values

double ToLight(double value) {
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}
double FromLight(double light) {
  return light <= 0.0031308 ? light * 12.92 : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
}

struct Tables {
  std::array<float, 256> light;
  std::array<uint8_t, kSteps> srgb;
  Tables() {
    for (size_t i = 0; i < light.size(); ++i) light[i] = static_cast<float>(ToLight(double(i) / 255));
    for (size_t i = 0; i < srgb.size(); ++i)
      srgb[i] = static_cast<uint8_t>(std::lround(255 * FromLight(double(i) / (kSteps - 1))));
  }
};
const Tables& TablesOnce() {
  static const Tables* tables = new Tables;
  return *tables;
}

// Rows of the source as light, premultiplied by alpha, each converted once: as many are kept as a row of the
// result is made of.
class LightRows {
 public:
  LightRows(const Pixels& source, size_t taps)
      : source_(source), rows_(taps, std::vector<float>(source.stride())), held_(taps, UINT32_MAX) {}

  const float* Row(uint32_t y) {
    const size_t slot = y % rows_.size();
    if (held_[slot] != y) Convert(y, rows_[slot].data());
    held_[slot] = y;
    return rows_[slot].data();
  }

 private:
  void Convert(uint32_t y, float* out) const {
    const auto& light = TablesOnce().light;
    const uint8_t* in = source_.row(y);
    const uint8_t* const end = in + source_.stride();
    if (source_.channels == 3) {
      while (in < end) *out++ = light[*in++];
      return;
    }
    for (; in < end; in += 4, out += 4) {
      const float alpha = static_cast<float>(in[3]) / 255;
      for (int c = 0; c < 3; ++c) out[c] = light[in[c]] * alpha;
      out[3] = alpha;
    }
  }

  const Pixels& source_;
  std::vector<std::vector<float>> rows_;
  std::vector<uint32_t> held_;
};

uint8_t ToByte(float light) {
  return TablesOnce().srgb[static_cast<size_t>(std::lrint(std::clamp(light, 0.0f, 1.0f) * (kSteps - 1)))];
}

void WriteRow(const float* row, const Weights& across, int channels, uint8_t* out) {
  const size_t step = static_cast<size_t>(channels);
  for (size_t x = 0; x < across.first.size(); ++x, out += step) {
    const float* in = row + across.first[x] * step;
    float sums[4] = {};
    for (size_t k = 0; k < across.taps; ++k, in += step) {
      for (size_t c = 0; c < step; ++c) sums[c] += across.values[x * across.taps + k] * in[c];
    }
    const float alpha = channels == 4 ? std::clamp(sums[3], 0.0f, 1.0f) : 1.0f;
    const float factor = alpha * 255 < 0.5f ? 0 : 1 / alpha;  // what rounds to no alpha has no colour either
    for (size_t c = 0; c < 3; ++c) out[c] = ToByte(sums[c] * factor);
    if (channels == 4) out[3] = static_cast<uint8_t>(std::lrint(alpha * 255));
  }
}

}  // namespace

void ResampleLight(const Pixels& source, const Region& region, Filter filter, Pixels* out) {
  const Weights across = WeightsOf(filter, source.width, region.x, region.width, out->width);
  const Weights down = WeightsOf(filter, source.height, region.y, region.height, out->height);
  LightRows rows(source, down.taps);
  std::vector<float> sum(source.stride());
  for (uint32_t y = 0; y < out->height; ++y) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (size_t k = 0; k < down.taps; ++k) {
      const float weight = down.values[y * down.taps + k];
      const float* row = rows.Row(down.first[y] + static_cast<uint32_t>(k));
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += weight * row[i];
    }
    WriteRow(sum.data(), across, source.channels, out->row(y));
  }
}

}  // namespace mediagen::codec
