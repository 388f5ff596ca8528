#include "base/base64.h"

#include <array>
#include <cstdint>
#include <utility>

#include "base/base64_lanes.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

// A character's six bits, and which alphabet it gives away.
constexpr uint16_t kOnlyStandard = 0x100, kOnlyUrl = 0x200, kBad = 0x400;
constexpr std::array<uint16_t, 256> kValues = [] {
  std::array<uint16_t, 256> values{};
  values.fill(kBad);
  for (uint16_t i = 0; i < 62; ++i) values[static_cast<unsigned char>(kBase64Digits[0][i])] = i;
  values['+'] = 62 | kOnlyStandard;
  values['/'] = 63 | kOnlyStandard;
  values['-'] = 62 | kOnlyUrl;
  values['_'] = 63 | kOnlyUrl;
  return values;
}();

const uint8_t* BytesOf(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }
uint8_t* BytesOf(std::string* text) { return reinterpret_cast<uint8_t*>(text->data()); }

std::string Encode(std::string_view bytes, Base64Alphabet alphabet, bool pad) {
  std::string text((bytes.size() + 2) / 3 * 4, '=');
  const size_t done = Base64EncodeLanes(BytesOf(bytes), bytes.size(), alphabet, BytesOf(&text), text.size());
  const char* digits = kBase64Digits[static_cast<int>(alphabet)];
  const uint8_t* in = BytesOf(bytes) + done;
  char* out = text.data() + done / 3 * 4;
  size_t left = bytes.size() - done;
  for (; left >= 3; left -= 3, in += 3) {
    uint32_t group = uint32_t{in[0]} << 16 | uint32_t{in[1]} << 8 | in[2];
    *out++ = digits[group >> 18];
    *out++ = digits[group >> 12 & 63];
    *out++ = digits[group >> 6 & 63];
    *out++ = digits[group & 63];
  }
  if (left == 0) return text;
  uint32_t group = uint32_t{in[0]} << 16 | (left == 2 ? uint32_t{in[1]} << 8 : 0);
  *out++ = digits[group >> 18];
  *out++ = digits[group >> 12 & 63];
  if (left == 2) *out++ = digits[group >> 6 & 63];
  if (!pad) text.resize(static_cast<size_t>(out - text.data()));
  return text;
}

// One pass over a text; `position` says where it stopped when it returns false.
class Decoder {
 public:
  Decoder(std::string_view text, uint16_t refused, bool skip_space)
      : text_(text), refused_(refused), skip_space_(skip_space), bytes_(text.size() / 4 * 3 + 3, '\0') {
    if (refused == kOnlyStandard) seen_ = kOnlyUrl;
  }

  bool Run() {
    while (position < text_.size()) {
      if (count_ == 0) Whole();
      if (position < text_.size() && !One()) return false;
    }
    return Finish();
  }

  std::string Take() {
    bytes_.resize(used_);
    return std::move(bytes_);
  }

  size_t position = 0;
  std::string_view why = "is not a base64 character";

 private:
  // Whole groups, straight from the text as far as that goes. What stops it may be the end of a line with
  // more lines to come, so the next stretch is decoded from a copy without white space.
  void Whole() {
    const uint8_t* in = BytesOf(text_);
    position += Groups(in + position, text_.size() - position);
    if (!skip_space_ || position == text_.size()) return;
    uint8_t squeezed[8192];  // it and what it is decoded to fit into a first-level cache
    const auto [read, written] =
        Base64SqueezeLanes(in + position, text_.size() - position, squeezed, sizeof squeezed);
    size_t undone = written - Groups(squeezed, written);
    position += read;
    while (undone > 0) undone -= IsBase64Space(in[--position]) ? 0 : 1;
  }

