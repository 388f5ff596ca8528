// What every Cache does, whatever keeps its entries. Call CacheContract inside a TEST_CASE, once for each
// backend.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/cache.h"
#include "contract/cache_contract_times.h"
#include "contract/cache_support.h"

namespace mediagen {

inline void CacheKeepsContract(const CacheBackend& backend) {
  std::unique_ptr<Cache> cache = backend.open();
  SUBCASE("what was put is found, and nothing else") {
    CHECK(!cache->Get("cat"));
    CHECK(PutText(*cache, "cat", "meow") == Admission::kAdmitted);
    CHECK(cache->Get("cat").view() == "meow");
    CHECK(!cache->Get("ca"));
    CHECK(!cache->Get(std::string_view("cat\0", 4)));
  }
  SUBCASE("any bytes are a key, none and many included, and an empty value is a value") {
    const std::string many(3000, '\xff');
    CHECK(PutText(*cache, "", "empty") == Admission::kAdmitted);
    CHECK(PutText(*cache, many, "") == Admission::kAdmitted);
    CHECK(PutText(*cache, std::string_view("a\0b", 3), "zero") == Admission::kAdmitted);
    CHECK(cache->Get("").view() == "empty");
    REQUIRE(cache->Get(many));
    CHECK(cache->Get(many).size() == 0);
    CHECK(cache->Get(std::string_view("a\0b", 3)).view() == "zero");
    CHECK(!cache->Get("a"));
  }
  SUBCASE("a second put replaces the first, and a reader keeps what it has") {
    PutText(*cache, "cat", "first");
    BufferRef held = cache->Get("cat");
    CHECK(PutText(*cache, "cat", "second") == Admission::kAdmitted);
    CHECK(held.view() == "first");
    CHECK(cache->Get("cat").view() == "second");
    CHECK(cache->Stats().entries == 1);
  }
  SUBCASE("a refused put leaves nothing: the old value would be out of date") {
    PutText(*cache, "cat", "old");
    CHECK(cache->Put("cat", nullptr, {}) == Admission::kRefused);
    CHECK(!cache->Get("cat"));
    PutText(*cache, "dog", "old");
    CHECK(PutText(*cache, "dog", "new", {.ttl_ms = -1}) == Admission::kRefused);
    CHECK(!cache->Get("dog"));
  }
  SUBCASE("remove drops one key and says whether it was there") {
    PutText(*cache, "cat", "meow");
    PutText(*cache, "dog", "woof");
    CHECK(cache->Remove("cat"));
    CHECK(!cache->Remove("cat"));
    CHECK(!cache->Get("cat"));
    CHECK(cache->Get("dog").view() == "woof");
  }
  SUBCASE("clear drops everything") {
    for (int i = 0; i < 100; ++i)
      PutText(*cache, "k" + std::to_string(i), "v", {.ttl_ms = 1000, .tags = {"t"}});
    cache->Clear();
    for (int i = 0; i < 100; ++i) CHECK(!cache->Get("k" + std::to_string(i)));
    CHECK(cache->Stats().entries == 0);
    CHECK(cache->Stats().bytes == 0);
  }
  SUBCASE("an entry lives for its ttl and no longer") {
    PutText(*cache, "brief", "v", {.ttl_ms = 500});
    PutText(*cache, "lasting", "v");
    backend.pass(499);
    CHECK(cache->Get("brief"));
    backend.pass(1);
    CHECK(!cache->Get("brief"));
    CHECK(!cache->Remove("brief"));
    CHECK(cache->Get("lasting"));
  }
  SUBCASE("a put without a ttl ends the ttl of the put before it") {
    PutText(*cache, "cat", "v", {.ttl_ms = 500});
    PutText(*cache, "cat", "v");
    backend.pass(501);
    CHECK(cache->Get("cat"));
  }
  SUBCASE("a tag drops all that carry it, and only those") {
    PutText(*cache, "a", "v", {.tags = {"red", "round"}});
    PutText(*cache, "b", "v", {.tags = {"red", "red"}});
    PutText(*cache, "c", "v", {.tags = {"round"}});
    PutText(*cache, "d", "v");
    cache->Invalidate("red");
    cache->Invalidate("unknown");
    CHECK(!cache->Get("a"));
    CHECK(!cache->Get("b"));
    CHECK(cache->Get("c"));
    CHECK(cache->Get("d"));
    CHECK(PutText(*cache, "a", "new", {.tags = {"red"}}) == Admission::kAdmitted);
    CHECK(cache->Get("a").view() == "new");
  }
  SUBCASE("a replaced entry's tags are forgotten with it") {
    PutText(*cache, "a", "v", {.tags = {"red"}});
    PutText(*cache, "a", "v", {.tags = {"blue"}});
    cache->Invalidate("red");
    CHECK(cache->Get("a"));
    cache->Invalidate("blue");
    CHECK(!cache->Get("a"));
  }
}

inline void CacheLoadContract(const CacheBackend& backend) {
  std::unique_ptr<Cache> cache = backend.open();
  using Lookup = Cache::Lookup;
  Outcomes told;
  auto ask = [&](int64_t timeout_ms = 1000) { return cache->GetOrLoad("cat", timeout_ms, told.Waiter()); };

  SUBCASE("a hit needs no load") {
    PutText(*cache, "cat", "meow");
    Lookup hit = ask();
    CHECK(hit.kind == Lookup::kHit);
    CHECK(hit.value.view() == "meow");
  }
  SUBCASE("one loads, the others get its value, and it is stored") {
    Lookup load = ask(), wait = ask(), wait2 = ask();
    REQUIRE(load.kind == Lookup::kLoad);
    CHECK(wait.kind == Lookup::kWait);
    CHECK(wait2.kind == Lookup::kWait);
    CHECK(cache->GetOrLoad("dog", 1000, told.Waiter()).kind == Lookup::kLoad);
    CHECK(cache->Fill(load.token, BufferRef::Copy("meow"), {}).ok());
    REQUIRE(told.size() == 2);
    for (int i : {0, 1}) {
      CHECK(told[i].status.ok());
      CHECK(told[i].value.view() == "meow");
      CHECK(told[i].load_token == 0);
    }
    CHECK(cache->Get("cat").view() == "meow");
    CHECK(ask().kind == Lookup::kHit);
  }
  SUBCASE("a load's entry has the ttl and tags that the fill says") {
    CHECK(cache->Fill(ask().token, BufferRef::Copy("v"), {.ttl_ms = 500, .tags = {"red"}}).ok());
    backend.pass(499);
    CHECK(cache->Get("cat"));
    cache->Invalidate("red");
    CHECK(!cache->Get("cat"));
  }
  SUBCASE("a failure reaches every waiter and stores nothing; the next to ask loads") {
    Lookup load = ask();
    ask();
    CHECK(cache->Fail(load.token, Error(Code::kUnavailable, "The cat is asleep.")).ok());
    REQUIRE(told.size() == 1);
    CHECK(CodeOf(told[0].status) == Code::kUnavailable);
    CHECK(!told[0].value);
    CHECK(ask().kind == Lookup::kLoad);
  }
  SUBCASE("a token ends one load") {
    Lookup load = ask();
    CHECK(cache->Fill(load.token, BufferRef::Copy("one"), {}).ok());
    CHECK(CodeOf(cache->Fill(load.token, BufferRef::Copy("two"), {})) == Code::kStale);
    CHECK(CodeOf(cache->Fail(load.token, Error(Code::kInternal, "x"))) == Code::kStale);
    CHECK(CodeOf(cache->Fill(123456789, BufferRef::Copy("two"), {})) == Code::kStale);
    CHECK(cache->Get("cat").view() == "one");
  }
  SUBCASE("no value and no error are refused, and the load goes on") {
    Lookup load = ask();
    CHECK(CodeOf(cache->Fill(load.token, nullptr, {})) == Code::kInvalid);
    CHECK(CodeOf(cache->Fail(load.token, OkStatus())) == Code::kInvalid);
    CHECK(cache->Fill(load.token, BufferRef::Copy("v"), {}).ok());
  }
  SUBCASE("who forgets its wait is not told") {
    Lookup load = ask(), wait = ask();
    Outcomes other;
    cache->GetOrLoad("cat", 1000, other.Waiter());
    cache->Forget(wait.token);
    cache->Forget(wait.token);
    cache->Forget(load.token);  // not a wait: nothing happens
    CHECK(cache->Fill(load.token, BufferRef::Copy("v"), {}).ok());
    CHECK(told.size() == 0);
    CHECK(other.size() == 1);
  }
  SUBCASE("an overdue loader is replaced by the waiter that has waited longest, with its own timeout") {
    Lookup late = ask(1000);
    ask(300);
    Outcomes second;
    cache->GetOrLoad("cat", 1000, second.Waiter());
    backend.pass(999);
    cache->Sweep();
    CHECK(told.size() == 0);
    backend.pass(1);
    cache->Sweep();
    REQUIRE(told.size() == 1);
    CHECK(told[0].status.ok());
    CHECK(!told[0].value);
    const uint64_t promoted = told[0].load_token;
    REQUIRE(promoted != 0);
    CHECK(promoted != late.token);
    CHECK(CodeOf(cache->Fill(late.token, BufferRef::Copy("late"), {})) == Code::kStale);
    CHECK(!cache->Get("cat"));
    backend.pass(299);
    CHECK(second.size() == 0);
    CHECK(cache->Fill(promoted, BufferRef::Copy("fresh"), {}).ok());
    REQUIRE(second.size() == 1);
    CHECK(second[0].value.view() == "fresh");
    CHECK(cache->Get("cat").view() == "fresh");
  }
  SUBCASE("a loader that comes late promotes the next waiter itself") {
    Lookup late = ask(100);
    ask();
    backend.pass(100);
    CHECK(CodeOf(cache->Fill(late.token, BufferRef::Copy("late"), {})) == Code::kStale);
    REQUIRE(told.size() == 1);
    CHECK(told[0].load_token != 0);
    CHECK(!cache->Get("cat"));
  }
  SUBCASE("who asks after the deadline of a load that nobody waits for loads itself") {
    Lookup late = ask(100);
    backend.pass(100);
    Lookup next = ask();
    CHECK(next.kind == Lookup::kLoad);
    CHECK(CodeOf(cache->Fail(late.token, Error(Code::kInternal, "x"))) == Code::kStale);
    CHECK(cache->Fill(next.token, BufferRef::Copy("v"), {}).ok());
    CHECK(told.size() == 0);
  }
  SUBCASE("who asks after the deadline of a load with waiters waits for the first of them") {
    ask(100);
    ask();
    backend.pass(100);
    CHECK(ask().kind == Lookup::kWait);
    REQUIRE(told.size() == 1);
    CHECK(cache->Fill(told[0].load_token, BufferRef::Copy("v"), {}).ok());
    CHECK(told.size() == 2);
  }
  SUBCASE("a timeout below one is one") {
    CHECK(cache->Fill(ask(-5).token, BufferRef::Copy("v"), {}).ok());
    CHECK(cache->Get("cat"));
  }
  SUBCASE("the largest timeout never comes") {
    Lookup load = ask(INT64_MAX);
    backend.pass(1000);
    cache->Sweep();
    CHECK(cache->Fill(load.token, BufferRef::Copy("v"), {}).ok());
  }
}

inline void CacheInvalidationContract(const CacheBackend& backend) {
  std::unique_ptr<Cache> cache = backend.open();
  using Lookup = Cache::Lookup;
  Outcomes before, after;
  auto ask = [&](Outcomes& told) { return cache->GetOrLoad("cat", 1000, told.Waiter()); };

  SUBCASE("remove during a load: its waiters get the value, nothing is stored, who asks later loads anew") {
    Lookup load = ask(before);
    ask(before);
    cache->Remove("cat");
    Lookup fresh = ask(after);
    REQUIRE(fresh.kind == Lookup::kLoad);
    ask(after);
    CHECK(CodeOf(cache->Fill(load.token, BufferRef::Copy("old"), {})) == Code::kStale);
    REQUIRE(before.size() == 1);
    CHECK(before[0].value.view() == "old");
    CHECK(!cache->Get("cat"));
    CHECK(after.size() == 0);
    CHECK(cache->Fill(fresh.token, BufferRef::Copy("new"), {}).ok());
    REQUIRE(after.size() == 1);
    CHECK(after[0].value.view() == "new");
    CHECK(cache->Get("cat").view() == "new");
  }
  SUBCASE("a put during a load is newer than the load") {
    Lookup load = ask(before);
    PutText(*cache, "cat", "put");
    CHECK(CodeOf(cache->Fill(load.token, BufferRef::Copy("loaded"), {})) == Code::kStale);
    CHECK(cache->Get("cat").view() == "put");
  }
  SUBCASE("clear during a load is a remove of every key") {
    Lookup load = ask(before);
    cache->Clear();
    CHECK(CodeOf(cache->Fill(load.token, BufferRef::Copy("old"), {})) == Code::kStale);
    CHECK(!cache->Get("cat"));
  }
  SUBCASE("a tag invalidated during a load: not stored, and who asked after it loads anew") {
    Lookup load = ask(before);
    ask(before);
    cache->Invalidate("red");
    CHECK(ask(after).kind == Lookup::kWait);
    CHECK(ask(after).kind == Lookup::kWait);
    CHECK(CodeOf(cache->Fill(load.token, BufferRef::Copy("old"), {.tags = {"blue", "red"}})) == Code::kStale);
    REQUIRE(before.size() == 1);
    CHECK(before[0].value.view() == "old");
    CHECK(!cache->Get("cat"));
    REQUIRE(after.size() == 1);
    REQUIRE(after[0].load_token != 0);
    CHECK(cache->Fill(after[0].load_token, BufferRef::Copy("new"), {.tags = {"red"}}).ok());
    REQUIRE(after.size() == 2);
    CHECK(after[1].value.view() == "new");
    CHECK(cache->Get("cat").view() == "new");
  }
  SUBCASE("a tag invalidated before a load, or another tag during it, does not matter") {
    cache->Invalidate("red");
    Lookup load = ask(before);
    cache->Invalidate("green");
    CHECK(cache->Fill(load.token, BufferRef::Copy("v"), {.tags = {"red", "blue"}}).ok());
    CHECK(cache->Get("cat"));
  }
  SUBCASE("a removed load that becomes overdue hands its waiters to the load that followed it") {
    ask(before);
    ask(before);
    cache->Remove("cat");
    backend.pass(500);
    Lookup fresh = ask(after);
    backend.pass(500);
    cache->Sweep();
    CHECK(before.size() == 0);
    CHECK(cache->Fill(fresh.token, BufferRef::Copy("new"), {}).ok());
    REQUIRE(before.size() == 1);
    CHECK(before[0].value.view() == "new");
  }
  SUBCASE("a removed load that becomes overdue gives its waiters what was put meanwhile") {
    ask(before);
    ask(before);
    PutText(*cache, "cat", "put");
    backend.pass(1000);
    cache->Sweep();
    REQUIRE(before.size() == 1);
    CHECK(before[0].value.view() == "put");
  }
  SUBCASE("a waiter may call the cache") {
    Lookup load = ask(before);
    std::string seen;
    cache->GetOrLoad("cat", 1000, [&](Cache::Outcome outcome) {
      seen = std::string(cache->Get("cat").view()) + "+" + std::string(outcome.value.view());
      cache->Remove("cat");
    });
    CHECK(cache->Fill(load.token, BufferRef::Copy("v"), {}).ok());
    CHECK(seen == "v+v");
    CHECK(!cache->Get("cat"));
  }
  SUBCASE("a cache that is destroyed ends every wait") {
    ask(before);
    ask(before);
    cache.reset();
    REQUIRE(before.size() == 1);
    CHECK(CodeOf(before[0].status) == Code::kClosed);
  }
}

inline void CacheContract(const CacheBackend& backend) {
  SUBCASE("times") { CacheTimesContract(backend); }
  SUBCASE("prefixes") { CachePrefixContract(backend); }
  SUBCASE("reservations") { CacheReserveContract(backend); }
  SUBCASE("keeping") { CacheKeepsContract(backend); }
  SUBCASE("loading") { CacheLoadContract(backend); }
  SUBCASE("invalidation during a load") { CacheInvalidationContract(backend); }
}

}  // namespace mediagen
