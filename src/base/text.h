// The edge between std::string_view and Debian 12's absl::string_view, which do not convert to each other,
// and string maps that can be searched by std::string_view. With a newer Abseil both types are one and this
// still compiles.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace mediagen {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view FromAbsl(absl::string_view text) { return {text.data(), text.size()}; }

struct TransparentHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// A hash map from string whose find() takes a std::string_view.
template <typename Value>
using StringMap = absl::flat_hash_map<std::string, Value, TransparentHash, std::equal_to<>>;

// Whether `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool IsUtf8(std::string_view text);
// How many bytes at the front of `text` are well-formed: its size, or the position of the first bad
// character.
size_t Utf8Prefix(std::string_view text);
// `text` with U+FFFD for every byte that belongs to no character.
std::string ReplaceBadUtf8(std::string_view text);

// At most `max_bytes` of `text`, cut at a character boundary, with "…" appended when something was cut.
std::string Shorten(std::string_view text, size_t max_bytes);

// ASCII only: HTTP and configuration names.
std::string ToLower(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string_view Trim(std::string_view text);

}  // namespace mediagen
