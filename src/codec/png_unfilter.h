// Undoing PNG's row filters (PNG third edition §9.2). Internal to codec/.
//
// Thread-safe: no state.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mediagen::codec {

constexpr uint8_t kAverageFilter = 3, kPaethFilter = 4, kLastFilter = 4;

// How many bytes past its end a row may be read, filtered or not, and written.
constexpr size_t kUnfilterPadding = 4;

// One row of `size` bytes: `in` is the filtered row behind its filter byte, `up` the finished row above
// (zeros above the first). `bpp` is the bytes of a pixel, 1–4, and divides `size`; `filter` is at most
// kLastFilter. `out` and its padding overlap neither `in` nor `up`.
void UnfilterRow(uint8_t filter, size_t bpp, const uint8_t* in, const uint8_t* up, size_t size, uint8_t* out);

// The same for two rows that follow each other and are both Average's or both Paeth's, `below` under `in`:
// together they take little longer than one. A row has at least two pixels.
void UnfilterTwoRows(uint8_t filter, size_t bpp, const uint8_t* in, const uint8_t* below, const uint8_t* up,
                     size_t size, uint8_t* out, uint8_t* out_below);

}  // namespace mediagen::codec
