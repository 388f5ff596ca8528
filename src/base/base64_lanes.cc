#include "base/base64_lanes.h"

#include <bit>
#include <cstring>

#define HWY_WANT_AVX3_DL  // AVX-512 with VBMI, which Highway 1.0 leaves out unless asked

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "base/base64_lanes.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace mediagen {
namespace HWY_NAMESPACE {

// Emulated vectors are slower than the caller's table.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

size_t EncodeOn(const uint8_t*, size_t, Base64Alphabet, uint8_t*, size_t) { return 0; }
size_t DecodeOn(const uint8_t*, size_t, Base64Alphabet, uint8_t*, size_t) { return 0; }
Base64Squeeze SqueezeOn(const uint8_t*, size_t, uint8_t*, size_t) { return {}; }

#else

namespace hn = hwy::HWY_NAMESPACE;

// The method is that of Muła and Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions" (ACM
// TWEB 12(3), 2018): multiplications and shifts move six bits each into a byte of its own and back, table
// lookups in blocks of 16 bytes translate. All of it assumes little-endian lanes, which every target has.
constexpr size_t kMostLanes = 64;  // as many as the tables below move and as a mask of 64 bits tells apart
using Bytes = hn::CappedTag<uint8_t, kMostLanes>;
using Words = hn::Repartition<uint16_t, Bytes>;
using Groups = hn::Repartition<uint32_t, Bytes>;

// What to add to six bits to get their character. Indexed by 0 for a–z, 1–12 for each digit and mark that
// follows, 13 for A–Z.
struct EncodeTable {
  alignas(16) uint8_t offset[16] = {};
  constexpr explicit EncodeTable(const char* digits) {
    for (int value = 51; value < 64; ++value)
      offset[value - 51] = static_cast<uint8_t>(digits[value] - value);
    offset[13] = static_cast<uint8_t>(digits[0]);
  }
};
constexpr EncodeTable kEncode[2] = {EncodeTable(kBase64Digits[0]), EncodeTable(kBase64Digits[1])};

// Moves of groups of four bytes across a vector, which may be shorter than these: kSpread puts twelve bytes
// of input at the start of each block of sixteen, kGather closes the gap that decoding leaves after twelve.
alignas(kMostLanes) constexpr uint32_t kSpread[] = {0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11};
alignas(kMostLanes) constexpr uint32_t kGather[] = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 3, 3, 3};

template <class V>
HWY_INLINE V Move(V bytes, const uint32_t* from) {
  const Bytes d;
  const Groups d32;
  if (hn::Lanes(d) <= 16) return bytes;
  // What a shorter vector does not have is meant for the part of the result that nobody reads.
  const auto group = hn::And(hn::Load(d32, from), hn::Set(d32, static_cast<uint32_t>(hn::Lanes(d32) - 1)));
  return hn::BitCast(d, hn::TableLookupLanes(hn::BitCast(d32, bytes), hn::IndicesFromVec(d32, group)));
}

template <class V>
HWY_INLINE V SixBitsEach(V bytes) {
  const Bytes d;
  const Words d16;
  const Groups d32;
  // Of each three bytes the second twice, so that all four six-bit fields lie within a 16-bit word.
  alignas(16) static constexpr uint8_t kOrder[16] = {1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10};
  const auto in = hn::TableLookupBytes(bytes, hn::LoadDup128(d, kOrder));
  // Multiplying by a power of two shifts each word by its own distance.
  const auto first_third =
      hn::MulHigh(hn::BitCast(d16, hn::And(in, hn::BitCast(d, hn::Set(d32, 0x0FC0FC00u)))),
                  hn::BitCast(d16, hn::Set(d32, 0x04000040u)));
  const auto second_fourth = hn::Mul(hn::BitCast(d16, hn::And(in, hn::BitCast(d, hn::Set(d32, 0x003F03F0u)))),
                                     hn::BitCast(d16, hn::Set(d32, 0x01000010u)));
  return hn::BitCast(d, hn::Or(first_third, second_fourth));
}

size_t EncodeOn(const uint8_t* in, size_t size, Base64Alphabet alphabet, uint8_t* out, size_t room) {
  const Bytes d;
  const size_t lanes = hn::Lanes(d);
  const auto offset = hn::LoadDup128(d, kEncode[static_cast<int>(alphabet)].offset);
  size_t done = 0;
  for (; size - done >= lanes && room >= lanes; done += lanes / 4 * 3, out += lanes, room -= lanes) {
    const auto bits = SixBitsEach(Move(hn::LoadU(d, in + done), kSpread));
    const auto kind = hn::IfThenElse(hn::Lt(bits, hn::Set(d, uint8_t{26})), hn::Set(d, uint8_t{13}),
                                     hn::SaturatedSub(bits, hn::Set(d, uint8_t{51})));
    hn::StoreU(hn::Add(bits, hn::TableLookupBytes(offset, kind)), d, out);
  }
  return done;
}

