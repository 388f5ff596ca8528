// The cache in this process's memory.
#pragma once

#include <memory>

#include "cache/cache.h"
#include "cache/options.h"

namespace mediagen {

// Starts no thread, creates no file. `clock` must outlive the cache. From 32 MiB on the budget is in two
// parts with a lock each, in up to 16 parts of 16 MiB and more, unless an entry of the largest size would
// take more than half of a part, or a part would have fewer than 4,096 entries.
std::unique_ptr<Cache> NewMemoryCache(Clock* clock, const MemoryCacheOptions& options);

}  // namespace mediagen
