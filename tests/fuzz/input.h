// What every fuzz target shares: the bytes as text, and a check that ends the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace mediagen::fuzz {

inline std::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes the text up to the next `separator` off the front of `rest`.
inline std::string_view TakeTo(char separator, std::string_view* rest) {
  const size_t end = rest->find(separator);
  std::string_view taken = rest->substr(0, end);
  *rest = end == std::string_view::npos ? std::string_view() : rest->substr(end + 1);
  return taken;
}

inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace mediagen::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
