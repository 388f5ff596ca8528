// Resampling by a separable filter whose support grows with the reduction, so that it removes what the
// smaller picture cannot show: Catmull-Rom (Mitchell and Netravali, SIGGRAPH 1988, B = 0, C = ½), or Lanczos
// with three lobes (Duchon, J. Applied Meteorology 1979). Internal to codec/.
//
// Thread-safe: no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/image.h"

namespace mediagen::codec {

// A part of a picture, in pixels; its edges may lie between them.
struct Region {
  double x = 0, y = 0, width = 0, height = 0;
};

// For each place of the result the pixels of the source that make it: `taps` weights that begin at pixel
// `first`. Weights sum to 1; those past the source's end are 0 and `first + taps` never exceeds its size.
struct Weights {
  size_t taps = 0;
  std::vector<uint32_t> first;
  std::vector<float> values;  // first.size() * taps
};
// `size` places from `begin` on, `length` long, of a line of `source` pixels.
Weights WeightsOf(Filter filter, uint32_t source, double begin, double length, uint32_t size);

// Fills `out`, whose size says the scale, from `region` of `source`; both have the same channels. Down first,
// then across: the first pass reads whole rows, which any vector unit likes, and one row of sums is all that
// is kept, however large the reduction.
void Resample(const Pixels& source, const Region& region, Filter filter, Pixels* out);
// The same in linear light: sRGB's values become amounts of light first (IEC 61966-2-1).
void ResampleLight(const Pixels& source, const Region& region, Filter filter, Pixels* out);

}  // namespace mediagen::codec
