// Resampling of RGB in whole numbers: weights of 14 bits after the point, sums of 32, between the two passes
// values of 6 after the point. The result is within one of exact sums, and the same on every machine.
// The inner loops are compiled for several instruction sets; the best that the machine has is chosen at run
// time. (RGBA, which has to be multiplied and divided by its alpha, stays in floats: resample_rows.h.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/resample.h"

namespace mediagen::codec {

// Weights as whole numbers that sum to 2^14 at each place. Places and weights are padded with weights of 0,
// so that the loops need no special case at their ends.
struct WholeWeights {
  size_t taps = 0;   // as many as have weights
  size_t pitch = 0;  // taps with their padding
  std::vector<uint32_t> first;
  std::vector<int16_t> values;  // first.size() * pitch
};
// Of a line of `source` pixels. The pitch is a multiple of `step`.
WholeWeights WholeWeightsOf(const Weights& weights, uint32_t source, size_t step);

// Fills `out` from `source`, both RGB: down first, then across.
void ResampleRgb(const Pixels& source, const Weights& across, const Weights& down, Pixels* out);

}  // namespace mediagen::codec
