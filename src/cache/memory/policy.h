// Policy: which entries of a shard stay. It orders them and names victims; it frees nothing.
//
// Not thread-safe: the shard's lock guards it. Entries belong to the shard and stay valid until it was told
// Remove() or named them as evicted.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cache/memory/entry.h"

namespace mediagen::memory_cache {

class Policy {
 public:
  virtual ~Policy() = default;

  // A lookup found `entry`.
  virtual void Hit(Entry* entry) = 0;
  // A lookup found nothing: it counts towards the key's admission later.
  virtual void Miss(uint64_t hash) = 0;

  // Takes in `entry`, which is in no queue, and appends to `evicted` whom to drop so that what stays charges
  // at most `capacity` bytes; those are in no queue any more. `entry` itself may be among them: refused.
  // Entries that a reader holds are never named, since dropping them frees nothing. Before the call at most
  // `capacity` bytes must be charged.
  virtual void Add(Entry* entry, uint64_t capacity, int64_t now_ms, std::vector<Entry*>* evicted) = 0;

  // Forgets an entry that was dropped for another reason.
  virtual void Remove(Entry* entry) = 0;

  // Of all entries in its queues.
  virtual uint64_t bytes() const = 0;
};

// W-TinyLFU (Einziger, Friedman, Manes, ACM TOS 2017): a window of new entries (LRU, a fifth of the bytes),
// then a segmented LRU (probation, protected) into which a candidate comes when its frequency * cost / size
// exceeds that of the victims it needs, summed before the division (size-aware admission after arXiv
// 2105.08770).
std::unique_ptr<Policy> NewTinyLfu();

}  // namespace mediagen::memory_cache
