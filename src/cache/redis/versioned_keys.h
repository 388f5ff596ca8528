// VersionedKeys: of which keys the entry was stored as versioned, as far as it is remembered.
//
// A table of hashes in which a key's place is fixed: a newer key takes it from an older one. Who is forgotten
// is only taken for one that others can invalidate. Thread-safe, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/hash.h"

namespace mediagen::tiered {

class VersionedKeys {
 public:
  explicit VersionedKeys(uint64_t seed) : seed_(seed) {}

  // Before the entry is stored, when it is not; after that, when it is.
  void Set(std::string_view key, bool versioned) {
    const uint64_t hash = Hash(key);
    std::atomic<uint64_t>& place = places_[hash % kPlaces];
    if (versioned) {
      place.store(hash, std::memory_order_release);
    } else {
      uint64_t expected = hash;
      place.compare_exchange_strong(expected, 0, std::memory_order_acq_rel);
    }
  }
  bool Has(std::string_view key) const {
    const uint64_t hash = Hash(key);
    return places_[hash % kPlaces].load(std::memory_order_acquire) == hash;
  }

 private:
  static constexpr size_t kPlaces = 1 << 15;  // 256 KiB: as many as a memory of small pictures has

  uint64_t Hash(std::string_view key) const { return Xxh3(key, seed_) | 1; }  // never 0, the empty place

  const uint64_t seed_;
  std::array<std::atomic<uint64_t>, kPlaces> places_{};
};

}  // namespace mediagen::tiered
