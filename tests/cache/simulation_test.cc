// The simulation against figures that can be counted by hand.
#include "cachesim/simulation.h"

#include <doctest/doctest.h>

namespace mediagen::cachesim {
namespace {

Figures Of(const char* policy, memory_cache::Room room, const std::vector<Request>& requests) {
  Simulation simulation(PolicyOf(policy), room);
  simulation.Run(requests);
  return simulation.figures();
}

TEST_CASE("hits, bytes and the peak are what they are counted to be") {
  const std::vector<Request> requests = {{1, 10}, {2, 20}, {1, 10}, {3, 70}, {1, 10}, {4, 30}, {2, 20}};
  // 1 and 3 stay until 4 comes and drops 3 after 2: {1, 4}.
  const Figures lru = Of("lru", {.bytes = 100}, requests);
  CHECK(lru.requests == 7);
  CHECK(lru.hits == 2);
  CHECK(lru.object_hit_ratio() == doctest::Approx(2.0 / 7));
  CHECK(lru.byte_hit_ratio() == doctest::Approx(20.0 / 170));
  CHECK(lru.peak_bytes == 100);
  CHECK(lru.ns_per_request() > 0);
}

TEST_CASE("every policy finds a cyclic trace that fits whole, and counts entries where those are the bound") {
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 10'000; ++i) requests.push_back({i % 100, 1'000'000});
  for (const char* policy : {"tinylfu", "lru", "s3fifo"}) {
    CAPTURE(policy);
    const Figures figures = Of(policy, {.entries = 100}, requests);
    CHECK(figures.hits == 9'900);
    CHECK(figures.peak_bytes == 100'000'000);
    const Figures nothing = Of(policy, {.bytes = 999'999}, requests);
    CHECK(nothing.hits == 0);
    CHECK(nothing.peak_bytes == 0);
  }
  CHECK((PolicyOf("fifo") == nullptr));
}

TEST_CASE("an object of no bytes is charged one; one that changes its size is a hit and keeps its charge") {
  const Figures figures = Of("lru", {.bytes = 3}, {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {4, 3}, {1, 0}});
  CHECK(figures.hits == 1);
  CHECK(figures.peak_bytes == 3);
  CHECK(figures.byte_hit_ratio() == 1);
}

TEST_CASE("no request at all has ratios of zero") {
  const Figures figures = Of("tinylfu", {.entries = 5}, {});
  CHECK(figures.object_hit_ratio() == 0);
  CHECK(figures.byte_hit_ratio() == 0);
  CHECK(figures.ns_per_request() == 0);
}

}  // namespace
}  // namespace mediagen::cachesim
