#include "limit/memory/key_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace mediagen::limit {
namespace {

constexpr size_t kLeastCapacity = 16;

uint64_t NotEmpty(uint64_t hash) { return hash == 0 ? 1 : hash; }

}  // namespace

size_t KeyTable::Seek(uint64_t hash) {
  size_t slot = Home(hash);
  while (HashAt(slot) != 0 && HashAt(slot) != hash) slot = Next(slot);
  return slot;
}

KeyTable::Slot KeyTable::Find(uint64_t hash) {
  if (used_ == 0) return {};
  const size_t slot = Seek(NotEmpty(hash));
  return HashAt(slot) == 0 ? Slot{} : At(slot);
}

KeyTable::Slot KeyTable::Insert(uint64_t hash, int64_t now_us) {
  hash = NotEmpty(hash);
  if (used_ + 1 > capacity_ / 5 * 4) Rebuild(now_us);
  const size_t slot = Seek(hash);
  HashAt(slot) = hash;
  WholeAt(slot) = 0;
  ++used_;
  return At(slot);
}

// Into an array in which what is not whole fills one half.
void KeyTable::Rebuild(int64_t now_us) {
  size_t kept = 0;
  for (size_t slot = 0; slot < capacity_; ++slot) kept += HashAt(slot) != 0 && WholeAt(slot) > now_us;
  std::unique_ptr<std::byte[]> old = std::move(slots_);
  const size_t old_capacity = std::exchange(capacity_, std::max(kLeastCapacity, (kept + 1) * 2));
  slots_ = std::make_unique<std::byte[]>(capacity_ * stride_);
  used_ = kept;
  hand_ = 0;
  for (size_t i = 0; i < old_capacity; ++i) {
    const std::byte* from = &old[i * stride_];
    const uint64_t hash = *reinterpret_cast<const uint64_t*>(from);
    if (hash == 0 || *reinterpret_cast<const int64_t*>(from + 8) <= now_us) continue;
    std::memcpy(&slots_[Seek(hash) * stride_], from, stride_);
  }
}

void KeyTable::Remove(uint64_t hash) {
  if (used_ == 0) return;
  const size_t slot = Seek(NotEmpty(hash));
  if (HashAt(slot) != 0) RemoveAt(slot);
}

void KeyTable::RemoveAt(size_t hole) {
  for (size_t slot = Next(hole); HashAt(slot) != 0; slot = Next(slot)) {
    // A follower may fill the hole unless its home lies behind the hole, on the way to where it stands.
    const size_t home = Home(HashAt(slot));
    const size_t from_home = slot >= home ? slot - home : slot + capacity_ - home;
    const size_t from_hole = slot >= hole ? slot - hole : slot + capacity_ - hole;
    if (from_home < from_hole) continue;
    std::memcpy(&slots_[hole * stride_], &slots_[slot * stride_], stride_);
    hole = slot;
  }
  HashAt(hole) = 0;
  --used_;
}

bool KeyTable::RemoveOneWhole(int64_t now_us, int64_t* next_us) {
  for (size_t left = capacity_; left > 0; --left) {
    if (hand_ >= capacity_) hand_ = 0;
    if (HashAt(hand_) != 0) {
      if (WholeAt(hand_) <= now_us) {
        RemoveAt(hand_);  // the hand stays: a follower may have moved here
        return true;
      }
      *next_us = std::min(*next_us, WholeAt(hand_));
    }
    ++hand_;
  }
  return false;
}

}  // namespace mediagen::limit
