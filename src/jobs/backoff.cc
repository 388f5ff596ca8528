#include "jobs/backoff.h"

#include <algorithm>

namespace mediagen {

int64_t BackoffMs(const RetryPolicy& policy, int tries, int64_t hint_ms, Random* random) {
  int64_t cap = std::clamp<int64_t>(policy.cap_ms, 0, kLongestWaitMs);
  int64_t ceiling = std::clamp<int64_t>(policy.base_ms, 0, cap);
  for (int i = 1; i < tries && ceiling > 0 && ceiling < cap; ++i) ceiling = std::min(ceiling * 2, cap);
  auto jittered = static_cast<int64_t>(random->Below(static_cast<uint64_t>(ceiling) + 1));
  return std::max(jittered, std::min(hint_ms, kLongestWaitMs));
}

}  // namespace mediagen
