// The cache in this process's memory.
#pragma once

#include <memory>

#include "base/id.h"
#include "cache/cache.h"

namespace mediagen {

struct MemoryCacheOptions {
  uint64_t budget_bytes = 50 << 20;
  double largest_entry = 0.125;  // of the budget, 0 to 1: past it an entry is kTooLarge
  Random* random = nullptr;      // seeds the hash of keys, once; null: SystemRandom()
};

// Starts no thread, creates no file. `clock` must outlive the cache. From 32 MiB on the budget is in two
// parts with a lock each, from 128 MiB on in four, unless an entry of the largest size would take more than
// half of a part.
std::unique_ptr<Cache> NewMemoryCache(Clock* clock, const MemoryCacheOptions& options);

}  // namespace mediagen
