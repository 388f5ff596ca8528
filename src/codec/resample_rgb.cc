#include "codec/resample_rgb.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "codec/resample_rgb.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef MEDIAGEN_CODEC_RESAMPLE_RGB_ONCE
#define MEDIAGEN_CODEC_RESAMPLE_RGB_ONCE
namespace mediagen::codec {

constexpr int kWeightBits = 14, kValueBits = 6;
constexpr int kDownShift = kWeightBits - kValueBits, kAcrossShift = kWeightBits + kValueBits;
constexpr size_t kGroup = 4;       // places that are done side by side
constexpr size_t kTapsAtOnce = 8;  // of a place
constexpr size_t kPadding = 16;    // how far past a row its bytes may be written

// The red, the green and the blue values of one row, each followed by zeros that padded taps may read.
struct Planes {
  std::vector<int16_t> values;
  size_t pitch;
  Planes(size_t width, size_t padding) : values(3 * (width + padding)), pitch(width + padding) {}
};

}  // namespace mediagen::codec
#endif

HWY_BEFORE_NAMESPACE();
namespace mediagen::codec {
namespace HWY_NAMESPACE {

// One row of values out of `taps` rows of bytes, from byte `i` on.
void SumRowsPlainly(const uint8_t* rows, size_t stride, const int16_t* weights, size_t taps, size_t i,
                    int16_t* out) {
  for (; i < stride; ++i) {
    int32_t sum = 1 << (kDownShift - 1);
    for (size_t k = 0; k < taps; ++k) sum += weights[k] * rows[k * stride + i];
    out[i] = static_cast<int16_t>(sum >> kDownShift);
  }
}

void SplitPlainly(const int16_t* row, size_t width, size_t x, Planes* planes) {
  for (; x < width; ++x) {
    for (size_t c = 0; c < 3; ++c) planes->values[c * planes->pitch + x] = row[3 * x + c];
  }
}

// The pair sums and the packing below keep elements in order where vectors are made of blocks of 16 bytes.
// Emulated vectors are slower than the plain loops.
#if (!HWY_ARCH_X86 && HWY_TARGET != HWY_NEON) || HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

void SumRowsOn(const uint8_t* rows, size_t stride, const int16_t* weights, size_t taps, int16_t* out) {
  SumRowsPlainly(rows, stride, weights, taps, 0, out);
}

void SplitOn(const int16_t* row, size_t width, Planes* planes) { SplitPlainly(row, width, 0, planes); }

void SumColumnsOn(const Planes& planes, const WholeWeights& weights, uint8_t* out) {
  for (size_t x = 0; x < weights.first.size(); ++x) {
    for (size_t c = 0; c < 3; ++c) {
      const int16_t* in = planes.values.data() + c * planes.pitch + weights.first[x];
      int32_t sum = 1 << (kAcrossShift - 1);
      for (size_t k = 0; k < weights.taps; ++k) sum += weights.values[x * weights.pitch + k] * in[k];
      *out++ = static_cast<uint8_t>(std::clamp(sum >> kAcrossShift, 0, 255));
    }
  }
}

#else

namespace hn = hwy::HWY_NAMESPACE;

// a0·b0 + a1·b1, a2·b2 + a3·b3 … as 32 bits. Highway 1.0 lacks x86's one instruction for it.
template <class D32, class V>
HWY_INLINE hn::Vec<D32> PairSums(D32 d32, V a, V b) {
#if HWY_ARCH_X86
  if constexpr (sizeof(a.raw) == 16) {
    return hn::Vec<D32>{_mm_madd_epi16(a.raw, b.raw)};
#if HWY_TARGET <= HWY_AVX2
  } else if constexpr (sizeof(a.raw) == 32) {
    return hn::Vec<D32>{_mm256_madd_epi16(a.raw, b.raw)};
#endif
#if HWY_TARGET <= HWY_AVX3
  } else {
    return hn::Vec<D32>{_mm512_madd_epi16(a.raw, b.raw)};
#endif
  }
#else
  const auto wide_a = hn::BitCast(d32, a), wide_b = hn::BitCast(d32, b);
  const auto even = [](auto v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(v)); };
  return hn::Add(hn::Mul(even(wide_a), even(wide_b)),
                 hn::Mul(hn::ShiftRight<16>(wide_a), hn::ShiftRight<16>(wide_b)));
#endif
}

// Two rows at a time, their bytes side by side. `weights` has an even count, the last perhaps 0.
void SumRowsOn(const uint8_t* rows, size_t stride, const int16_t* weights, size_t taps, int16_t* out) {
  const hn::ScalableTag<int16_t> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const hn::RepartitionToWide<decltype(d)> d32;
  const size_t lanes = hn::Lanes(d);
  if (stride < lanes) return SumRowsPlainly(rows, stride, weights, taps, 0, out);
  for (size_t i = 0; i < stride; i += lanes) {
    const size_t at = std::min(i, stride - lanes);  // the last vector does some bytes again
    auto low = hn::Set(d32, 1 << (kDownShift - 1)), high = low;
    for (size_t k = 0; k < taps; k += 2) {
      const uint8_t* row = rows + k * stride + at;
      const auto one = hn::PromoteTo(d, hn::LoadU(d8, row));
      const auto other = hn::PromoteTo(d, hn::LoadU(d8, k + 1 < taps ? row + stride : row));
      int32_t pair;
      std::memcpy(&pair, weights + k, sizeof pair);
      const auto weight = hn::BitCast(d, hn::Set(d32, pair));
      low = hn::Add(low, PairSums(d32, hn::InterleaveLower(d, one, other), weight));
      high = hn::Add(high, PairSums(d32, hn::InterleaveUpper(d, one, other), weight));
    }
    hn::StoreU(hn::ReorderDemote2To(d, hn::ShiftRight<kDownShift>(low), hn::ShiftRight<kDownShift>(high)), d,
               out + at);
  }
}

void SplitOn(const int16_t* row, size_t width, Planes* planes) {
  const hn::ScalableTag<int16_t> d;
  int16_t* out = planes->values.data();
  size_t x = 0;
  for (; x + hn::Lanes(d) <= width; x += hn::Lanes(d)) {
    hn::Vec<decltype(d)> red, green, blue;
    hn::LoadInterleaved3(d, row + 3 * x, red, green, blue);
    hn::StoreU(red, d, out + x);
    hn::StoreU(green, d, out + planes->pitch + x);
    hn::StoreU(blue, d, out + 2 * planes->pitch + x);
  }
  SplitPlainly(row, width, x, planes);
}

using Four = hn::FixedTag<int32_t, 4>;

// The sum of one place in one plane, still spread over four lanes.
template <size_t kPitch>
HWY_INLINE hn::Vec<Four> Spread(const int16_t* in, const int16_t* weights, size_t any_pitch) {
  const hn::FixedTag<int16_t, kTapsAtOnce> d;
  const size_t pitch = kPitch > 0 ? kPitch : any_pitch;
  auto sum = PairSums(Four(), hn::LoadU(d, in), hn::LoadU(d, weights));
  for (size_t k = kTapsAtOnce; k < pitch; k += kTapsAtOnce)
    sum = hn::Add(sum, PairSums(Four(), hn::LoadU(d, in + k), hn::LoadU(d, weights + k)));
  return sum;
}

// Four places in one plane, each 0–255.
template <size_t kPitch>
HWY_INLINE hn::Vec<Four> Places(const int16_t* plane, const uint32_t* first, const int16_t* weights,
                                size_t pitch) {
  const Four d;
  const auto a = Spread<kPitch>(plane + first[0], weights, pitch);
  const auto b = Spread<kPitch>(plane + first[1], weights + pitch, pitch);
  const auto c = Spread<kPitch>(plane + first[2], weights + 2 * pitch, pitch);
  const auto e = Spread<kPitch>(plane + first[3], weights + 3 * pitch, pitch);
  const auto ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const auto ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto sum = hn::Add(hn::ConcatLowerLower(d, ce, ab), hn::ConcatUpperUpper(d, ce, ab));
  const auto value = hn::ShiftRight<kAcrossShift>(hn::Add(sum, hn::Set(d, 1 << (kAcrossShift - 1))));
  return hn::Min(hn::Max(value, hn::Zero(d)), hn::Set(d, 255));
}

// `kPitch` is the weights' where the loop over them is to be unrolled, 0 where it is not.
template <size_t kPitch>
void SumColumnsOf(const Planes& planes, const WholeWeights& weights, uint8_t* out) {
  const Four d;
  const hn::Repartition<uint8_t, Four> d8;
  alignas(16) static constexpr uint8_t kOrder[16] = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0};
  const auto order = hn::Load(d8, kOrder);
  const int16_t *red = planes.values.data(), *green = red + planes.pitch, *blue = green + planes.pitch;
  const size_t pitch = weights.pitch;
  for (size_t x = 0; x < weights.first.size(); x += kGroup, out += 3 * kGroup) {
    const uint32_t* first = weights.first.data() + x;
    const int16_t* values = weights.values.data() + x * pitch;
    const auto pixels = hn::Or(Places<kPitch>(red, first, values, pitch),
                               hn::Or(hn::ShiftLeft<8>(Places<kPitch>(green, first, values, pitch)),
                                      hn::ShiftLeft<16>(Places<kPitch>(blue, first, values, pitch))));
    hn::StoreU(hn::TableLookupBytes(hn::BitCast(d8, pixels), order), d8, out);
  }
}

