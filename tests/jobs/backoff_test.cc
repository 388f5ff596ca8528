#include "jobs/backoff.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace mediagen {
namespace {

// The smallest and the largest draw of many.
std::pair<int64_t, int64_t> RangeOf(const RetryPolicy& policy, int tries, int64_t hint_ms) {
  auto random = SeededRandom(7);
  int64_t low = INT64_MAX, high = 0;
  for (int i = 0; i < 2000; ++i) {
    int64_t wait_ms = BackoffMs(policy, tries, hint_ms, random.get());
    low = std::min(low, wait_ms);
    high = std::max(high, wait_ms);
  }
  return {low, high};
}

TEST_CASE("backoff doubles its ceiling with every try and draws from all of it") {
  RetryPolicy policy{.tries = 5, .base_ms = 1000, .cap_ms = 60'000};
  for (auto [tries, ceiling] : {std::pair{1, 1000}, {2, 2000}, {3, 4000}, {6, 32'000}}) {
    auto [low, high] = RangeOf(policy, tries, -1);
    CHECK(low < ceiling / 50);
    CHECK(high <= ceiling);
    CHECK(high > ceiling * 98 / 100);
  }
}

TEST_CASE("backoff stops growing at its cap, whatever the number of tries") {
  RetryPolicy policy{.tries = 5, .base_ms = 1000, .cap_ms = 60'000};
  CHECK(RangeOf(policy, 7, -1).second <= 60'000);
  CHECK(RangeOf(policy, 2'000'000'000, -1).second <= 60'000);
}

TEST_CASE("backoff is at least what the provider asked for, even past the cap") {
  RetryPolicy policy{.tries = 5, .base_ms = 1000, .cap_ms = 2000};
  CHECK(RangeOf(policy, 1, 700).first == 700);
  CHECK(RangeOf(policy, 1, 90'000) == std::pair<int64_t, int64_t>{90'000, 90'000});
}

TEST_CASE("backoff survives settings that make no sense") {
  CHECK(RangeOf({.base_ms = -5, .cap_ms = 100}, 3, -1).second == 0);
  CHECK(RangeOf({.base_ms = 100, .cap_ms = -5}, 3, -1).second == 0);
  CHECK(RangeOf({.base_ms = INT64_MAX, .cap_ms = INT64_MAX}, 60, INT64_MAX).second == kLongestWaitMs);
}

}  // namespace
}  // namespace mediagen
