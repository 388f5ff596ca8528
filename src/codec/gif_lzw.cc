#include "codec/gif_lzw.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "codec/bytes.h"
#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

static_assert(std::endian::native == std::endian::little, "eight indices are kept as one number");

constexpr uint32_t kMaxWidth = 12, kMaxCodes = 1u << kMaxWidth;
constexpr size_t kHead = sizeof(uint64_t);

// The indices that a code stands for. Most strings are short: eight indices are kept here, so that they need
// no look at what was just written. The whole string stands where it was written first.
struct String {
  uint64_t head;  // the first index is the lowest byte
  uint32_t at;
  uint32_t length;
};

// The bits of a chain of sub-blocks. It ends with an empty sub-block, or with the bytes.
class BitReader {
 public:
  BitReader(std::string_view bytes, size_t at) : bytes_(bytes), at_(at) {}

  // False when fewer than `width` bits are left.
  bool Read(uint32_t width, uint32_t* code) {
    if (count_ < width && !Refill(width)) return false;
    *code = static_cast<uint32_t>(bits_) & ((1u << width) - 1);
    bits_ >>= width;
    count_ -= width;
    return true;
  }
  size_t at() const { return std::min(at_, bytes_.size()); }

 private:
  bool Refill(uint32_t width) {
    if (left_ < sizeof bits_) return RefillByBytes(width);
    // As many whole bytes as there is room for are taken. What the shift leaves of the next one is read again
    // later, and is then the same.
    uint64_t word;
    std::memcpy(&word, bytes_.data() + at_, sizeof word);
    bits_ |= word << count_;
    const uint32_t taken = (63 - count_) / 8;
    count_ += 8 * taken;
    at_ += taken;
    left_ -= taken;
    return true;
  }

  bool RefillByBytes(uint32_t width) {
    for (; count_ < width; count_ += 8) {
      if (left_ == 0 && !NextSubBlock()) return false;
      bits_ |= uint64_t{U8(bytes_, at_++)} << count_;
      --left_;
    }
    return true;
  }

  bool NextSubBlock() {
    const size_t size = U8(bytes_, at_);
    if (size == 0 || ++at_ >= bytes_.size()) return false;
    left_ = std::min(size, bytes_.size() - at_);
    return true;
  }

  std::string_view bytes_;
  size_t at_;
  size_t left_ = 0;  // of the sub-block
  uint64_t bits_ = 0;
  uint32_t count_ = 0;
};

// Writes a string at `done`, as far as there is room, and returns how much that was.
size_t Append(const String& string, size_t done, std::span<uint8_t> out) {
  const size_t room = out.size() - done;
  uint8_t* to = out.data() + done;
  if (room < kHead || (string.length + kHead - 1) / kHead * kHead > room) {
    const size_t size = std::min<size_t>(string.length, room);
    for (size_t i = 0; i < size; ++i)
      to[i] = i < kHead ? static_cast<uint8_t>(string.head >> 8 * i) : out[string.at + i];
    return size;
  }
  // Written in eights, past the string's end too: what comes next is written over that. A string of more than
  // eight begins at least eight before `to` (it is at most one longer than what lies between), so no eight
  // overlaps its source and an eight reads only what is written already.
  std::memcpy(to, &string.head, kHead);
  const uint8_t* from = out.data() + string.at;
  for (size_t i = kHead; i < string.length; i += kHead) std::memcpy(to + i, from + i, kHead);
  return string.length;
}

// `string`, which was written at `at`, with one index more.
String Extended(const String& string, size_t at, uint64_t index) {
  const uint64_t head = string.length < kHead ? string.head | index << 8 * string.length : string.head;
  return {head, static_cast<uint32_t>(at), string.length + 1};
}

Status TooFew(const BitReader& reader, size_t done, size_t size) {
  return Truncated(Format::kGif, reader.at(), fmt::format("a frame has {} of its {} pixels", done, size));
}

}  // namespace

Status DecodeGifLzw(std::string_view bytes, size_t at, uint32_t code_size, std::span<uint8_t> indices) {
  const uint32_t clear = 1u << code_size, end = clear + 1;
  constexpr uint32_t kNone = kMaxCodes;
  std::array<String, kMaxCodes> table;
  for (uint32_t i = 0; i < clear; ++i) table[i] = {i, 0, 1};
  BitReader reader(bytes, at);
  uint32_t width = code_size + 1, next = end + 1, previous = kNone;
  for (size_t done = 0, previous_at = 0; done < indices.size();) {
    uint32_t code;
    if (!reader.Read(width, &code) || code == end) return TooFew(reader, done, indices.size());
    if (code == clear) {
      width = code_size + 1, next = end + 1, previous = kNone;
      continue;
    }
    if (code > next || (previous == kNone && code > end)) {
      return Broken(Format::kGif,
                    fmt::format("code {} before byte {} is not in the table yet", code, reader.at()));
    }
    if (previous != kNone && next < kMaxCodes) {
      // The code may be the very one that is put in now: then its string begins as the previous one does.
      const uint64_t first = table[code < next ? code : previous].head & 0xFF;
      table[next++] = Extended(table[previous], previous_at, first);
    }
    // A full table stays as it is until the encoder clears it.
    if (next == 1u << width && width < kMaxWidth) ++width;
    previous = code, previous_at = done;
    done += Append(table[code], done, indices);
  }
  return OkStatus();
}

}  // namespace mediagen::codec
