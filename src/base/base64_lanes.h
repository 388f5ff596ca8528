// The inner loops of base64, compiled for several instruction sets; the best that the machine has is chosen
// at run time.
//
// They do whole vectors and nothing else: each stops where a vector no longer fits into what is left of `in`
// or of `out`, or for the reason that its comment gives, and the caller's plain loop goes on from there. On a
// machine without vectors they stop at once. None reads past `in + size` or writes past `out + room`; within
// that, what stands behind the result is overwritten.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mediagen {

enum class Base64Alphabet : uint8_t { kStandard, kUrl };

// The 64 digits of each alphabet.
inline constexpr char kBase64Digits[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

constexpr bool IsBase64Space(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Returns how many bytes were encoded, a multiple of three; four thirds as many characters are in `out`.
size_t Base64EncodeLanes(const uint8_t* in, size_t size, Base64Alphabet alphabet, uint8_t* out, size_t room);

// Stops before a vector with any character that is not of `alphabet`. Returns how many characters were
// decoded, a multiple of four; three quarters as many bytes are in `out`.
size_t Base64DecodeLanes(const uint8_t* in, size_t size, Base64Alphabet alphabet, uint8_t* out, size_t room);

struct Base64Squeeze {
  size_t read = 0, written = 0;
};

// Copies `in` without its white space.
Base64Squeeze Base64SqueezeLanes(const uint8_t* in, size_t size, uint8_t* out, size_t room);

}  // namespace mediagen