// Four times six bits as three bytes, the last of them lowest; the highest byte of each four has no meaning.
template <class V>
HWY_INLINE V Join(V bits) {
  // Highway 1.0 lacks x86's sums of adjacent products, two instructions in place of seven.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return V{_mm512_madd_epi16(_mm512_maddubs_epi16(bits.raw, _mm512_set1_epi16(0x0140)),
                             _mm512_set1_epi32(0x00011000))};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return V{_mm256_madd_epi16(_mm256_maddubs_epi16(bits.raw, _mm256_set1_epi16(0x0140)),
                             _mm256_set1_epi32(0x00011000))};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
  return V{_mm_madd_epi16(_mm_maddubs_epi16(bits.raw, _mm_set1_epi16(0x0140)), _mm_set1_epi32(0x00011000))};
#else
  const Bytes d;
  const Words d16;
  const auto words = hn::BitCast(d16, bits);
  const auto pairs =
      hn::Or(hn::ShiftLeft<10>(words), hn::And(hn::ShiftRight<4>(words), hn::Set(d16, uint16_t{0x03F0})));
  const auto groups = hn::BitCast(Groups(), pairs);  // twelve bits at the top of each half
  return hn::BitCast(d, hn::Or(hn::ShiftRight<20>(groups), hn::ShiftRight<8>(hn::ShiftLeft<16>(groups))));
#endif
}

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL

// With VBMI one instruction looks bytes up in all of ASCII ("Base64 encoding and decoding at almost the speed
// of a memory copy", arXiv 1910.05109). The top bit marks what is bad, in a table's entry or in the text
// itself.
struct DecodeTable {
  alignas(64) uint8_t bits[128] = {};
  constexpr explicit DecodeTable(const char* digits) {
    for (uint8_t& entry : bits) entry = 0x80;
    for (int value = 0; value < 64; ++value)
      bits[static_cast<int>(digits[value])] = static_cast<uint8_t>(value);
  }
};
constexpr DecodeTable kDecode[2] = {DecodeTable(kBase64Digits[0]), DecodeTable(kBase64Digits[1])};

struct JoinedOrder {
  alignas(64) uint8_t from[64] = {};
  constexpr JoinedOrder() {
    for (int i = 0; i < 48; ++i) from[i] = static_cast<uint8_t>(i / 3 * 4 + 2 - i % 3);
  }
};
constexpr JoinedOrder kJoinedOrder;

size_t DecodeOn(const uint8_t* in, size_t size, Base64Alphabet alphabet, uint8_t* out, size_t room) {
  using V = hn::Vec<Bytes>;
  const Bytes d;
  const DecodeTable& table = kDecode[static_cast<int>(alphabet)];
  const V lower = hn::Load(d, table.bits), upper = hn::Load(d, table.bits + 64);
  const V order = hn::Load(d, kJoinedOrder.from);
  size_t done = 0;
  for (; size - done >= 64 && room >= 64; done += 64, out += 48, room -= 48) {
    const V text = hn::LoadU(d, in + done);
    const V bits{_mm512_permutex2var_epi8(lower.raw, text.raw, upper.raw)};
    if (_mm512_movepi8_mask(hn::Or(bits, text).raw) != 0) break;
    hn::StoreU(V{_mm512_permutexvar_epi8(order.raw, Join(bits).raw)}, d, out);
  }
  return done;
}

#else

// What to add to a character to get its six bits depends on its high nibble alone, but for the last digit. A
// character is bad when the bit of its high nibble is among the bits of its low one. High nibbles from 8 up
// share the bit of 0, which every low nibble has: no alphabet has control characters.
struct DecodeTable {
  alignas(16) uint8_t offset[16] = {};
  alignas(16) uint8_t bit_of_high[16] = {};
  alignas(16) uint8_t bad_with_low[16] = {};
  uint8_t last_digit;
  constexpr explicit DecodeTable(const char* digits) : last_digit(static_cast<uint8_t>(digits[63])) {
    for (int nibble = 0; nibble < 16; ++nibble) {
      bit_of_high[nibble] = static_cast<uint8_t>(nibble < 8 ? 1 << nibble : 1);
      bad_with_low[nibble] = 0xFF;
    }
    for (int value = 0; value < 64; ++value) {
      const int high = digits[value] >> 4, low = digits[value] & 15;
      bad_with_low[low] = static_cast<uint8_t>(bad_with_low[low] & ~(1 << high));
      if (value < 63) offset[high] = static_cast<uint8_t>(value - digits[value]);
    }
  }
};
constexpr DecodeTable kDecode[2] = {DecodeTable(kBase64Digits[0]), DecodeTable(kBase64Digits[1])};

