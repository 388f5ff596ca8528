#include "cache/memory/entry_table.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "base/id.h"

namespace mediagen::memory_cache {
namespace {

// A table and the entries that it names.
struct Fixture {
  ~Fixture() {
    for (auto& [key, entry] : entries) Entry::Retire(entry);
  }
  Entry* Add(const std::string& key, uint64_t hash) {
    Entry* entry = Entry::New({key, hash}, BufferRef::Copy(key), false);
    table.Insert(entry);
    entries[key] = entry;
    return entry;
  }
  void Drop(const std::string& key) {
    auto found = entries.find(key);
    table.Erase(found->second);
    Entry::Retire(found->second);
    entries.erase(found);
  }
  EntryTable table;
  std::map<std::string, Entry*> entries;
};

// `hash_of` decides how much keys collide.
void AgreesWithMap(uint64_t (*hash_of)(uint64_t), uint64_t keys, int steps) {
  Fixture f;
  auto random = SeededRandom(7);
  for (int step = 0; step < steps; ++step) {
    const uint64_t number = random->Below(keys);
    const std::string key = std::to_string(number);
    const HashedKey hashed{key, hash_of(number)};
    auto known = f.entries.find(key);
    Entry* found = f.table.Find(hashed);
    REQUIRE(found == (known == f.entries.end() ? nullptr : known->second));
    if (!found)
      f.Add(key, hashed.hash);
    else if (random->Below(2) == 0)
      f.Drop(key);
    REQUIRE(f.table.size() == f.entries.size());
  }
  size_t met = 0;
  for (size_t slot = 0; slot < f.table.capacity(); ++slot) met += f.table.at(slot) != nullptr;
  CHECK(met == f.entries.size());
}

TEST_CASE("a table finds what was inserted and not erased, step by step as a map does") {
  SUBCASE("with hashes that spread") {
    AgreesWithMap([](uint64_t i) { return (i + 1) * 0x9E3779B97F4A7C15; }, 3000, 60'000);
  }
  SUBCASE("with hashes of which a hundred are alike") {
    AgreesWithMap([](uint64_t i) { return (i / 100 + 1) * 0x9E3779B97F4A7C15; }, 1000, 60'000);
  }
  SUBCASE("with runs that go round the end of the table") {
    AgreesWithMap([](uint64_t i) { return ~uint64_t{0} - i; }, 200, 20'000);
  }
}

TEST_CASE("a table is between half and nine tenths full once it has grown") {
  Fixture f;
  for (uint64_t i = 0; i < 10'000; ++i) f.Add(std::to_string(i), (i + 1) * 0x9E3779B97F4A7C15);
  CHECK(f.table.capacity() * 17 >= f.table.size() * 20);
  CHECK(f.table.capacity() < f.table.size() * 2);
}

TEST_CASE("an entry gives its key and value back, small or large, with details or without") {
  for (size_t size : {size_t{0}, size_t{1}, kMostEmbedded, kMostEmbedded + 1}) {
    for (bool detailed : {false, true}) {
      for (size_t key_size : {size_t{0}, size_t{5}, size_t{8}, size_t{70'000}}) {
        const std::string key(key_size, 'k'), value(size, 'v');
        Entry* entry = Entry::New({key, 42}, BufferRef::Copy(value), detailed);
        CHECK(entry->key() == key);
        CHECK(entry->value().view() == value);
        CHECK((entry->details() != nullptr) == detailed);
        CHECK_FALSE(entry->held());
        BufferRef reader = entry->value();
        CHECK(entry->held());
        BufferRef retired = Entry::Retire(entry);
        retired = nullptr;
        CHECK(reader.view() == value);
      }
    }
  }
}

}  // namespace
}  // namespace mediagen::memory_cache
