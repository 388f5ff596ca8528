// Ids: UUIDv7 (RFC 9562 §5.7), text outside, 16 bytes inside. Ordered by time of making, so they make good
// keys.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fork.h"
#include "base/status.h"

namespace mediagen {

struct Id {
  std::array<uint8_t, 16> bytes{};

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the comparison's 0 for a pointer
  auto operator<=>(const Id&) const = default;
  bool empty() const { return *this == Id{}; }
  // The 16 bytes, as a SQL blob.
  std::string_view blob() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  // "01932c5e-…": 36 characters, lower case.
  static constexpr size_t kTextSize = 36;
  std::string text() const;
  void WriteText(char* out) const;  // kTextSize bytes

  // Exactly the 36-character form, either case; anything else is kInvalid.
  static StatusOr<Id> Parse(std::string_view text);
  // 16 raw bytes; an empty Id for any other length.
  static Id FromBlob(std::string_view blob);

  template <typename H>
  friend H AbslHashValue(H h, const Id& id) {
    return H::combine(std::move(h), id.bytes);
  }
};

// Randomness. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(void* data, size_t size) = 0;
  uint64_t Next() {
    uint64_t value;
    Fill(&value, sizeof value);
    return value;
  }
  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }
};

// getrandom(2); safe after fork.
Random* SystemRandom();
// The same sequence for the same seed (splitmix64); for tests.
std::unique_ptr<Random> SeededRandom(uint64_t seed);

// Makes ids that never go back within one IdSource, even when the wall clock does (RFC 9562 §6.2 method 1, a
// 12-bit counter). Thread-safe.
class IdSource {
 public:
  IdSource(Clock* clock, Random* random) : clock_(clock), random_(random) {}
  Id Next();

 private:
  // 9 random bytes of the next id. Lock held.
  const uint8_t* NextRandom();

  Clock* clock_;
  Random* random_;
  std::mutex mutex_;
  int64_t last_ms_ = 0;
  uint32_t counter_ = 0;
  // Bytes for many ids at once: each filling is a system call.
  std::array<uint8_t, 1152> bytes_;
  size_t taken_ = sizeof bytes_;
  ForkGuard fork_;  // a child must not go on with its parent's bytes
};

}  // namespace mediagen
