// What every Cache does with times, prefixes and reservations (see cache_contract.h).
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "contract/cache_support.h"

namespace mediagen {

inline void CacheTimesContract(const CacheBackend& backend) {
  std::unique_ptr<Cache> cache = backend.open();
  using Lookup = Cache::Lookup;
  Outcomes told;
  auto ask = [&] { return cache->GetOrLoad("cat", 1000, told.Waiter()); };

  SUBCASE(
      "past its soft ttl a value is answered stale, one caller refreshes it, past the hard one it is gone") {
    PutText(*cache, "cat", "old", {.ttl_ms = 60'000, .soft_ttl_ms = 10'000});
    backend.pass(9'999);
    CHECK(cache->Get("cat").view() == "old");
    Lookup fresh = ask();
    CHECK(fresh.kind == Lookup::kHit);
    CHECK_FALSE(fresh.stale);
    CHECK(fresh.token == 0);
    backend.pass(1);
    CHECK_FALSE(cache->Get("cat"));
    Lookup first = ask(), second = ask();
    for (const Lookup& stale : {first, second}) {
      CHECK(stale.kind == Lookup::kHit);
      CHECK(stale.stale);
      CHECK(stale.value.view() == "old");
    }
    CHECK(first.token != 0);
    CHECK(second.token == 0);
    CHECK(cache->Stats().stale_hits == 2);
    CHECK(cache->Fill(first.token, BufferRef::Copy("new"), {.ttl_ms = 60'000, .soft_ttl_ms = 10'000}).ok());
    CHECK(cache->Get("cat").view() == "new");
    backend.pass(60'000);
    CHECK(ask().kind == Lookup::kLoad);
    CHECK(told.size() == 0);
  }
  SUBCASE("a refresh that fails leaves the stale value, and is tried again a tenth of its soft ttl later") {
    PutText(*cache, "cat", "old", {.ttl_ms = 200'000, .soft_ttl_ms = 50'000});
    backend.pass(50'000);
    Lookup refresh = ask();
    REQUIRE(refresh.token != 0);
    CHECK(cache->Fail(refresh.token, Error(Code::kUnavailable, "The cat is asleep.")).ok());
    backend.pass(4'999);
    Lookup again = ask();
    CHECK(again.value.view() == "old");
    CHECK(again.stale);
    CHECK(again.token == 0);
    CHECK_FALSE(cache->Get("cat"));
    backend.pass(1);
    again = ask();
    CHECK(again.stale);
    CHECK(again.token != 0);
  }
  SUBCASE("a refresh that is overdue or abandoned is the next caller's") {
    PutText(*cache, "cat", "old", {.soft_ttl_ms = 500});
    backend.pass(500);
    Lookup refresh = ask();
    REQUIRE(refresh.token != 0);
    backend.pass(1000);
    Lookup next = ask();
    REQUIRE(next.token != 0);
    CHECK(CodeOf(cache->Fill(refresh.token, BufferRef::Copy("late"), {})) == Code::kStale);
    CHECK(cache->Abandon(next.token).ok());
    CHECK(ask().token != 0);
    CHECK(ask().value.view() == "old");
  }
  SUBCASE("a removed stale value does not come back, whatever its refresh brings") {
    PutText(*cache, "cat", "old", {.soft_ttl_ms = 500});
    backend.pass(500);
    Lookup refresh = ask();
    CHECK(cache->Remove("cat"));
    CHECK(CodeOf(cache->Fill(refresh.token, BufferRef::Copy("older"), {})) == Code::kStale);
    CHECK(ask().kind == Lookup::kLoad);
  }
  SUBCASE("a negative entry says that there is nothing, for a short while of its own") {
    CHECK(cache->Put("cat", nullptr, {.negative = true}) == Admission::kAdmitted);
    CHECK_FALSE(cache->Get("cat"));
    CHECK(ask().kind == Lookup::kNegative);
    CHECK(cache->Stats().negative_hits == 2);
    CHECK(cache->Stats().misses == 0);
    backend.pass(5'000);
    Lookup load = ask();
    REQUIRE(load.kind == Lookup::kLoad);
    ask();
    CHECK(cache->Fill(load.token, nullptr, {.ttl_ms = 70'000, .negative = true}).ok());
    REQUIRE(told.size() == 1);
    CHECK(told[0].status.ok());
    CHECK(told[0].negative);
    backend.pass(69'999);
    CHECK(ask().kind == Lookup::kNegative);
    PutText(*cache, "cat", "there now");
    CHECK(ask().value.view() == "there now");
  }
  SUBCASE("jitter shortens both ttls, each entry's by another share, and never by more") {
    for (int i = 0; i < 50; ++i)
      PutText(*cache, "k" + std::to_string(i), "v", {.ttl_ms = 10'000, .jitter = 0.5});
    auto alive = [&] {
      int count = 0;
      for (int i = 0; i < 50; ++i) count += cache->Get("k" + std::to_string(i)) ? 1 : 0;
      return count;
    };
    backend.pass(5'000);
    CHECK(alive() == 50);
    backend.pass(2'500);
    CHECK(alive() > 10);
    CHECK(alive() < 40);
    backend.pass(2'500);
    CHECK(alive() == 0);
  }
  SUBCASE("a waiter that waits no longer than it said is told so, and the load goes on") {
    Lookup load = ask();
    cache->GetOrLoad("cat", LoadOptions(1000, 300), told.Waiter());
    Outcomes patient;
    cache->GetOrLoad("cat", 1000, patient.Waiter());
    backend.pass(299);
    CHECK(cache->Sweep() > 0);
    CHECK(told.size() == 0);
    backend.pass(1);
    cache->Sweep();
    REQUIRE(told.size() == 1);
    CHECK(CodeOf(told[0].status) == Code::kTimeout);
    CHECK(cache->Fill(load.token, BufferRef::Copy("v"), {}).ok());
    REQUIRE(patient.size() == 1);
    CHECK(patient[0].value.view() == "v");
    CHECK(told.size() == 1);
  }
  SUBCASE("an abandoned load is the next waiter's; without one, whoever asks next loads") {
    Lookup load = ask();
    ask();
    CHECK(cache->Abandon(load.token).ok());
    REQUIRE(told.size() == 1);
    REQUIRE(told[0].load_token != 0);
    CHECK(CodeOf(cache->Abandon(load.token)) == Code::kStale);
    CHECK(cache->Abandon(told[0].load_token).ok());
    CHECK(ask().kind == Lookup::kLoad);
  }
}

inline void CachePrefixContract(const CacheBackend& backend) {
  std::unique_ptr<Cache> cache = backend.open();
  using Lookup = Cache::Lookup;
  SUBCASE("a prefix drops the keys that begin with it, at once, and only those; what comes after it stays") {
    for (const char* key : {"user/1/a", "user/1/b", "user/10", "user/2/a", "user/1"})
      PutText(*cache, key, "v");
    cache->InvalidatePrefix("user/1/");
    CHECK_FALSE(cache->Get("user/1/a"));
    CHECK_FALSE(cache->Remove("user/1/b"));
    for (const char* key : {"user/10", "user/2/a", "user/1"}) CHECK(cache->Get(key));
    PutText(*cache, "user/1/a", "new");
    CHECK(cache->Get("user/1/a").view() == "new");
    cache->InvalidatePrefix("user/2/");
    CHECK(cache->Get("user/1/a").view() == "new");
    CHECK_FALSE(cache->Get("user/2/a"));
    cache->InvalidatePrefix("");
    CHECK_FALSE(cache->Get("user/1/a"));
    CHECK_FALSE(cache->Get("user/10"));
  }
  SUBCASE("what was dropped by a prefix gives its bytes back, though nobody asks for it") {
    for (int i = 0; i < 300; ++i) PutText(*cache, "old/" + std::to_string(i), "v");
    PutText(*cache, "keep", "v");
    cache->InvalidatePrefix("old/");
    cache->Sweep();
    CHECK(cache->Stats().entries == 1);
    CHECK(cache->Get("keep"));
  }
  SUBCASE("many prefixes one after the other, with entries between them") {
    for (int round = 0; round < 40; ++round) {
      PutText(*cache, "a/" + std::to_string(round), "v");
      PutText(*cache, "b/" + std::to_string(round), "v");
      cache->InvalidatePrefix(round % 2 == 0 ? "a/" : "c/");
    }
    for (int round = 0; round < 40; ++round) {
      CAPTURE(round);
      CHECK((cache->Get("a/" + std::to_string(round)) ? true : false) == (round == 39));
      CHECK(cache->Get("b/" + std::to_string(round)));
    }
  }
  SUBCASE("a prefix invalidated during a load: not stored, and who asks after it loads anew") {
    Outcomes told;
    Lookup load = cache->GetOrLoad("user/1/a", 1000, told.Waiter());
    cache->GetOrLoad("user/1/a", 1000, told.Waiter());
    cache->InvalidatePrefix("user/1");
    Lookup fresh = cache->GetOrLoad("user/1/a", 1000, told.Waiter());
    CHECK(fresh.kind == Lookup::kLoad);
    CHECK(CodeOf(cache->Fill(load.token, BufferRef::Copy("old"), {})) == Code::kStale);
    CHECK(told.size() == 1);
    CHECK_FALSE(cache->Get("user/1/a"));
    CHECK(cache->Fill(fresh.token, BufferRef::Copy("new"), {}).ok());
    CHECK(cache->Get("user/1/a").view() == "new");
  }
  SUBCASE("two versions of a key are two keys, and no two pairs have one") {
    CHECK(VersionedKey("a", "1") != VersionedKey("a", "2"));
    CHECK(VersionedKey("a@1", "2") != VersionedKey("a", "1@2"));
    CHECK(VersionedKey("", "1:") != VersionedKey("1:", ""));
  }
}

inline void CacheReserveContract(const CacheBackend& backend) {
  std::unique_ptr<Cache> cache = backend.open();
  const uint64_t budget = cache->Stats().budget_bytes;
  auto begin = [&](const std::string& key) { return cache->GetOrLoad(key, 1000, nullptr).token; };
  SUBCASE("a load's bytes are charged before they are there, and given back however it ends") {
    const uint64_t filled = begin("filled"), failed = begin("failed"), left = begin("left"),
                   late = begin("late");
    for (uint64_t token : {filled, failed, left, late}) CHECK(cache->Reserve(token, 10'000).ok());
    CHECK(cache->Stats().reserved_bytes > 40'000);
    CHECK(cache->Stats().bytes == cache->Stats().reserved_bytes);
    CHECK(cache->Reserve(left, 20'000).ok());
    CHECK(cache->Stats().reserved_bytes > 50'000);
    CHECK(cache->Reserve(left, 5'000).ok());
    CHECK(cache->Stats().reserved_bytes < 40'000);
    CHECK(cache->Fill(filled, BufferRef::Copy(std::string(10'000, 'v')), {}).ok());
    CHECK(cache->Fail(failed, Error(Code::kInternal, "x")).ok());
    CHECK(cache->Abandon(left).ok());
    CHECK(cache->Get("filled").size() == 10'000);
    CHECK(cache->Stats().reserved_bytes < 11'000);
    backend.pass(1000);
    cache->Sweep();
    CHECK(cache->Stats().reserved_bytes == 0);
    CHECK(CodeOf(cache->Reserve(late, 1)) == Code::kStale);
  }
  SUBCASE("room is made by evicting; where there is none, the loader is told before it makes the bytes") {
    const std::string value(budget / 16, 'v');
    for (int i = 0; i < 20; ++i) PutText(*cache, "k" + std::to_string(i), value);
    std::vector<uint64_t> tokens;
    Status last;
    for (int i = 0; i < 20 && last.ok(); ++i) {
      tokens.push_back(begin("load" + std::to_string(i)));
      last = cache->Reserve(tokens.back(), value.size());
      CHECK(cache->Stats().bytes <= budget);
    }
    CHECK(CodeOf(last) == Code::kOverloaded);
    CHECK(tokens.size() > 4);
    const uint64_t entries = cache->Stats().entries;
    CHECK(entries + tokens.size() <= 17);  // each reservation took the place of an entry
    CHECK(CodeOf(cache->Reserve(tokens[0], budget)) == Code::kTooLarge);
    for (uint64_t token : tokens) CHECK(cache->Abandon(token).ok());
    CHECK(cache->Stats().reserved_bytes == 0);
    CHECK(cache->Stats().entries == entries);
  }
}

}  // namespace mediagen