size_t DecodeOn(const uint8_t* in, size_t size, Base64Alphabet alphabet, uint8_t* out, size_t room) {
  const Bytes d;
  const size_t lanes = hn::Lanes(d);
  const DecodeTable& table = kDecode[static_cast<int>(alphabet)];
  const auto offset = hn::LoadDup128(d, table.offset);
  const auto bit_of_high = hn::LoadDup128(d, table.bit_of_high);
  const auto bad_with_low = hn::LoadDup128(d, table.bad_with_low);
  const auto last_digit = hn::Set(d, table.last_digit);
  alignas(16) static constexpr uint8_t kOrder[16] = {2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0, 0, 0, 0};
  const auto order = hn::LoadDup128(d, kOrder);
  size_t done = 0;
  for (; size - done >= lanes && room >= lanes; done += lanes, out += lanes / 4 * 3, room -= lanes / 4 * 3) {
    const auto text = hn::LoadU(d, in + done);
    const auto high = hn::ShiftRight<4>(text), low = hn::And(text, hn::Set(d, uint8_t{15}));
    const auto bad =
        hn::And(hn::TableLookupBytes(bit_of_high, high), hn::TableLookupBytes(bad_with_low, low));
    if (!hn::AllTrue(d, hn::Eq(bad, hn::Zero(d)))) break;
    const auto bits = hn::IfThenElse(hn::Eq(text, last_digit), hn::Set(d, uint8_t{63}),
                                     hn::Add(text, hn::TableLookupBytes(offset, high)));
    hn::StoreU(Move(hn::TableLookupBytes(Join(bits), order), kGather), d, out);
  }
  return done;
}

#endif  // VBMI

// White space is told by its low nibble, which is another one for each kind.
Base64Squeeze SqueezeOn(const uint8_t* in, size_t size, uint8_t* out, size_t room) {
  const Bytes d;
  const size_t lanes = hn::Lanes(d);
  alignas(16) static constexpr uint8_t kSpace[16] = {' ', 0,    0,    0, 0, 0,    0, 0,
                                                     0,   '\t', '\n', 0, 0, '\r', 0, 0};
  const auto space = hn::LoadDup128(d, kSpace);
  size_t read = 0, written = 0;
  for (; size - read >= 2 * lanes && room - written >= 2 * lanes; read += lanes) {
    const auto text = hn::LoadU(d, in + read);
    hn::StoreU(text, d, out + written);
    uint8_t bits[8] = {};
    hn::StoreMaskBits(d, hn::Eq(text, hn::TableLookupBytes(space, hn::And(text, hn::Set(d, uint8_t{15})))),
                      bits);
    uint64_t spaces;
    std::memcpy(&spaces, bits, sizeof spaces);
    size_t start = 0;  // of what follows the last space
    for (; spaces != 0; spaces &= spaces - 1) {
      const size_t end = static_cast<size_t>(std::countr_zero(spaces));
      written += end - start;
      start = end + 1;
      hn::StoreU(hn::LoadU(d, in + read + start), d, out + written);
    }
    written += lanes - start;
  }
  return {read, written};
}

#endif  // no vectors

}  // namespace HWY_NAMESPACE
}  // namespace mediagen
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mediagen {

HWY_EXPORT(EncodeOn);
HWY_EXPORT(DecodeOn);
HWY_EXPORT(SqueezeOn);

size_t Base64EncodeLanes(const uint8_t* in, size_t size, Base64Alphabet alphabet, uint8_t* out, size_t room) {
  return HWY_DYNAMIC_DISPATCH(EncodeOn)(in, size, alphabet, out, room);
}

size_t Base64DecodeLanes(const uint8_t* in, size_t size, Base64Alphabet alphabet, uint8_t* out, size_t room) {
  return HWY_DYNAMIC_DISPATCH(DecodeOn)(in, size, alphabet, out, room);
}

Base64Squeeze Base64SqueezeLanes(const uint8_t* in, size_t size, uint8_t* out, size_t room) {
  return HWY_DYNAMIC_DISPATCH(SqueezeOn)(in, size, out, room);
}

}  // namespace mediagen
#endif  // HWY_ONCE
