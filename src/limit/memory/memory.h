// The limiter in this process's memory.
#pragma once

#include "limit/limiter.h"

namespace mediagen {

// Starts no thread. Memory is bounded by `max_keys`; a full table forgets only keys whose limit is whole again, and refuses (kOverloaded) when there is none.
StatusOr<std::unique_ptr<Limiter>> NewMemoryLimiter(Clock* clock, std::vector<LimitRule> rules, size_t max_keys = 1 << 20);

}  // namespace mediagen
