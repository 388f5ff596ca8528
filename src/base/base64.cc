#include "base/base64.h"

#include <array>
#include <cstdint>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr char kStandard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrl[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// A character's six bits, and which alphabet it gives away.
constexpr uint16_t kOnlyStandard = 0x100, kOnlyUrl = 0x200, kBad = 0x400;
constexpr std::array<uint16_t, 256> kValues = [] {
  std::array<uint16_t, 256> values{};
  values.fill(kBad);
  for (uint16_t i = 0; i < 62; ++i) values[static_cast<unsigned char>(kStandard[i])] = i;
  values['+'] = 62 | kOnlyStandard;
  values['/'] = 63 | kOnlyStandard;
  values['-'] = 62 | kOnlyUrl;
  values['_'] = 63 | kOnlyUrl;
  return values;
}();

std::string Encode(std::string_view bytes, const char* digits, bool pad) {
  std::string text((bytes.size() + 2) / 3 * 4, '=');
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  char* out = text.data();
  size_t left = bytes.size();
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

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

enum class Padding { kRequired, kOptional };

// One pass over a text; `position` says where it stopped when it returns false.
class Decoder {
 public:
  Decoder(std::string_view text, uint16_t refused, bool skip_space)
      : text_(text), refused_(refused), skip_space_(skip_space), bytes_(text.size() / 4 * 3 + 3, '\0') {
    out_ = bytes_.data();
  }

  bool Run() {
    while (position < text_.size()) {
      if (count_ == 0) Groups();
      if (position < text_.size() && !One()) return false;
    }
    return Finish();
  }

  std::string Take() {
    bytes_.resize(static_cast<size_t>(out_ - bytes_.data()));
    return std::move(bytes_);
  }

  size_t position = 0;
  std::string_view why = "is not a base64 character";

 private:
  // Whole groups of four plain characters, as many as there are.
  void Groups() {
    const auto* in = reinterpret_cast<const unsigned char*>(text_.data());
    size_t i = position;
    char* out = out_;
    for (; i + 4 <= text_.size(); i += 4) {
      uint32_t a = kValues[in[i]], b = kValues[in[i + 1]], c = kValues[in[i + 2]], d = kValues[in[i + 3]];
      uint32_t all = a | b | c | d;
      if (all & (refused_ | kBad) || Mixed(seen_ | all)) break;
      seen_ |= all;
      uint32_t group = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
      *out++ = static_cast<char>(group >> 16);
      *out++ = static_cast<char>(group >> 8);
      *out++ = static_cast<char>(group);
    }
    position = i;
    out_ = out;
  }

  // One character, which may be space, padding or wrong.
  bool One() {
    char c = text_[position];
    if (skip_space_ && IsSpace(c)) return ++position, true;
    if (c == '=') return Pad();
    uint32_t value = kValues[static_cast<unsigned char>(c)];
    if (value & (refused_ | kBad)) return false;
    if (padding_ > 0) return Fail("follows the padding");
    seen_ |= value;
    if (Mixed(seen_)) return Fail("mixes the two base64 alphabets");
    pending_ = pending_ << 6 | (value & 63);
    ++position;
    if (++count_ == 4) Flush(3);
    return true;
  }

  bool Pad() {
    if (count_ + padding_ < 2 || count_ + padding_ >= 4) return Fail("is padding out of place");
    ++padding_;
    ++position;
    return true;
  }

  bool Finish() {
    if (count_ == 0) return true;
    bool url = seen_ & kOnlyUrl || refused_ == kOnlyStandard;
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
    for (int i = 0; i < bytes; ++i) *out_++ = static_cast<char>(pending_ >> (16 - 8 * i));
    pending_ = 0;
    count_ = 0;
  }

  static bool Mixed(uint32_t seen) { return (seen & kOnlyStandard) && (seen & kOnlyUrl); }
  bool Fail(std::string_view reason) { return why = reason, false; }

  std::string_view text_;
  uint32_t refused_;
  bool skip_space_;
  std::string bytes_;
  char* out_;
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

std::string Base64Encode(std::string_view bytes) { return Encode(bytes, kStandard, true); }
std::string Base64UrlEncode(std::string_view bytes) { return Encode(bytes, kUrl, false); }

StatusOr<std::string> Base64Decode(std::string_view text, bool skip_space) {
  return Decode(text, 0, skip_space);
}
StatusOr<std::string> Base64UrlDecode(std::string_view text) { return Decode(text, kOnlyStandard, false); }

}  // namespace mediagen
