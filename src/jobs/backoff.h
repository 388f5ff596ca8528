// How long a job waits before it is tried again.
#pragma once

#include <cstdint>

#include "base/id.h"
#include "jobs/queue.h"

namespace mediagen {

// Longest wait that anybody can ask for, ms: 10 years. Keeps sums of times far from overflow.
constexpr int64_t kLongestWaitMs = int64_t{3650} * 86'400'000;

// Exponential with full jitter (a uniform draw from 0 to base_ms * 2^(tries-1), capped), and at least
// `hint_ms`, which is the provider's Retry-After (-1: none; it may pass the cap, since asking earlier is
// refused for certain). `tries` counts the one that has just failed.
int64_t BackoffMs(const RetryPolicy& policy, int tries, int64_t hint_ms, Random* random);

}  // namespace mediagen
