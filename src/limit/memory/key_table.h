// KeyTable: the state of every key of one rule, in 12 bytes a key, those of the rule's cells, and 5 to 6 for
// finding it.
//
// The records stand densely in chunks of 32, which stay where they are: 48 bits of the key's hash, the
// moment in µs at which its limit is whole again (48 bits: nine years), and `cells` 32-bit numbers that
// belong to the rule. The index is one array, a hash table of their positions (4 bytes; linear probing from
// the place that the hash's high bits name, at most five sixths full; removal moves the followers back, Knuth
// vol. 3 §6.4, algorithm R), each with 8 more bits of the hash, so that a probe hardly ever looks at a record
// in vain. When the index is full, what is whole is dropped, or the index grows by a quarter and is made anew
// from the records. A removed record's place is taken by the last one.
//
// A record whose moment has passed equals an absent one and may be removed at any time. Not thread-safe: its
// stripe's lock guards it. Throws std::bad_alloc, unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace mediagen::limit {

class KeyTable {
 public:
  // What is known of a key; its cells follow.
  class Record {
   public:
    int64_t WholeAt() const { return static_cast<int64_t>(Load(bytes_ + 4) >> 16); }
    void SetWholeAt(int64_t us) {  // 0 <= us < 2^48
      Store(bytes_ + 4, (Load(bytes_ + 4) & 0xFFFF) | static_cast<uint64_t>(us) << 16);
    }

   private:
    friend KeyTable;
    uint64_t HighBits() const { return Load(bytes_) << 16 >> 16; }

    static uint64_t Load(const std::byte* from) {
      uint64_t value;
      std::memcpy(&value, from, sizeof value);
      return value;
    }
    static void Store(std::byte* to, uint64_t value) { std::memcpy(to, &value, sizeof value); }

    alignas(uint32_t) std::byte bytes_[12];  // the hash's high bits and the moment, six each
  };

  static constexpr size_t kMostKeys = (1 << 24) - 1;  // what a position's 24 bits tell apart

  explicit KeyTable(size_t cells) : stride_(kHead + cells * 4) {}

  size_t size() const { return used_; }
  size_t bytes() const {
    return size_t{room_} * stride_ + chunks_.capacity() * sizeof chunks_[0] + size_t{capacity_} * 4;
  }

  // The key's record, or null. Valid until the next Reserve or Remove. Of the 64 bits of a hash, those from 8
  // on tell keys apart: the lowest 8 are the stripes'.
  Record* Find(uint64_t hash) const {
    if (used_ == 0) return nullptr;
    const uint32_t tag = Tag(hash);
    for (uint32_t slot = Home(hash);; slot = Next(slot)) {
      const uint32_t entry = index_[slot];
      if (entry == kFree) return nullptr;
      if ((entry ^ tag) >> 24 != 0) continue;
      Record* record = At(entry & kPosition);
      if (record->HighBits() == hash >> 16) return record;
    }
  }
  // Makes place for `count` more. Before the index would grow, drops what is whole, if that is a quarter.
  void Reserve(size_t count, int64_t now_us);
  // The key must not be there, and Reserve have been called for it. Its moment is 0, its cells unset.
  Record* Insert(uint64_t hash);
  void Remove(Record* record);
  // Removes all that is whole, and lowers `*next_us` to the earliest moment at which more will be.
  void RemoveWhole(int64_t now_us, int64_t* next_us);

  std::span<uint32_t> Cells(Record* record) const {
    return {reinterpret_cast<uint32_t*>(record) + kHead / 4, (stride_ - kHead) / 4};
  }

 private:
  struct Freed {
    void operator()(void* array) const { std::free(array); }
  };
  static constexpr size_t kHead = sizeof(Record);
  static constexpr uint32_t kPosition = kMostKeys, kFree = 0xFFFFFFFF, kNowhere = 0xFFFFFFFF;
  static constexpr size_t kChunk = 32;  // records; the first chunk has fewer while there are no more

  static uint32_t Tag(uint64_t hash) { return static_cast<uint32_t>(hash >> 8) << 24; }

  Record* At(uint32_t position) const {
    return reinterpret_cast<Record*>(chunks_[position / kChunk].get() + position % kChunk * stride_);
  }
  uint32_t Home(uint64_t hash) const {
    return static_cast<uint32_t>((static_cast<unsigned __int128>(hash & ~uint64_t{0xFFFF}) * capacity_) >>
                                 64);
  }
  uint32_t HomeOf(uint32_t position) const { return Home(At(position)->HighBits() << 16); }
  uint32_t Next(uint32_t slot) const { return slot + 1 == capacity_ ? 0 : slot + 1; }
  uint32_t SlotOf(uint32_t position) const;
  void RemoveAt(uint32_t slot);
  void FreeSlot(uint32_t hole);
  bool DropWhole(int64_t now_us);
  // Makes the index anew, with places for `capacity`, of the records that `moved` gives a position (all keep
  // their own when it is null).
  void ResizeIndex(size_t capacity, const uint32_t* moved);
  void ResizeRecords(size_t needed);

  const size_t stride_;  // bytes of a record
  uint32_t capacity_ = 0, room_ = 0, used_ = 0;
  std::unique_ptr<uint32_t[], Freed> index_;
  std::vector<std::unique_ptr<std::byte[], Freed>> chunks_;
};

}  // namespace mediagen::limit
