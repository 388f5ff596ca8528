// The two inner loops of resampling, compiled for several instruction sets; the best that the machine has is
// chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/resample.h"

namespace mediagen::codec {

// How many elements past its end a row may be read or written by.
constexpr size_t kRowPadding = 16;

// One row of floats out of `taps` rows of `stride` bytes, the first at `rows`. RGBA comes out premultiplied
// by alpha; everything is 0–255. Writes `stride` floats.
void CombineRows(const uint8_t* rows, size_t stride, const float* weights, size_t taps, int channels,
                 float* out);

// One row of the result out of such a row of floats; straight alpha again. Writes up to kRowPadding bytes
// more than the row.
void CombineColumns(const float* row, const Weights& weights, int channels, uint8_t* out);

}  // namespace mediagen::codec
