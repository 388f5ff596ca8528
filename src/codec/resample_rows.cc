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
void CombineRowsPlainly(const uint8_t* rows, size_t stride, const float* weights, size_t taps, size_t i,
                        float* out) {
  for (; i < stride; ++i) {
    const size_t to_alpha = 3 - i % 4;  // 0: this is the alpha
    float sum = 0;
    for (size_t k = 0; k < taps; ++k) {
      const uint8_t* byte = rows + k * stride + i;
      sum += weights[k] * byte[0] * (to_alpha > 0 ? byte[to_alpha] / 255.0f : 1.0f);
    }
    out[i] = sum;
  }
}

#if HWY_TARGET == HWY_SCALAR

void CombineRowsOn(const uint8_t* rows, size_t stride, const float* weights, size_t taps, float* out) {
  CombineRowsPlainly(rows, stride, weights, taps, 0, out);
}

void CombineColumnsOn(const float* row, const Weights& weights, uint8_t* out) {
  for (size_t x = 0; x < weights.first.size(); ++x, out += 4) {
    const float* in = row + size_t{weights.first[x]} * 4;
    float sums[4] = {};
    for (size_t k = 0; k < weights.taps; ++k, in += 4) {
      for (size_t c = 0; c < 4; ++c) sums[c] += weights.values[x * weights.taps + k] * in[c];
    }
    const float alpha = std::min(sums[3], 255.0f);
    const float factor = alpha < 0.5f ? 0 : 255 / alpha;  // what rounds to no alpha has no colour either
    for (size_t c = 0; c < 4; ++c) {
      out[c] = static_cast<uint8_t>(std::clamp(c == 3 ? alpha : sums[c] * factor, 0.0f, 255.0f) + 0.5f);
    }
  }
}

#else

// The colour multiplied by alpha/255, which keeps the colour under transparent pixels from bleeding into its
// neighbours.
template <class D>
HWY_INLINE hn::Vec<D> LoadPixels(D d, const uint8_t* bytes) {
  const hn::Rebind<uint8_t, D> d8;
  const hn::Rebind<int32_t, D> d32;
  const auto value = hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, bytes)));
  alignas(16) static constexpr float kFactor[4] = {1 / 255.0f, 1 / 255.0f, 1 / 255.0f, 0};
  alignas(16) static constexpr float kOffset[4] = {0, 0, 0, 1};
  const auto alpha = hn::Broadcast<3>(value);
  return hn::Mul(value, hn::MulAdd(alpha, hn::LoadDup128(d, kFactor), hn::LoadDup128(d, kOffset)));
}

void CombineRowsOn(const uint8_t* rows, size_t stride, const float* weights, size_t taps, float* out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 2 * lanes <= stride; i += 2 * lanes) {
    auto sum0 = hn::Zero(d), sum1 = hn::Zero(d);
    const uint8_t* column = rows + i;
    for (size_t k = 0; k < taps; ++k, column += stride) {
      const auto weight = hn::Set(d, weights[k]);
      sum0 = hn::MulAdd(weight, LoadPixels(d, column), sum0);
      sum1 = hn::MulAdd(weight, LoadPixels(d, column + lanes), sum1);
    }
    hn::StoreU(sum0, d, out + i);
    hn::StoreU(sum1, d, out + i + lanes);
  }
  CombineRowsPlainly(rows, stride, weights, taps, i, out);
}

void CombineColumnsOn(const float* row, const Weights& weights, uint8_t* out) {
  const hn::FixedTag<float, 4> d;
  const hn::Rebind<int32_t, decltype(d)> d32;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const auto zero = hn::Zero(d), most = hn::Set(d, 255.0f), half = hn::Set(d, 0.5f);
  alignas(16) static constexpr float kIsAlpha[4] = {0, 0, 0, 1};
  const auto is_alpha = hn::Ne(hn::Load(d, kIsAlpha), zero);
  const size_t places = weights.first.size(), taps = weights.taps;
  for (size_t x = 0; x < places; ++x, out += 4) {
    const float* in = row + size_t{weights.first[x]} * 4;
    const float* weight = weights.values.data() + x * taps;
    auto sum0 = zero, sum1 = zero;
    size_t k = 0;
    for (; k + 2 <= taps; k += 2, in += 8) {
      sum0 = hn::MulAdd(hn::Set(d, weight[k]), hn::LoadU(d, in), sum0);
      sum1 = hn::MulAdd(hn::Set(d, weight[k + 1]), hn::LoadU(d, in + 4), sum1);
    }
    if (k < taps) sum0 = hn::MulAdd(hn::Set(d, weight[k]), hn::LoadU(d, in), sum0);
    const auto sum = hn::Add(sum0, sum1);
    const auto alpha = hn::Min(hn::Broadcast<3>(sum), most);
    const auto straight = hn::Mul(sum, hn::Div(most, hn::Max(alpha, half)));
    // What rounds to no alpha has no colour either.
    const auto pixel = hn::IfThenElse(is_alpha, alpha, hn::IfThenElseZero(hn::Ge(alpha, half), straight));
    const auto rounded = hn::ConvertTo(d32, hn::Add(hn::Min(hn::Max(pixel, zero), most), half));
    hn::StoreU(hn::DemoteTo(d8, rounded), d8, out);
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

void CombineRows(const uint8_t* rows, size_t stride, const float* weights, size_t taps, float* out) {
  HWY_DYNAMIC_DISPATCH(CombineRowsOn)(rows, stride, weights, taps, out);
}

void CombineColumns(const float* row, const Weights& weights, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(CombineColumnsOn)(row, weights, out);
}

}  // namespace mediagen::codec
#endif  // HWY_ONCE
