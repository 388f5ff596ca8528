#include "base/id.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

using namespace mediagen;

namespace {

int64_t MsOf(const Id& id) {
  int64_t ms = 0;
  for (size_t i = 0; i < 6; ++i) ms = ms << 8 | id.bytes[i];
  return ms;
}

}  // namespace

TEST_CASE("ids are UUIDv7 of the wall clock") {
  FakeClock clock;
  auto random = SeededRandom(1);
  IdSource ids(&clock, random.get());
  for (int i = 0; i < 100; ++i) {
    Id id = ids.Next();
    CHECK(MsOf(id) == clock.WallMs());
    CHECK((id.bytes[6] >> 4) == 7);
    CHECK((id.bytes[8] >> 6) == 2);
    clock.Advance(1);
  }
}

TEST_CASE("ids only go up, within one ms, past its 4096, and when the clock goes back") {
  FakeClock clock;
  auto random = SeededRandom(2);
  IdSource ids(&clock, random.get());
  Id last = ids.Next();
  for (int i = 0; i < 10'000; ++i) {
    Id id = ids.Next();
    REQUIRE(last < id);
    last = id;
  }
  CHECK(MsOf(last) > clock.WallMs());  // borrowed from the future rather than repeated
  clock.JumpWall(-3'600'000);
  for (int i = 0; i < 10; ++i) {
    Id id = ids.Next();
    REQUIRE(last < id);
    last = id;
  }
  clock.JumpWall(7'200'000);
  Id id = ids.Next();
  CHECK(last < id);
  CHECK(MsOf(id) == clock.WallMs());
}

TEST_CASE("threads never get the same id") {
  IdSource ids(SystemClock(), SystemRandom());
  std::vector<std::vector<Id>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) mine.push_back(ids.Next());
    });
  for (auto& thread : threads) thread.join();
  std::set<Id> all;
  for (auto& mine : made) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  CHECK(all.size() == 8000);
}

TEST_CASE("an id's text and blob read back") {
  Id id = Id::Parse("01932c5e-7d3a-7abc-8def-0123456789ab").value();
  CHECK(id.text() == "01932c5e-7d3a-7abc-8def-0123456789ab");
  CHECK(Id::Parse("01932C5E-7D3A-7ABC-8DEF-0123456789AB").value() == id);
  CHECK(id.bytes[0] == 0x01);
  CHECK(id.bytes[15] == 0xAB);
  CHECK(id.blob().size() == 16);
  CHECK(Id::FromBlob(id.blob()) == id);
  CHECK(Id::FromBlob("short").empty());
  CHECK(Id::FromBlob(std::string(17, 'x')).empty());
  CHECK(Id{}.empty());
  CHECK_FALSE(id.empty());
}

TEST_CASE("anything but 36 characters of an id is refused with its text") {
  for (const char* bad : {"", "01932c5e7d3a7abc8def0123456789ab", "{01932c5e-7d3a-7abc-8def-0123456789ab}",
                          "01932c5e-7d3a-7abc-8def-0123456789a", "01932c5e-7d3a-7abc-8def-0123456789abc",
                          "01932c5e-7d3a-7abc-8def-0123456789ag", "01932c5e_7d3a-7abc-8def-0123456789ab",
                          "01932c5-e7d3a-7abc-8def-0123456789ab", " 1932c5e-7d3a-7abc-8def-0123456789ab",
                          "0x932c5e-7d3a-7abc-8def-0123456789ab"}) {
    CAPTURE(bad);
    auto id = Id::Parse(bad);
    REQUIRE_FALSE(id.ok());
    CHECK(CodeOf(id.status()) == Code::kInvalid);
    CHECK(InfoOf(id.status()).message.find(bad) != std::string::npos);
  }
}

TEST_CASE("a seed gives the same numbers again, in any pieces of eight, and bounds hold") {
  auto a = SeededRandom(5), b = SeededRandom(5), c = SeededRandom(6);
  uint64_t first = a->Next();
  CHECK(first == b->Next());
  CHECK(first != c->Next());
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(a->Below(10));
  CHECK(seen == std::set<uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(SystemRandom()->Next() != SystemRandom()->Next());
  CHECK(SystemRandom()->Below(1) == 0);
}