  // Groups of four plain characters, as many as there are; returns how many characters they were.
  size_t Groups(const uint8_t* in, size_t size) {
    const auto alphabet = seen_ & kOnlyUrl ? Base64Alphabet::kUrl : Base64Alphabet::kStandard;
    uint8_t* out = BytesOf(&bytes_) + used_;
    size_t done = Base64DecodeLanes(in, size, alphabet, out, bytes_.size() - used_);
    out += done / 4 * 3;
    uint32_t seen = seen_;
    for (; size - done >= 4; done += 4) {
      uint32_t a = kValues[in[done]], b = kValues[in[done + 1]];
      uint32_t c = kValues[in[done + 2]], d = kValues[in[done + 3]];
      uint32_t all = seen | a | b | c | d;
      // The URL alphabet's first mark is left to One(), and with it what to do about marks before it.
      if (all & (refused_ | kBad) || all & ~seen & kOnlyUrl || Mixed(all)) break;
      seen = all;
      uint32_t group = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
      *out++ = static_cast<uint8_t>(group >> 16);
      *out++ = static_cast<uint8_t>(group >> 8);
      *out++ = static_cast<uint8_t>(group);
    }
    seen_ = seen;
    used_ += done / 4 * 3;
    return done;
  }

  // One character, which may be space, padding or wrong.
  bool One() {
    const auto c = static_cast<uint8_t>(text_[position]);
    if (skip_space_ && IsBase64Space(c)) return ++position, true;
    if (c == '=') return Pad();
    uint32_t value = kValues[c];
    if (value & (refused_ | kBad)) return false;
    if (padding_ > 0) return Fail("follows the padding");
    if (value & ~seen_ & kOnlyUrl) LookBack();
    seen_ |= value;
    if (Mixed(seen_)) return Fail("mixes the two base64 alphabets");
    pending_ = pending_ << 6 | (value & 63);
    ++position;
    if (++count_ == 4) Flush(3);
    return true;
  }

  // Vectors keep no account of the standard alphabet's marks, so the URL alphabet's first one asks for them.
  void LookBack() {
    const std::string_view before = text_.substr(0, position);
    if (before.find('+') != before.npos || before.find('/') != before.npos) seen_ |= kOnlyStandard;
  }

  bool Pad() {
    if (count_ + padding_ < 2 || count_ + padding_ >= 4) return Fail("is padding out of place");
    ++padding_;
    ++position;
    return true;
  }

  bool Finish() {
    if (count_ == 0) return true;
    bool url = seen_ & kOnlyUrl;
    if (count_ == 1 || (padding_ > 0 && count_ + padding_ != 4) || (padding_ == 0 && !url)) {
      return Fail("is where the text breaks off");
    }
    int bytes = count_ - 1;
    pending_ <<= 6 * (4 - count_);
    // RFC 4648 §3.5: bits that encode nothing are zero, else two texts would mean the same bytes.
    if (pending_ & ((1u << (24 - 8 * bytes)) - 1)) return Fail("is where the last group has stray bits");
    Flush(bytes);
    return true;
  }

  void Flush(int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_[used_++] = static_cast<char>(pending_ >> (16 - 8 * i));
    pending_ = 0;
    count_ = 0;
  }

  static bool Mixed(uint32_t seen) { return (seen & kOnlyStandard) && (seen & kOnlyUrl); }
  bool Fail(std::string_view reason) { return why = reason, false; }

  std::string_view text_;
  uint32_t refused_;
  bool skip_space_;
  std::string bytes_;
  size_t used_ = 0;  // of bytes_
  uint32_t seen_ = 0;
  uint32_t pending_ = 0;
  int count_ = 0, padding_ = 0;
};

StatusOr<std::string> Decode(std::string_view text, uint16_t refused, bool skip_space) {
  Decoder decoder(text, refused, skip_space);
  if (decoder.Run()) return decoder.Take();
  return Error(Code::kInvalid,
               fmt::format("The text is not base64: position {} {}.", decoder.position, decoder.why));
}

}  // namespace

std::string Base64Encode(std::string_view bytes) { return Encode(bytes, Base64Alphabet::kStandard, true); }
std::string Base64UrlEncode(std::string_view bytes) { return Encode(bytes, Base64Alphabet::kUrl, false); }

StatusOr<std::string> Base64Decode(std::string_view text, bool skip_space) {
  return Decode(text, 0, skip_space);
}
StatusOr<std::string> Base64UrlDecode(std::string_view text) { return Decode(text, kOnlyStandard, false); }

}  // namespace mediagen
