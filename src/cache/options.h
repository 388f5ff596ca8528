// How a cache in memory is configured.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/id.h"
#include "base/status.h"

namespace mediagen {

enum class CachePolicy { kTinyLfu, kLru, kS3Fifo };

struct MemoryCacheOptions {
  uint64_t budget_bytes = 50 << 20;
  uint64_t max_entries = 0;  // 0: bounded by bytes alone
  // Of the budget, 0 to 1: past it an entry is kTooLarge. By default an eighth, at most 16 MiB: the larger it
  // is, the fewer parts the cache can have, each with a lock of its own.
  std::optional<double> largest_entry;
  CachePolicy policy = CachePolicy::kTinyLfu;
  int64_t negative_ttl_ms = 5000;  // of negative entries that name no ttl_ms
  Random* random = nullptr;        // seeds the hash of keys and the jitter, once; null: SystemRandom()
};

// The options of {"bytes", "entries", "largestEntry", "negativeTtlMs", "policy"} (mediagen/cache.h), every
// key optional; "" is {}. kInvalid names the key.
StatusOr<MemoryCacheOptions> ParseMemoryCacheOptions(std::string_view config_json);

}  // namespace mediagen
