// Hit ratios against a plain LRU of the same bytes, on traces made by seed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <unordered_map>

#include "base/id.h"
#include "cache/memory/memory.h"
#include "cache/memory/sketch.h"
#include "contract/cache_contract.h"

namespace mediagen {
namespace {

constexpr size_t kValueBytes = 1000;
constexpr size_t kEntries = 500;

// What every entry of these traces charges, measured.
uint64_t ChargeOfOne() {
  FakeClock clock;
  auto cache = NewMemoryCache(&clock, {});
  PutText(*cache, "k00000", std::string(kValueBytes, 'v'));
  return cache->Stats().bytes;
}

std::string KeyOf(size_t i) { return "k" + std::to_string(100'000 + i).substr(1); }

double TinyLfuHitRatio(const std::vector<size_t>& trace) {
  FakeClock clock;
  auto random = SeededRandom(11);
  auto cache = NewMemoryCache(&clock, {.budget_bytes = kEntries * ChargeOfOne(), .random = random.get()});
  for (size_t i : trace) {
    if (!cache->Get(KeyOf(i))) PutText(*cache, KeyOf(i), std::string(kValueBytes, 'v'));
  }
  CacheStats stats = cache->Stats();
  CHECK(stats.entries <= kEntries);
  return static_cast<double>(stats.hits) / static_cast<double>(trace.size());
}

double LruHitRatio(const std::vector<size_t>& trace) {
  std::list<size_t> order;
  std::unordered_map<size_t, std::list<size_t>::iterator> places;
  size_t hits = 0;
  for (size_t i : trace) {
    auto place = places.find(i);
    if (place != places.end()) {
      ++hits;
      order.erase(place->second);
    } else if (order.size() == kEntries) {
      places.erase(order.back());
      order.pop_back();
    }
    order.push_front(i);
    places[i] = order.begin();
  }
  return static_cast<double>(hits) / static_cast<double>(trace.size());
}

// Ranks by the inverse of the cumulative distribution of Zipf's law.
std::vector<size_t> ZipfTrace(size_t keys, double exponent, size_t length, uint64_t seed) {
  std::vector<double> cumulative;
  double sum = 0;
  for (size_t i = 1; i <= keys; ++i) cumulative.push_back(sum += std::pow(static_cast<double>(i), -exponent));
  auto random = SeededRandom(seed);
  std::vector<size_t> trace;
  for (size_t i = 0; i < length; ++i) {
    double at =
        static_cast<double>(random->Below(uint64_t{1} << 53)) / static_cast<double>(uint64_t{1} << 53) * sum;
    trace.push_back(
        static_cast<size_t>(std::lower_bound(cumulative.begin(), cumulative.end(), at) - cumulative.begin()));
  }
  return trace;
}

TEST_CASE("on a Zipf trace W-TinyLFU finds more than an LRU of the same size") {
  auto trace = ZipfTrace(20'000, 0.9, 200'000, 5);
  double tiny = TinyLfuHitRatio(trace), lru = LruHitRatio(trace);
  INFO("W-TinyLFU " << tiny << ", LRU " << lru);
  CHECK(tiny > lru + 0.03);
}

TEST_CASE("on a loop larger than the cache, where an LRU finds nothing, W-TinyLFU finds a part") {
  std::vector<size_t> trace;
  for (size_t i = 0; i < 100'000; ++i) trace.push_back(i % (2 * kEntries));
  double tiny = TinyLfuHitRatio(trace);
  INFO("W-TinyLFU " << tiny);
  CHECK(LruHitRatio(trace) == 0);
  CHECK(tiny > 0.2);
}

TEST_CASE("one scan of cold keys does not flush the hot ones") {
  std::vector<size_t> trace = ZipfTrace(300, 0.5, 20'000, 6);
  for (size_t i = 0; i < 5'000; ++i) trace.push_back(10'000 + i);
  size_t before = trace.size();
  for (size_t i = 0; i < 300; ++i) trace.push_back(i);
  std::vector<size_t> without_end(trace.begin(), trace.begin() + static_cast<ptrdiff_t>(before));
  double end_hits = TinyLfuHitRatio(trace) * static_cast<double>(trace.size()) -
                    TinyLfuHitRatio(without_end) * static_cast<double>(before);
  INFO("after the scan " << end_hits << " of 300 are found");
  CHECK(end_hits > 200);
}

TEST_CASE("on a tie the one that is here stays: keys seen once do not replace keys seen once") {
  std::vector<size_t> trace;
  for (size_t i = 0; i < 3 * kEntries; ++i) trace.push_back(i);
  const size_t before = trace.size();
  for (size_t i = 0; i < kEntries; ++i) trace.push_back(i);
  const double kept = TinyLfuHitRatio(trace) * static_cast<double>(trace.size());
  INFO("of " << kEntries << " first keys " << kept << " are found after " << before - kEntries << " others");
  CHECK(kept > kEntries * 0.7);
}

TEST_CASE("of two equally wanted values the one that costs more to make stays") {
  FakeClock clock;
  auto random = SeededRandom(12);
  auto cache = NewMemoryCache(&clock, {.budget_bytes = kEntries * ChargeOfOne(), .random = random.get()});
  auto use = [&](size_t i) {
    EntryOptions options{.cost = i % 2 ? 20.0 : 1.0};
    if (!cache->Get(KeyOf(i))) PutText(*cache, KeyOf(i), std::string(kValueBytes, 'v'), options);
  };
  auto order = SeededRandom(13);
  for (int i = 0; i < 50'000; ++i) use(order->Below(2 * kEntries));
  int dear = 0, cheap = 0;
  for (size_t i = 0; i < 2 * kEntries; ++i) {
    if (cache->Get(KeyOf(i))) ++(i % 2 ? dear : cheap);
  }
  INFO("dear " << dear << ", cheap " << cheap);
  CHECK(dear > 2 * cheap);
}

TEST_CASE("the sketch counts to fifteen, keeps its counts when it grows, and forgets with age") {
  memory_cache::FrequencySketch sketch;
  const uint64_t hash = 0x0123456789ABCDEF;
  CHECK(sketch.Frequency(hash) == 0);
  for (int i = 0; i < 7; ++i) sketch.Count(hash);
  CHECK(sketch.Frequency(hash) == 7);
  sketch.Grow(5'000);
  CHECK(sketch.Frequency(hash) == 7);
  for (int i = 0; i < 20; ++i) sketch.Count(hash);
  CHECK(sketch.Frequency(hash) == memory_cache::FrequencySketch::kMost);
  auto random = SeededRandom(1);
  for (int i = 0; i < 200'000; ++i) sketch.Count(random->Next());
  CHECK(sketch.Frequency(hash) < memory_cache::FrequencySketch::kMost);
}

}  // namespace
}  // namespace mediagen
