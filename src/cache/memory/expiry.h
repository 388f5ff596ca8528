// ExpiryIndex: entries by the second in which they expire, so that a sweep touches only what is due.
//
// Not thread-safe: the shard's lock guards it. A Get checks an entry's own time exactly; the index is only
// for entries that nobody asks for, so a bucket is due when all of it has expired, up to 1,024 ms late.
#pragma once

#include <cstdint>
#include <map>

#include "cache/memory/entry.h"

namespace mediagen::memory_cache {

class ExpiryIndex {
 public:
  // Entries that never expire are passed over by all.
  void Add(Entry* entry);
  void Remove(Entry* entry);
  // Some entry of a bucket that is due, still in the index; null when there is none.
  Entry* Due(int64_t now_ms) const;
  // The monotonic ms at which Due() will find something; kNever for an empty index.
  int64_t NextDue() const;

 private:
  std::map<int64_t, Entry*> buckets_;  // by expires_ms / 1,024; never an empty list
};

}  // namespace mediagen::memory_cache
