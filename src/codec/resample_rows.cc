#include "codec/resample_rows.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "codec/resample_rows.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace mediagen::codec {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Where the machine has no vectors (or the compiler's emulation of them is broken: g++ before 12.3) these
// loops do all the work; elsewhere the first one does the last few elements of a row.
void CombineRowsPlainly(const uint8_t* rows, size_t stride, const float* weights, size_t taps, int channels,
                        size_t i, float* out) {
  for (; i < stride; ++i) {
    const size_t to_alpha = channels == 4 ? 3 - i % 4 : 0;  // 0: this is the alpha, or there is none
    float sum = 0;
    for (size_t k = 0; k < taps; ++k) {
      const uint8_t* byte = rows + k * stride + i;
      sum += weights[k] * byte[0] * (to_alpha > 0 ? byte[to_alpha] / 255.0f : 1.0f);
    }
    out[i] = sum;
  }
}

#if HWY_TARGET == HWY_SCALAR

void CombineRowsOn(const uint8_t* rows, size_t stride, const float* weights, size_t taps, int channels,
                   float* out) {
  CombineRowsPlainly(rows, stride, weights, taps, channels, 0, out);
}

void CombineColumnsOn(const float* row, const Weights& weights, int channels, uint8_t* out) {
  const size_t step = static_cast<size_t>(channels);
  for (size_t x = 0; x < weights.first.size(); ++x, out += step) {
    const float* in = row + weights.first[x] * step;
    float sums[4] = {};
    for (size_t k = 0; k < weights.taps; ++k, in += step) {
      for (size_t c = 0; c < step; ++c) sums[c] += weights.values[x * weights.taps + k] * in[c];
    }
    const float alpha = channels == 4 ? std::min(sums[3], 255.0f) : 255.0f;
    const float factor = alpha < 0.5f ? 0 : 255 / alpha;  // what rounds to no alpha has no colour either
    for (size_t c = 0; c < step; ++c) {
      out[c] = static_cast<uint8_t>(std::clamp(c == 3 ? alpha : sums[c] * factor, 0.0f, 255.0f) + 0.5f);
    }
  }
}

#else

// RGB as it is; RGBA with its colour multiplied by alpha/255, which keeps the colour under transparent pixels
// from bleeding into its neighbours.
template <bool kPremultiply, class D>
HWY_INLINE hn::Vec<D> LoadPixels(D d, const uint8_t* bytes) {
  const hn::Rebind<uint8_t, D> d8;
  const hn::Rebind<int32_t, D> d32;
  const auto value = hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, bytes)));
  if constexpr (!kPremultiply) {
    return value;
  } else {
    alignas(16) static constexpr float kFactor[4] = {1 / 255.0f, 1 / 255.0f, 1 / 255.0f, 0};
    alignas(16) static constexpr float kOffset[4] = {0, 0, 0, 1};
    const auto alpha = hn::Broadcast<3>(value);
    return hn::Mul(value, hn::MulAdd(alpha, hn::LoadDup128(d, kFactor), hn::LoadDup128(d, kOffset)));
  }
}

template <bool kPremultiply>
size_t CombineVectors(const uint8_t* rows, size_t stride, const float* weights, size_t taps, float* out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 2 * lanes <= stride; i += 2 * lanes) {
    auto sum0 = hn::Zero(d), sum1 = hn::Zero(d);
    const uint8_t* column = rows + i;
    for (size_t k = 0; k < taps; ++k, column += stride) {
      const auto weight = hn::Set(d, weights[k]);
      sum0 = hn::MulAdd(weight, LoadPixels<kPremultiply>(d, column), sum0);
      sum1 = hn::MulAdd(weight, LoadPixels<kPremultiply>(d, column + lanes), sum1);
    }
    hn::StoreU(sum0, d, out + i);
    hn::StoreU(sum1, d, out + i + lanes);
  }
  return i;
}

void CombineRowsOn(const uint8_t* rows, size_t stride, const float* weights, size_t taps, int channels,
                   float* out) {
  size_t i = channels == 4 ? CombineVectors<true>(rows, stride, weights, taps, out)
                           : CombineVectors<false>(rows, stride, weights, taps, out);
  CombineRowsPlainly(rows, stride, weights, taps, channels, i, out);
}

// Four floats a pixel, the fourth without meaning for RGB: it is overwritten by the next pixel.
template <int kChannels>
void CombineColumnsOf(const float* row, const Weights& weights, uint8_t* out) {
  const hn::FixedTag<float, 4> d;
  const hn::Rebind<int32_t, decltype(d)> d32;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const auto zero = hn::Zero(d), most = hn::Set(d, 255.0f), half = hn::Set(d, 0.5f);
  const size_t places = weights.first.size(), taps = weights.taps;
  for (size_t x = 0; x < places; ++x, out += kChannels) {
    const float* in = row + size_t{weights.first[x]} * kChannels;
    const float* weight = weights.values.data() + x * taps;
    auto sum0 = zero, sum1 = zero;
    size_t k = 0;
    for (; k + 2 <= taps; k += 2, in += 2 * kChannels) {
      sum0 = hn::MulAdd(hn::Set(d, weight[k]), hn::LoadU(d, in), sum0);
      sum1 = hn::MulAdd(hn::Set(d, weight[k + 1]), hn::LoadU(d, in + kChannels), sum1);
    }
    if (k < taps) sum0 = hn::MulAdd(hn::Set(d, weight[k]), hn::LoadU(d, in), sum0);
    auto sum = hn::Add(sum0, sum1);
    if constexpr (kChannels == 4) {
      alignas(16) static constexpr float kIsAlpha[4] = {0, 0, 0, 1};
      const auto alpha = hn::Min(hn::Broadcast<3>(sum), most);
      const auto straight = hn::Mul(sum, hn::Div(most, hn::Max(alpha, half)));
      const auto is_alpha = hn::Ne(hn::LoadU(d, kIsAlpha), zero);
      // What rounds to no alpha has no colour either.
      sum = hn::IfThenElse(is_alpha, alpha, hn::IfThenElseZero(hn::Ge(alpha, half), straight));
    }
    const auto rounded = hn::ConvertTo(d32, hn::Add(hn::Min(hn::Max(sum, zero), most), half));
    hn::StoreU(hn::DemoteTo(d8, rounded), d8, out);
  }
}

void CombineColumnsOn(const float* row, const Weights& weights, int channels, uint8_t* out) {
  if (channels == 4) {
    CombineColumnsOf<4>(row, weights, out);
  } else {
    CombineColumnsOf<3>(row, weights, out);
  }
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace mediagen::codec
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mediagen::codec {

HWY_EXPORT(CombineRowsOn);
HWY_EXPORT(CombineColumnsOn);

void CombineRows(const uint8_t* rows, size_t stride, const float* weights, size_t taps, int channels,
                 float* out) {
  HWY_DYNAMIC_DISPATCH(CombineRowsOn)(rows, stride, weights, taps, channels, out);
}

void CombineColumns(const float* row, const Weights& weights, int channels, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(CombineColumnsOn)(row, weights, channels, out);
}

}  // namespace mediagen::codec
#endif  // HWY_ONCE
