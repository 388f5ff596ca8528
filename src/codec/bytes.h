// Numbers out of bytes. A read past the end gives 0, so a parser of hostile headers cannot run off; it checks
// sizes only where it must tell truncation from zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mediagen::codec {

inline uint32_t U8(std::string_view bytes, size_t at) {
  return at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : 0;
}
inline uint32_t Be16(std::string_view bytes, size_t at) { return U8(bytes, at) << 8 | U8(bytes, at + 1); }
inline uint32_t Be32(std::string_view bytes, size_t at) {
  return Be16(bytes, at) << 16 | Be16(bytes, at + 2);
}
inline uint32_t Le16(std::string_view bytes, size_t at) { return U8(bytes, at) | U8(bytes, at + 1) << 8; }
inline uint32_t Le24(std::string_view bytes, size_t at) { return Le16(bytes, at) | U8(bytes, at + 2) << 16; }
inline uint32_t Le32(std::string_view bytes, size_t at) {
  return Le16(bytes, at) | Le16(bytes, at + 2) << 16;
}

// The part of `bytes` from `at`, at most `size` long; empty past the end.
inline std::string_view Slice(std::string_view bytes, size_t at, size_t size) {
  return at < bytes.size() ? bytes.substr(at, size) : std::string_view();
}

inline const uint8_t* AsBytes(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

}  // namespace mediagen::codec
