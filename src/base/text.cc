#include "base/text.h"

#include <cstdint>
#include <cstring>

namespace mediagen {
namespace {

// Not std::tolower, which asks the host's locale.
char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool IsUtf8(std::string_view text) { return Utf8Prefix(text) == text.size(); }

size_t Utf8Prefix(std::string_view text) {
  const auto* begin = reinterpret_cast<const unsigned char*>(text.data());
  const auto* p = begin;
  const auto* end = p + text.size();
  auto follows = [&](int count) {
    if (end - p <= count) return false;
    for (int i = 1; i <= count; ++i) {
      if ((p[i] & 0xC0) != 0x80) return false;
    }
    return true;
  };
  while (p < end) {
    uint64_t eight;
    if (end - p >= 8 && (std::memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0)) {
      p += 8;  // most text is ASCII
      continue;
    }
    int tail = 0;
    if (*p < 0x80) {
      tail = 0;
    } else if (*p >= 0xC2 && *p <= 0xDF) {
      tail = 1;
    } else if ((*p & 0xF0) == 0xE0) {
      tail = 2;
    } else if (*p >= 0xF0 && *p <= 0xF4) {
      tail = 3;
    } else {
      break;
    }
    if (!follows(tail)) break;
    if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xF0 && p[1] < 0x90)) break;  // overlong
    if ((*p == 0xED && p[1] > 0x9F) || (*p == 0xF4 && p[1] > 0x8F)) break;  // surrogate, past U+10FFFF
    p += tail + 1;
  }
  return static_cast<size_t>(p - begin);
}

std::string ReplaceBadUtf8(std::string_view text) {
  std::string clean;
  while (true) {
    size_t valid = Utf8Prefix(text);
    clean.append(text.substr(0, valid));
    if (valid == text.size()) return clean;
    clean.append("\uFFFD");
    text.remove_prefix(valid + 1);
  }
}

std::string Shorten(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  size_t cut = max_bytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return std::string(text.substr(0, cut)) + "…";
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = LowerCase(c);
  return lower;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (LowerCase(a[i]) != LowerCase(b[i])) return false;
  }
  return true;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace mediagen
