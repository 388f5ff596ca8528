#include "limit/memory/key_table.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace mediagen::limit {
namespace {

constexpr size_t kLeastCapacity = 16, kLeastRoom = 8;

// Of an index of `capacity` places at most five sixths are taken, and a new one begins with two thirds: the
// bytes a key are then 5.4 in the mean, and a search looks at a handful of neighbours.
size_t MostOf(size_t capacity) { return capacity / 6 * 5; }
size_t CapacityFor(size_t keys) { return keys * 3 / 2 + 6; }

}  // namespace

void KeyTable::Reserve(size_t count, int64_t now_us) {
  const size_t needed = used_ + count;
  if (needed > MostOf(capacity_)) {
    if (used_ >= kLeastRoom && DropWhole(now_us)) return Reserve(count, now_us);
    ResizeIndex(std::max(kLeastCapacity, CapacityFor(needed)), nullptr);
  }
  if (needed > room_) ResizeRecords(needed);
}

KeyTable::Record* KeyTable::Insert(uint64_t hash) {
  const uint32_t position = used_++;
  Record* record = At(position);
  Record::Store(record->bytes_, hash >> 16);  // and two bytes of the moment, which the next line sets
  record->SetWholeAt(0);
  uint32_t slot = Home(hash);
  while (index_[slot] != kFree) slot = Next(slot);
  index_[slot] = position | Tag(hash);
  return record;
}

void KeyTable::Remove(Record* record) {
  uint32_t slot = Home(record->HighBits() << 16);
  while (At(index_[slot] & kPosition) != record) slot = Next(slot);
  RemoveAt(slot);
}

void KeyTable::RemoveAt(uint32_t slot) {
  const uint32_t position = index_[slot] & kPosition;
  FreeSlot(slot);
  const uint32_t last = --used_;
  if (position == last) return;
  uint32_t& entry = index_[SlotOf(last)];
  entry = (entry & ~kPosition) | position;
  std::memcpy(At(position), At(last), stride_);
}

uint32_t KeyTable::SlotOf(uint32_t position) const {
  uint32_t slot = HomeOf(position);
  while ((index_[slot] & kPosition) != position) slot = Next(slot);
  return slot;
}

void KeyTable::FreeSlot(uint32_t hole) {
  for (uint32_t slot = Next(hole); index_[slot] != kFree; slot = Next(slot)) {
    // A follower may fill the hole unless its home lies behind the hole, on the way to where it stands.
    const uint32_t home = HomeOf(index_[slot] & kPosition);
    const uint32_t from_home = slot >= home ? slot - home : slot + capacity_ - home;
    const uint32_t from_hole = slot >= hole ? slot - hole : slot + capacity_ - hole;
    if (from_home < from_hole) continue;
    index_[hole] = index_[slot];
    hole = slot;
  }
  index_[hole] = kFree;
}

// Moves the records that are not whole together, in their order. False, and nothing done, when fewer than a
// quarter are: to look through all of them pays only once in so many insertions.
bool KeyTable::DropWhole(int64_t now_us) {
  std::unique_ptr<uint32_t[]> moved(new uint32_t[used_]);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < used_; ++i) moved[i] = At(i)->WholeAt() > now_us ? kept++ : kNowhere;
  if (kept > used_ - used_ / 4) return false;
  ResizeIndex(std::max(kLeastCapacity, CapacityFor(kept)), moved.get());
  for (uint32_t i = 0; i < used_; ++i) {
    if (moved[i] != kNowhere && moved[i] != i) std::memcpy(At(moved[i]), At(i), stride_);
  }
  used_ = kept;
  ResizeRecords(kept);
  return true;
}

// The entries' bits of the hash are nowhere else, so they come from the old index; their homes from the
// records, which have not moved yet.
void KeyTable::ResizeIndex(size_t capacity, const uint32_t* moved) {
  std::unique_ptr<uint32_t[], Freed> old(static_cast<uint32_t*>(std::malloc(capacity * 4)));
  if (!old) throw std::bad_alloc();
  std::fill_n(old.get(), capacity, kFree);
  std::swap(index_, old);
  const uint32_t old_capacity = std::exchange(capacity_, static_cast<uint32_t>(capacity));
  for (uint32_t i = 0; i < old_capacity; ++i) {
    if (old[i] == kFree) continue;
    const uint32_t position = old[i] & kPosition, to = moved ? moved[position] : position;
    if (to == kNowhere) continue;
    uint32_t slot = HomeOf(position);
    while (index_[slot] != kFree) slot = Next(slot);
    index_[slot] = to | (old[i] & ~kPosition);
  }
}

// Makes room for `needed` in chunks, and gives back those that are more.
void KeyTable::ResizeRecords(size_t needed) {
  const auto allocate = [&](void* old, size_t records) {
    void* chunk = std::realloc(old, records * stride_);
    if (chunk == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(chunk);
  };
  const size_t chunks = (needed + kChunk - 1) / kChunk;
  if (chunks < chunks_.size()) {
    chunks_.resize(std::max<size_t>(1, chunks));
    room_ = std::min(room_, static_cast<uint32_t>(chunks_.size() * kChunk));
  }
  if (chunks_.empty()) chunks_.emplace_back();
  const size_t first = chunks > 1 ? kChunk : std::bit_ceil(std::max(kLeastRoom, needed));
  if (chunks_.size() == 1 && first != room_) {
    std::byte* moved = allocate(chunks_[0].get(), first);
    (void)chunks_[0].release();
    chunks_[0].reset(moved);
    room_ = static_cast<uint32_t>(first);
  }
  while (chunks_.size() < chunks) {
    decltype(chunks_)::value_type chunk(allocate(nullptr, kChunk));
    chunks_.push_back(std::move(chunk));
    room_ += kChunk;
  }
}

void KeyTable::RemoveWhole(int64_t now_us, int64_t* next_us) {
  for (uint32_t position = 0; position < used_;) {
    const int64_t whole_at_us = At(position)->WholeAt();
    if (whole_at_us <= now_us) {
      RemoveAt(SlotOf(position));  // the last one has moved here
    } else {
      *next_us = std::min(*next_us, whole_at_us);
      ++position;
    }
  }
}

}  // namespace mediagen::limit
