#include "cache/memory/entry_table.h"

#include <algorithm>
#include <utility>

namespace mediagen::memory_cache {
namespace {

constexpr size_t kLeastCapacity = 16;

}  // namespace

EntryTable::EntryTable() : capacity_(kLeastCapacity), slots_(std::make_unique<uint64_t[]>(kLeastCapacity)) {}

void EntryTable::Insert(Entry* entry) {
  if ((size_ + 1) * 20 > capacity_ * 17) Grow();
  while (!Place(Mark(entry->hash) | reinterpret_cast<uint64_t>(entry), Home(entry->hash))) Grow();
  ++size_;
}

// Puts what `carried` names at or behind `slot`; whoever is nearer to its home gives way. False when somebody
// would come too far from home, which a seeded hash makes a matter of chance only: nothing has changed then.
bool EntryTable::Place(uint64_t carried, size_t slot) {
  uint64_t distance = Distance(carried);
  for (size_t i = slot; slots_[i] != 0; i = Next(i)) {
    distance = std::min(distance, Distance(slots_[i])) + 1;
    if (distance > kMostDistance) return false;
  }
  while (slots_[slot] != 0) {
    if (Distance(slots_[slot]) < Distance(carried)) std::swap(slots_[slot], carried);
    slot = Next(slot);
    carried += kStep;
  }
  slots_[slot] = carried;
  return true;
}

void EntryTable::Erase(const Entry* entry) {
  size_t hole = Home(entry->hash);
  while (EntryOf(slots_[hole]) != entry) hole = Next(hole);
  for (size_t next = Next(hole); Distance(slots_[next]) > 1; hole = next, next = Next(next)) {
    slots_[hole] = slots_[next] - kStep;
  }
  slots_[hole] = 0;
  --size_;
}

void EntryTable::Grow() {
  const size_t old_capacity = capacity_;
  std::unique_ptr<uint64_t[]> old = std::move(slots_);
  for (bool placed = false; !placed;) {
    capacity_ += capacity_ / 2;
    slots_ = std::make_unique<uint64_t[]>(capacity_);
    placed = true;
    for (size_t i = 0; placed && i < old_capacity; ++i) {
      Entry* entry = EntryOf(old[i]);
      if (entry) placed = Place(Mark(entry->hash) | reinterpret_cast<uint64_t>(entry), Home(entry->hash));
    }
  }
}

}  // namespace mediagen::memory_cache
