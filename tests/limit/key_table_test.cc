#include "limit/memory/key_table.h"

#include <doctest/doctest.h>

#include <map>

#include "base/id.h"

namespace mediagen::limit {
namespace {

TEST_CASE("the table keeps what a map keeps, through collisions, removals and rebuilds") {
  for (uint64_t seed : {1, 2, 3}) {
    CAPTURE(seed);
    auto random = SeededRandom(seed);
    KeyTable table(3);
    std::map<uint64_t, int64_t> model;  // hash to moment
    int64_t now = 1;
    for (int step = 0; step < 60'000; ++step) {
      // Hashes with few high bits: many homes are shared, at the array's end as well.
      const uint64_t hash = (random->Below(8) << 61) | (random->Below(40) + (seed == 1 ? 0 : 1)) |
                            (random->Below(2) ? 0x1F00000000000000 : 0);
      auto known = model.find(hash);
      auto slot = table.Find(hash);
      if (known != model.end() && known->second > now) {
        REQUIRE(slot);
        REQUIRE(*slot.whole_at_us == known->second);
        for (uint32_t cell : slot.cells) REQUIRE(cell == static_cast<uint32_t>(hash * 7));
      } else if (known == model.end() && hash > 1) {  // 0 is kept as 1
        REQUIRE(!slot);
      }
      switch (random->Below(4)) {
        case 0:
          table.Remove(hash);
          model.erase(hash);
          break;
        case 1: {
          now += static_cast<int64_t>(random->Below(20));
          int64_t next = INT64_MAX;
          const size_t before = table.size();
          const bool removed = table.RemoveOneWhole(now, &next);
          REQUIRE(table.size() == before - (removed ? 1 : 0));
          if (!removed) {
            int64_t earliest = INT64_MAX;
            for (const auto& [key, at] : model) {
              if (at > now) earliest = std::min(earliest, at);
            }
            REQUIRE(next == earliest);
          }
          break;
        }
        default:
          if (slot || hash <= 1) break;
          slot = table.Insert(hash, now);
          *slot.whole_at_us = model[hash] = now + 1 + static_cast<int64_t>(random->Below(5'000));
          for (uint32_t& cell : slot.cells) cell = static_cast<uint32_t>(hash * 7);
      }
      std::erase_if(model,
                    [&](const auto& entry) { return entry.second <= now && !table.Find(entry.first); });
    }
    CHECK(table.size() > 10);
  }
}

TEST_CASE("a hash of zero is a key like any other") {
  KeyTable table(0);
  CHECK(!table.Find(0));
  *table.Insert(0, 5).whole_at_us = 100;
  REQUIRE(table.Find(0));
  CHECK(*table.Find(0).whole_at_us == 100);
  table.Remove(0);
  CHECK(!table.Find(0));
  CHECK(table.size() == 0);
}

}  // namespace
}  // namespace mediagen::limit
