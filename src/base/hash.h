// Hashes: SHA-256 where the value leaves the process (ETags, signatures, blob identity), XXH3 inside.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mediagen {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(std::string_view bytes);
// SHA-256 of bytes that arrive in pieces. Not thread-safe.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  void Update(std::string_view bytes);
  Sha256Digest Finish();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// RFC 2104 over SHA-256.
Sha256Digest HmacSha256(std::string_view key, std::string_view bytes);

uint64_t Xxh3(std::string_view bytes, uint64_t seed = 0);

std::string Hex(std::string_view bytes);
std::string Hex(const Sha256Digest& digest);
// Empty when `hex` has an odd length or another character.
std::string UnHex(std::string_view hex);
// RFC 4648 §6 without padding, lower case.
std::string Base32(std::string_view bytes);

// Takes the same time whatever the bytes; false for different sizes.
bool EqualsInConstantTime(std::string_view a, std::string_view b);

}  // namespace mediagen
