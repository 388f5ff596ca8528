#include "limit/memory/key_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/id.h"

namespace mediagen::limit {
namespace {

// A table and the map that it should agree with.
struct Checked {
  KeyTable table{3};
  std::map<uint64_t, int64_t> model;  // hash to moment
  int64_t now = 1;

  void Insert(uint64_t hash, int64_t whole_at) {
    table.Reserve(1, now);
    std::erase_if(
        model, [&](const auto& entry) { return entry.second <= now && table.Find(entry.first) == nullptr; });
    KeyTable::Record* record = table.Insert(hash);
    REQUIRE(record->WholeAt() == 0);
    record->SetWholeAt(model[hash] = whole_at);
    for (uint32_t& cell : table.Cells(record)) cell = static_cast<uint32_t>(hash * 7);
  }
  void Agree(uint64_t hash) const {
    KeyTable::Record* record = table.Find(hash);
    auto known = model.find(hash);
    REQUIRE((record != nullptr) == (known != model.end()));
    if (known == model.end()) return;
    REQUIRE(record->WholeAt() == known->second);
    for (uint32_t cell : table.Cells(record)) REQUIRE(cell == static_cast<uint32_t>(hash * 7));
  }
  void RemoveWhole() {
    int64_t next = INT64_MAX, earliest = INT64_MAX;
    table.RemoveWhole(now, &next);
    std::erase_if(model, [&](const auto& entry) { return entry.second <= now; });
    for (const auto& entry : model) earliest = std::min(earliest, entry.second);
    REQUIRE(next == earliest);
  }
};

TEST_CASE("the table keeps what a map keeps, through collisions, removals, growth and what is dropped") {
  for (uint64_t seed : {1, 2, 3}) {
    CAPTURE(seed);
    auto random = SeededRandom(seed);
    Checked both;
    for (int step = 0; step < 60'000; ++step) {
      // Hashes with few high bits: many homes are shared, at the array's end as well. The lowest 8 bits are
      // the stripes'.
      const uint64_t hash =
          (random->Below(8) << 61) | (random->Below(40) << 8) | (random->Below(2) ? 0x1F00000000000000 : 0);
      both.Agree(hash);
      KeyTable::Record* record = both.table.Find(hash);
      switch (random->Below(4)) {
        case 0:
          if (record != nullptr) both.table.Remove(record);
          both.model.erase(hash);
          break;
        case 1:
          both.now += static_cast<int64_t>(random->Below(200)) * (random->Below(20) == 0);
          if (random->Below(10) != 0) break;
          both.RemoveWhole();
          break;
        default:
          if (record == nullptr) {
            both.Insert(hash, both.now + 1 + static_cast<int64_t>(random->Below(5'000)));
          }
      }
      REQUIRE(both.table.size() == both.model.size());
    }
    CHECK(both.table.size() > 10);
    const auto model = both.model;
    for (const auto& entry : model) both.Agree(entry.first);
  }
}

TEST_CASE("keys that differ in any of the 56 bits are apart, a hash of zero among them") {
  KeyTable table(0);
  for (int bit = 8; bit < 64; ++bit) {
    table.Reserve(1, 0);
    table.Insert(uint64_t{1} << bit)->SetWholeAt(bit);
  }
  CHECK(table.Find(0) == nullptr);
  table.Reserve(1, 0);
  table.Insert(0)->SetWholeAt(100);
  for (int bit = 8; bit < 64; ++bit) {
    KeyTable::Record* record = table.Find(uint64_t{1} << bit);
    REQUIRE(record != nullptr);
    CHECK(record->WholeAt() == bit);
  }
  CHECK(table.Find(0)->WholeAt() == 100);
  table.Remove(table.Find(0));
  CHECK(table.Find(0) == nullptr);
  CHECK(table.size() == 56);
}

TEST_CASE("the largest moment and the last bits of a hash do not touch") {
  KeyTable table(0);
  table.Reserve(1, 0);
  KeyTable::Record* record = table.Insert(~uint64_t{0});
  record->SetWholeAt((int64_t{1} << 48) - 1);
  CHECK(record->WholeAt() == (int64_t{1} << 48) - 1);
  CHECK(table.Find(~uint64_t{0}) == record);
  record->SetWholeAt(0);
  CHECK(table.Find(~uint64_t{0}) == record);
}

TEST_CASE("a key takes 17 to 19 bytes, its cells aside; what is whole makes room before the table grows") {
  auto random = SeededRandom(4);
  KeyTable table(0), exact(4);
  for (size_t i = 1; i <= 100'000; ++i) {
    const uint64_t hash = random->Next();
    table.Reserve(1, 0);
    table.Insert(hash)->SetWholeAt(1'000);
    exact.Reserve(1, 0);
    exact.Insert(hash)->SetWholeAt(1'000);
    if (i < 1'000) continue;
    // Room for 31 records at most; 4 bytes for each of up to 3 / 2 of them in the index, and up to two
    // pointers for 32 of them.
    REQUIRE(table.bytes() <= (i + 32) * 12 + i * 13 / 2 + 500);
    REQUIRE(exact.bytes() <= (i + 32) * (12 + 16) + i * 13 / 2 + 500);
  }
  CHECK(table.bytes() <= 100'000 * 19);
  CHECK(exact.bytes() <= 100'000 * (16 + 4 * 5));
  const size_t bytes = table.bytes();
  for (size_t i = 0; i < 300'000; ++i) {  // all that was there is whole by now, and what is new soon
    const auto now = static_cast<int64_t>(1'000 + i);
    table.Reserve(1, now);
    table.Insert(random->Next())->SetWholeAt(now + 1'000);
  }
  CHECK(table.size() < 2'000);
  CHECK(table.bytes() < bytes / 20);
}

}  // namespace
}  // namespace mediagen::limit
