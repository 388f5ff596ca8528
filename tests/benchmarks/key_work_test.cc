#include "support/key_work.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "doctest/doctest.h"

using namespace mediagen::bench;

TEST_CASE("keys are those that the peers make: SplitMix64's outputs in sixteen digits") {
  const Keys keys(1000);
  CHECK(keys.count() == 1000);
  CHECK(keys[0] == "e220a8397b1dcdaf");  // the published first output for the seed 0
  std::set<std::string_view> all;
  for (uint32_t i = 0; i < keys.count(); ++i) all.insert(keys[i]);
  CHECK(all.size() == 1000);
}

TEST_CASE("Zipf's most wanted index comes as often as the law says, and a seed draws the same again") {
  const std::vector<uint32_t> drawn = ZipfIndexes(1000, 200'000, 0.99, 7);
  CHECK(drawn == ZipfIndexes(1000, 200'000, 0.99, 7));
  std::vector<int> times(1000);
  for (const uint32_t index : drawn) ++times.at(index);
  std::sort(times.rbegin(), times.rend());
  CHECK(times[0] / 200'000.0 == doctest::Approx(1 / 7.73).epsilon(0.05));  // 1 / Σ k^-0.99 up to 1000
  CHECK(times[1] / 200'000.0 == doctest::Approx(1 / 7.73 / 1.986).epsilon(0.05));
  const std::vector<uint32_t> uniform = ZipfIndexes(10, 100'000, 0, 7);
  for (uint32_t i = 0; i < 10; ++i) {
    CHECK(std::count(uniform.begin(), uniform.end(), i) == doctest::Approx(10'000).epsilon(0.1));
  }
}

TEST_CASE("every thread asks for every index once") {
  const std::vector<uint32_t> indexes = {0, 1, 2, 3, 4};
  std::atomic<int> asked[5]{};
  const KeyRun run = RunOver(indexes, 3, [&](uint32_t index) {
    ++asked[index];
    return index == 2;
  });
  for (const std::atomic<int>& times : asked) CHECK(times == 3);
  CHECK(run.yes == doctest::Approx(0.2));
  CHECK(run.per_second > 0);
}
