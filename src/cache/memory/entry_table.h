// EntryTable: the entries of a shard by key.
//
// Robin Hood hashing (Celis, Larson, Munro 1985) with linear probing and backward-shift deletion: no
// tombstones, and a probe ends where the key would have been. A slot is eight bytes: the entry's address, how
// far the slot lies from the key's home, and eight bits of the hash, so that a probe touches an entry only
// when it is very likely the one. At most 85 % full; grows by half.
//
// Not thread-safe: the shard's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "cache/memory/entry.h"

namespace mediagen::memory_cache {

class EntryTable {
 public:
  EntryTable();

  Entry* Find(HashedKey key) const {
    size_t slot = Home(key.hash);
    for (uint64_t sought = Mark(key.hash);; sought += kStep, slot = Next(slot)) {
      const uint64_t found = slots_[slot];
      if ((found >> kPointerBits) == (sought >> kPointerBits)) {
        Entry* entry = EntryOf(found);
        if (entry->hash == key.hash && entry->key() == key.text) return entry;
      }
      if (Distance(found) < Distance(sought)) return nullptr;
    }
  }
  // Its key must not be there.
  void Insert(Entry* entry);
  void Erase(const Entry* entry);

  size_t size() const { return size_; }
  // For walks over all entries: some of at() are null. An Insert or Erase moves entries.
  size_t capacity() const { return capacity_; }
  Entry* at(size_t slot) const { return EntryOf(slots_[slot]); }

 private:
  // A slot: 48 bits of address, 8 of the distance from home plus one (0: empty), 8 of the hash.
  static constexpr int kPointerBits = 48;
  static constexpr uint64_t kStep = uint64_t{1} << kPointerBits;
  static constexpr uint64_t kMostDistance = 250;

  static Entry* EntryOf(uint64_t slot) { return reinterpret_cast<Entry*>(slot & (kStep - 1)); }
  static uint64_t Distance(uint64_t slot) { return slot >> kPointerBits & 0xFF; }
  static uint64_t Mark(uint64_t hash) { return (hash << 56) + kStep; }
  size_t Home(uint64_t hash) const {
    return static_cast<size_t>((static_cast<unsigned __int128>(hash) * capacity_) >> 64);
  }
  size_t Next(size_t slot) const { return slot + 1 == capacity_ ? 0 : slot + 1; }
  bool Place(uint64_t slot_value, size_t slot);
  void Grow();

  size_t capacity_, size_ = 0;
  std::unique_ptr<uint64_t[]> slots_;
};

}  // namespace mediagen::memory_cache
