// The two inner loops of resampling RGBA, compiled for several instruction sets; the best that the machine
// has is chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/resample.h"

namespace mediagen::codec {

// One row of floats out of `taps` rows of `stride` bytes, the first at `rows`: premultiplied by alpha,
// everything 0–255. Writes `stride` floats.
void CombineRows(const uint8_t* rows, size_t stride, const float* weights, size_t taps, float* out);

// One row of the result out of such a row of floats; straight alpha again.
void CombineColumns(const float* row, const Weights& weights, uint8_t* out);

}  // namespace mediagen::codec
