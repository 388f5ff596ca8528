// KeyTable: the state of every key of one rule, in one flat array.
//
// Linear probing from the place that the hash's high bits name; removal moves the followers back (Knuth vol.
// 3 §6.4, algorithm R), so there are no tombstones. A slot is the key's hash (its identity: 64 bits of a
// seeded hash), the moment in µs at which its limit is whole again, and `cells` 32-bit numbers that belong to
// the rule. A slot whose moment has passed equals an absent one and may be removed at any time. Not
// thread-safe: its stripe's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace mediagen::limit {

class KeyTable {
 public:
  explicit KeyTable(size_t cells) : cells_(cells), stride_(kHead + (cells + 1) / 2 * 8) {}

  // Points into the array: valid until the next Insert or Remove.
  struct Slot {
    int64_t* whole_at_us = nullptr;
    std::span<uint32_t> cells;
    explicit operator bool() const { return whole_at_us != nullptr; }
  };

  size_t size() const { return used_; }
  size_t cells() const { return cells_; }
  Slot Find(uint64_t hash);
  // The key must not be there. Its moment is 0, its cells unset. Rebuilds the array when it is four fifths
  // full, dropping what is whole.
  Slot Insert(uint64_t hash, int64_t now_us);
  void Remove(uint64_t hash);
  // Removes one slot that is whole. When there is none, sets `*next_us` to the earliest moment at which there
  // will be one, if that is earlier. The search goes on where the last one ended.
  bool RemoveOneWhole(int64_t now_us, int64_t* next_us);

 private:
  static constexpr size_t kHead = 16;  // the hash and the moment

  uint64_t& HashAt(size_t slot) { return *reinterpret_cast<uint64_t*>(&slots_[slot * stride_]); }
  int64_t& WholeAt(size_t slot) { return *reinterpret_cast<int64_t*>(&slots_[slot * stride_ + 8]); }
  Slot At(size_t slot) {
    return {&WholeAt(slot), {reinterpret_cast<uint32_t*>(slots_.get() + slot * stride_ + kHead), cells_}};
  }
  size_t Home(uint64_t hash) const {
    return static_cast<size_t>((static_cast<unsigned __int128>(hash) * capacity_) >> 64);
  }
  size_t Next(size_t slot) const { return slot + 1 == capacity_ ? 0 : slot + 1; }
  // Where the key is, or the empty slot where it would be.
  size_t Seek(uint64_t hash);
  void RemoveAt(size_t slot);
  void Rebuild(int64_t now_us);

  const size_t cells_, stride_;  // numbers, bytes
  size_t capacity_ = 0, used_ = 0, hand_ = 0;
  std::unique_ptr<std::byte[]> slots_;  // a hash of 0 marks an empty one
};

}  // namespace mediagen::limit
