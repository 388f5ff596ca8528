// What EXIF says that matters here: how the picture is turned, and the prompt that generators leave in its
// comment. TIFF 6.0 §2: a header, then directories of 12-byte entries; EXIF 2.32 §4.6.
#include <algorithm>
#include <string>

#include "base/text.h"
#include "codec/bytes.h"
#include "codec/formats.h"

namespace mediagen::codec {
namespace {

constexpr uint32_t kModel = 0x0110, kOrientation = 0x0112, kExifDirectory = 0x8769, kUserComment = 0x9286;
constexpr uint32_t kShort = 3;

class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes) {
    if (bytes_.starts_with(std::string_view("Exif\0\0", 6))) bytes_.remove_prefix(6);
    little_ = bytes_.starts_with("II");
    if ((!little_ && !bytes_.starts_with("MM")) || U16(2) != 42) bytes_ = {};
  }

  // An entry of a directory, by its place.
  struct Entry {
    uint32_t type = 0, count = 0;
    size_t at = 0;  // 0: there is none
  };
  Entry Find(size_t directory, uint32_t tag) const {
    if (directory == 0 || directory >= bytes_.size()) return {};
    const uint32_t entries = U16(directory);
    for (uint32_t i = 0; i < entries; ++i) {
      const size_t at = directory + 2 + size_t{i} * 12;
      if (at + 12 > bytes_.size()) break;
      if (U16(at) == tag) return {U16(at + 2), U32(at + 4), at};
    }
    return {};
  }
  size_t first() const { return bytes_.empty() ? 0 : U32(4); }
  uint32_t ShortOf(const Entry& entry) const { return U16(entry.at + 8); }
  uint32_t LongOf(const Entry& entry) const { return U32(entry.at + 8); }
  // The bytes of an entry of one-byte values: in the entry itself when they are four or fewer.
  std::string_view BytesOf(const Entry& entry) const {
    if (entry.at == 0) return {};
    return Slice(bytes_, entry.count <= 4 ? entry.at + 8 : LongOf(entry), entry.count);
  }
  bool little() const { return little_; }

 private:
  uint32_t U16(size_t at) const { return little_ ? Le16(bytes_, at) : Be16(bytes_, at); }
  uint32_t U32(size_t at) const { return little_ ? Le32(bytes_, at) : Be32(bytes_, at); }

  std::string_view bytes_;
  bool little_ = false;
};

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr uint32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  out->push_back(static_cast<char>(kLead[more] | code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out->push_back(static_cast<char>(0x80 | (code >> (6 * i) & 0x3F)));
}

// UTF-16 without a word about its byte order: the one in which more characters are ASCII.
std::string FromUtf16(std::string_view text, bool little) {
  size_t low = 0, high = 0;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    (text[i] == 0 ? high : low) += text[i] == 0 || text[i + 1] == 0;
  if (low != high) little = low > high;
  std::string out;
  for (size_t i = 0; i + 1 < text.size() && out.size() <= kPromptBytes; i += 2) {
    const auto unit = [&](size_t at) { return little ? Le16(text, at) : Be16(text, at); };
    uint32_t code = unit(i);
    if (code == 0 || code == 0xFEFF) continue;
    if (code >= 0xD800 && code < 0xDC00 && unit(i + 2) >= 0xDC00 && unit(i + 2) < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (unit(i + 2) - 0xDC00);
      i += 2;
    }
    AppendUtf8(code >= 0xD800 && code < 0xE000 ? 0xFFFD : code, &out);
  }
  return out;
}

std::string_view UntilZero(std::string_view text) { return text.substr(0, text.find('\0')); }

// Eight bytes name the character set (EXIF 2.32 §4.6.5).
std::string Comment(std::string_view value, bool little) {
  const std::string_view set = UntilZero(value.substr(0, 8));
  const std::string_view text = Slice(value, 8, value.npos);
  std::string comment = set == "UNICODE" ? FromUtf16(text, little) : std::string(UntilZero(text));
  comment.erase(comment.find_last_not_of(" \t\r\n") + 1);  // cameras fill it with spaces
  return comment;
}

}  // namespace

std::string PromptText(std::string_view text) {
  std::string out;
  if (IsUtf8(text)) {
    out = text;
  } else {
    for (char c : text.substr(0, kPromptBytes)) AppendUtf8(static_cast<uint8_t>(c), &out);
  }
  return out.size() > kPromptBytes ? Shorten(out, kPromptBytes - 3) : out;  // its "…" counts, too
}

int ExifOrientation(std::string_view exif) {
  const Tiff tiff(exif);
  const Tiff::Entry entry = tiff.Find(tiff.first(), kOrientation);
  if (entry.at == 0 || entry.type != kShort) return 1;
  const uint32_t value = tiff.ShortOf(entry);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

std::string ExifPrompt(std::string_view exif) {
  const Tiff tiff(exif);
  const Tiff::Entry pointer = tiff.Find(tiff.first(), kExifDirectory);
  if (pointer.at != 0) {
    const std::string_view value = tiff.BytesOf(tiff.Find(tiff.LongOf(pointer), kUserComment));
    if (std::string text = Comment(value, tiff.little()); !text.empty()) return PromptText(text);
  }
  // Some generators take the camera's model for it, and say so.
  constexpr std::string_view kMark = "prompt:";
  const std::string_view model = UntilZero(tiff.BytesOf(tiff.Find(tiff.first(), kModel)));
  return model.starts_with(kMark) ? PromptText(model.substr(kMark.size())) : "";
}

}  // namespace mediagen::codec