void SumColumnsOn(const Planes& planes, const WholeWeights& weights, uint8_t* out) {
  if (weights.pitch == kTapsAtOnce) return SumColumnsOf<kTapsAtOnce>(planes, weights, out);
  if (weights.pitch == 2 * kTapsAtOnce) return SumColumnsOf<2 * kTapsAtOnce>(planes, weights, out);
  SumColumnsOf<0>(planes, weights, out);
}

#endif  // plain loops

}  // namespace HWY_NAMESPACE
}  // namespace mediagen::codec
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mediagen::codec {

HWY_EXPORT(SumRowsOn);
HWY_EXPORT(SplitOn);
HWY_EXPORT(SumColumnsOn);

namespace {

// The first tap of a place that has a weight, and one past the last.
std::pair<size_t, size_t> Used(const int16_t* weights, size_t taps) {
  size_t begin = 0, end = taps;
  while (end > 1 && weights[end - 1] == 0) --end;
  while (begin + 1 < end && weights[begin] == 0) ++begin;
  return {begin, end};
}

// What rounding takes from one weight goes to the next, so that the sum is exact and even many small weights
// keep their proportions.
void RoundWeights(const float* weights, size_t taps, int16_t* out) {
  double exact = 0;
  int32_t given = 0;
  for (size_t k = 0; k < taps; ++k) {
    exact += weights[k];
    const auto upto = static_cast<int32_t>(std::lround(exact * (1 << kWeightBits)));
    out[k] = static_cast<int16_t>(std::clamp(upto - given, -32768, 32767));
    given += out[k];
  }
  int16_t* largest = std::max_element(out, out + taps);
  *largest = static_cast<int16_t>(*largest + (1 << kWeightBits) - given);  // floats do not sum to quite 1
}

}  // namespace

WholeWeights WholeWeightsOf(const Weights& weights, uint32_t source, size_t step) {
  const size_t places = weights.first.size(), taps = weights.taps;
  std::vector<int16_t> rounded(places * taps);
  WholeWeights whole;
  for (size_t x = 0; x < places; ++x) {
    RoundWeights(weights.values.data() + x * taps, taps, rounded.data() + x * taps);
    const auto [begin, end] = Used(rounded.data() + x * taps, taps);
    whole.taps = std::max(whole.taps, end - begin);
  }
  whole.pitch = (whole.taps + step - 1) / step * step;
  whole.first.resize((places + kGroup - 1) / kGroup * kGroup);
  whole.values.resize(whole.first.size() * whole.pitch);
  for (size_t x = 0; x < places; ++x) {
    const int16_t* all = rounded.data() + x * taps;
    const auto [begin, end] = Used(all, taps);
    const size_t used = weights.first[x] + begin;
    whole.first[x] = static_cast<uint32_t>(std::min(used, source - whole.taps));
    std::copy(all + begin, all + end, whole.values.begin() + x * whole.pitch + (used - whole.first[x]));
  }
  return whole;
}

void ResampleRgb(const Pixels& source, const Weights& across, const Weights& down, Pixels* out) {
  const WholeWeights columns = WholeWeightsOf(across, source.width, kTapsAtOnce);
  const WholeWeights rows = WholeWeightsOf(down, source.height, 2);
  std::vector<int16_t> row(source.stride());
  Planes planes(source.width, kTapsAtOnce);
  std::vector<uint8_t> bytes(3 * columns.first.size() + kPadding);
  for (uint32_t y = 0; y < out->height; ++y) {
    HWY_DYNAMIC_DISPATCH(SumRowsOn)
    (source.row(rows.first[y]), source.stride(), rows.values.data() + y * rows.pitch, rows.taps, row.data());
    HWY_DYNAMIC_DISPATCH(SplitOn)(row.data(), source.width, &planes);
    HWY_DYNAMIC_DISPATCH(SumColumnsOn)(planes, columns, bytes.data());
    std::memcpy(out->row(y), bytes.data(), out->stride());
  }
}

}  // namespace mediagen::codec
#endif  // HWY_ONCE
