// A byte depends on the pixel at its left, so a row cannot be cut into wide vectors: one step does one pixel,
// its channels side by side, and what counts is how few operations lie between a pixel and the next. These
// are the compiler's own vectors of 16 bytes, which every x86-64 and ARM64 has, so nothing is chosen at run
// time: compiled for AVX2 or AVX-512 the same code is no faster.
#include "codec/png_unfilter.h"

#include <cstring>

namespace mediagen::codec {
namespace {

using Bytes8 = uint8_t __attribute__((vector_size(8)));
using Bytes16 = uint8_t __attribute__((vector_size(16)));
using Words8 = int16_t __attribute__((vector_size(16)));
using Halves = int64_t __attribute__((vector_size(16)));

// Four bytes as words, of which the pixel has the first few; those from `high` in the upper half.
Words8 Load(const uint8_t* low) {
  Bytes8 bytes = {};
  std::memcpy(&bytes, low, 4);
  return __builtin_convertvector(bytes, Words8);
}

Words8 Load(const uint8_t* low, const uint8_t* high) {
  uint32_t parts[2];
  std::memcpy(&parts[0], low, 4);
  std::memcpy(&parts[1], high, 4);
  Bytes8 bytes;
  std::memcpy(&bytes, parts, 8);
  return __builtin_convertvector(bytes, Words8);
}

// Three bytes are stored as four: the fourth is the next pixel's, which comes later, or padding. But not in a
// row with another below it that is already begun.
template <size_t kBpp>
constexpr size_t kStored = kBpp == 3 ? 4 : kBpp;

template <size_t kBpp>
void Store(Words8 pixel, uint8_t* low) {
  const Bytes8 bytes = __builtin_convertvector(pixel, Bytes8);
  std::memcpy(low, &bytes, kStored<kBpp>);
}

template <size_t kBpp>
void Store(Words8 pixels, uint8_t* low, uint8_t* high) {
  const Bytes8 bytes = __builtin_convertvector(pixels, Bytes8);
  uint32_t parts[2];
  std::memcpy(parts, &bytes, 8);
  std::memcpy(low, &parts[0], kBpp);
  std::memcpy(high, &parts[1], kStored<kBpp>);
}

Words8 LowHalves(Words8 low, Words8 high) {
  return (Words8)__builtin_shufflevector((Halves)low, (Halves)high, 0, 2);
}
Words8 HighHalf(Words8 words) { return (Words8)__builtin_shufflevector((Halves)words, (Halves)words, 1, 1); }

// Sums of bytes wrap within their bytes, so words that hold a byte keep holding one.
Words8 AddBytes(Words8 a, Words8 b) { return (Words8)((Bytes16)a + (Bytes16)b); }
Words8 SubBytes(Words8 a, Words8 b) { return (Words8)((Bytes16)a - (Bytes16)b); }

// What a filter remembers of the pixels at the left: that of its own row and that of the row above.
struct Left {
  Words8 left = {};
  Words8 corner = {};
};

// With lo and hi the smaller and the larger of left and up, Paeth's choice is hi when 3·corner − left − up is
// at most lo, lo when it is at least hi, and the corner between them: the standard's choice for every three
// bytes, in the form that stb_image uses. Five operations lie between one `left` and the next, as the corner
// is added beforehand and only the difference from it is chosen.
Words8 PaethStep(Words8 raw, Words8 up, Left* state) {
  const Words8 left = state->left, corner = state->corner;
  const Words8 point = (corner + corner + corner - up) - left;
  const Words8 lo = left < up ? left : up, hi = left > up ? left : up;
  const Words8 not_lo = hi > point, not_hi = point > lo;
  const Words8 to_lo = SubBytes(lo, corner) & ~not_lo, to_hi = SubBytes(hi, corner) & ~not_hi;
  state->left = AddBytes(AddBytes(AddBytes(raw, corner), to_lo), to_hi);
  state->corner = up;
  return state->left;
}

Words8 AverageStep(Words8 raw, Words8 up, Left* state) {
  state->left = AddBytes(raw, (state->left + up) >> 1);
  return state->left;
}

template <size_t kBpp>
void Sub(const uint8_t* in, size_t size, uint8_t* out) {
  Words8 left = {};
  for (size_t i = 0; i < size; i += kBpp) {
    left = AddBytes(Load(in + i), left);
    Store<kBpp>(left, out + i);
  }
}

void Up(const uint8_t* in, const uint8_t* up, size_t size, uint8_t* out) {
  size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    Bytes16 row, above;
    std::memcpy(&row, in + i, 16);
    std::memcpy(&above, up + i, 16);
    row += above;
    std::memcpy(out + i, &row, 16);
  }
  for (; i < size; ++i) out[i] = static_cast<uint8_t>(in[i] + up[i]);
}

using Step = Words8 (*)(Words8 raw, Words8 up, Left* state);

template <size_t kBpp, Step kStep>
void OneRow(const uint8_t* in, const uint8_t* up, size_t size, uint8_t* out) {
  Left state;
  for (size_t i = 0; i < size; i += kBpp) Store<kBpp>(kStep(Load(in + i), Load(up + i), &state), out + i);
}

// The lower halves do the upper row, the upper halves the row below it, two pixels behind: what that needs
// from above is then finished before the last step, which keeps it out of the chain from step to step.
template <size_t kBpp, Step kStep>
void TwoRows(const uint8_t* in, const uint8_t* below, const uint8_t* up, size_t size, uint8_t* out,
             uint8_t* out_below) {
  constexpr size_t kBehind = 2 * kBpp;
  Left state;
  const Words8 first = kStep(Load(in), Load(up), &state);
  Store<kBpp>(first, out);
  Store<kBpp>(kStep(Load(in + kBpp), Load(up + kBpp), &state), out + kBpp);
  const Words8 zero = {};
  // Pixels of the upper row, and of the lower row nothing yet.
  state = {LowHalves(state.left, zero), LowHalves(state.corner, zero)};
  Words8 above = first;  // in its lower half, what stands over the next pixel of the row below
  for (size_t i = kBehind; i < size; i += kBpp) {
    const Words8 over = LowHalves(Load(up + i), above);
    above = state.left;
    const Words8 pixels = kStep(Load(in + i, below + i - kBehind), over, &state);
    Store<kBpp>(pixels, out + i, out_below + i - kBehind);
  }
  const Words8 last = state.left;
  state = {HighHalf(state.left), HighHalf(state.corner)};
  const size_t rest = size - kBehind;
  Store<kBpp>(kStep(Load(below + rest), above, &state), out_below + rest);
  Store<kBpp>(kStep(Load(below + rest + kBpp), last, &state), out_below + rest + kBpp);
}

template <size_t kBpp>
void Row(uint8_t filter, const uint8_t* in, const uint8_t* up, size_t size, uint8_t* out) {
  switch (filter) {
    case 0:
      std::memcpy(out, in, size);
      break;
    case 1:
      Sub<kBpp>(in, size, out);
      break;
    case 2:
      Up(in, up, size, out);
      break;
    case 3:
      OneRow<kBpp, AverageStep>(in, up, size, out);
      break;
    default:
      OneRow<kBpp, PaethStep>(in, up, size, out);
  }
}

template <size_t kBpp>
void Rows(uint8_t filter, const uint8_t* in, const uint8_t* below, const uint8_t* up, size_t size,
          uint8_t* out, uint8_t* out_below) {
  if (filter == kAverageFilter)
    TwoRows<kBpp, AverageStep>(in, below, up, size, out, out_below);
  else
    TwoRows<kBpp, PaethStep>(in, below, up, size, out, out_below);
}

}  // namespace

void UnfilterRow(uint8_t filter, size_t bpp, const uint8_t* in, const uint8_t* up, size_t size,
                 uint8_t* out) {
  switch (bpp) {
    case 1:
      return Row<1>(filter, in, up, size, out);
    case 2:
      return Row<2>(filter, in, up, size, out);
    case 3:
      return Row<3>(filter, in, up, size, out);
    default:
      return Row<4>(filter, in, up, size, out);
  }
}

void UnfilterTwoRows(uint8_t filter, size_t bpp, const uint8_t* in, const uint8_t* below, const uint8_t* up,
                     size_t size, uint8_t* out, uint8_t* out_below) {
  switch (bpp) {
    case 1:
      return Rows<1>(filter, in, below, up, size, out, out_below);
    case 2:
      return Rows<2>(filter, in, below, up, size, out, out_below);
    case 3:
      return Rows<3>(filter, in, below, up, size, out, out_below);
    default:
      return Rows<4>(filter, in, below, up, size, out, out_below);
  }
}

}  // namespace mediagen::codec
