// The memory cache: the contract of every cache, and what only this one promises: sharing, charging,
// sweeping, statistics.
#include "cache/memory/memory.h"

#include <doctest/doctest.h>

#include "base/id.h"
#include "contract/cache_contract.h"

namespace mediagen {
namespace {

struct Fixture {
  explicit Fixture(uint64_t budget = 1 << 20, double largest = 0.125)
      : cache(NewMemoryCache(&clock,
                             {.budget_bytes = budget, .largest_entry = largest, .random = random.get()})) {}
  FakeClock clock;
  std::unique_ptr<Random> random = SeededRandom(7);
  std::unique_ptr<Cache> cache;
};

TEST_CASE("the memory cache keeps the contract of caches") {
  FakeClock clock;
  SUBCASE("one shard") {
    CacheContract({[&] { return NewMemoryCache(&clock, {.budget_bytes = 16 << 20}); },
                   [&](int64_t ms) { clock.Advance(ms); }});
  }
  SUBCASE("four shards") {
    CacheContract(
        {[&] { return NewMemoryCache(&clock, {.budget_bytes = 256 << 20, .largest_entry = 0.125}); },
         [&](int64_t ms) { clock.Advance(ms); }});
  }
}

TEST_CASE("a get shares the stored bytes and never copies them") {
  Fixture f;
  BufferRef value = BufferRef::Copy(std::string(5000, 'x'));
  const char* bytes = value->data();
  f.cache->Put("kept by its putter", value, {});
  CHECK(f.cache->Get("kept by its putter")->data() == bytes);
  f.cache->Put("handed over", std::move(value), {});
  CHECK(f.cache->Get("handed over")->data() == bytes);
}

TEST_CASE("an entry past its share of the budget is too large, and the largest allowed one is kept") {
  Fixture f(1 << 20, 0.125);
  CHECK(PutText(*f.cache, "k", std::string((1 << 17) - 400, 'x')) == Admission::kAdmitted);
  CHECK(PutText(*f.cache, "k", std::string(1 << 17, 'x')) == Admission::kTooLarge);
  CHECK(!f.cache->Get("k"));
  CHECK(PutText(*f.cache, std::string(1 << 17, 'k'), "x") == Admission::kTooLarge);
  CHECK(f.cache->Stats().refusals == 2);
}

TEST_CASE("without a share that is asked for, an entry may have an eighth of the bytes and 16 MiB at most") {
  FakeClock clock;
  for (const auto& [budget, largest] : {std::pair{16u << 20, 2u << 20}, std::pair{1u << 30, 16u << 20}}) {
    auto cache = NewMemoryCache(&clock, {.budget_bytes = budget});
    CHECK(PutText(*cache, "k", std::string(largest - 1000, 'x')) == Admission::kAdmitted);
    CHECK(PutText(*cache, "k", std::string(largest, 'x')) == Admission::kTooLarge);
  }
}

TEST_CASE("an entry may take the whole budget, but for what the policy has for itself") {
  Fixture f(200 << 20, 1.0);
  CHECK(PutText(*f.cache, "k", std::string((200 << 20) - 1000, 'x')) == Admission::kTooLarge);
  CHECK(PutText(*f.cache, "k", std::string((200 << 20) - (300 << 10), 'x')) == Admission::kAdmitted);
  CHECK(f.cache->Stats().bytes <= 200u << 20);
  CHECK(f.cache->Stats().budget_bytes == 200u << 20);
  // Below 300 KB it does without.
  Fixture small(100'000, 1.0);
  CHECK(PutText(*small.cache, "k", std::string(99'000, 'x')) == Admission::kAdmitted);
}

TEST_CASE("a budget of nothing keeps nothing") {
  Fixture f(0);
  CHECK(PutText(*f.cache, "k", "v") == Admission::kTooLarge);
  CHECK(f.cache->GetOrLoad("k", 10, nullptr).kind == Cache::Lookup::kLoad);
  Fixture none(1 << 20, 0);
  CHECK(PutText(*none.cache, "k", "v") == Admission::kTooLarge);
}

TEST_CASE("key, value, tags and overhead are charged, and given back") {
  Fixture f;
  PutText(*f.cache, "k", "v");
  const uint64_t small = f.cache->Stats().bytes;
  CHECK(small > 80);
  PutText(*f.cache, std::string(1001, 'k'), std::string(801, 'v'));
  CHECK(f.cache->Stats().bytes == 2 * small + 1800);
  PutText(*f.cache, "tagged", "v", {.tags = {"some tag"}});
  CHECK(f.cache->Stats().bytes > 3 * small + 1800 + 8);
  const uint64_t before = f.cache->Stats().bytes;
  PutText(*f.cache, "large", std::string(2001, 'v'));  // not copied: it has a Buffer of its own
  CHECK(f.cache->Stats().bytes > before + small + 2000 + 32);
  f.cache->Clear();
  CHECK(f.cache->Stats().bytes == 0);
}

TEST_CASE("a dropped value stays charged as long as a reader holds it") {
  Fixture f;
  for (const char* way : {"remove", "replace", "invalidate", "expire", "clear"}) {
    CAPTURE(way);
    PutText(*f.cache, "k", std::string(10000, 'x'), {.ttl_ms = 1000, .tags = {"t"}});
    BufferRef held = f.cache->Get("k");
    CHECK(f.cache->Stats().pinned_bytes == 0);
    if (way == std::string_view("remove")) f.cache->Remove("k");
    if (way == std::string_view("replace")) PutText(*f.cache, "k", "small");
    if (way == std::string_view("invalidate")) f.cache->Invalidate("t");
    if (way == std::string_view("expire")) f.clock.Advance(1000), f.cache->Get("k");
    if (way == std::string_view("clear")) f.cache->Clear();
    CacheStats pinned = f.cache->Stats();
    CHECK(pinned.pinned_bytes >= 10000);
    CHECK(pinned.bytes >= pinned.pinned_bytes);
    CHECK(held.view() == std::string(10000, 'x'));
    CHECK(f.cache->Sweep() == f.clock.MonotonicMs() + 1000);  // looks again for readers that are gone
    held = nullptr;
    CHECK(f.cache->Stats().pinned_bytes == 0);
    f.cache->Clear();
  }
}

TEST_CASE("when readers hold the whole budget, a put is refused, and possible again when they let go") {
  Fixture f(1 << 20, 0.25);
  std::vector<BufferRef> held;
  for (int i = 0; i < 64; ++i) {
    std::string key = "k" + std::to_string(i);
    PutText(*f.cache, key, std::string(100'000, 'x'));
    if (BufferRef value = f.cache->Get(key)) held.push_back(value);
    f.cache->Remove(key);
  }
  CHECK(held.size() == 10);
  CHECK(f.cache->Stats().bytes <= 1 << 20);
  CHECK(PutText(*f.cache, "one more", std::string(100'000, 'x')) == Admission::kRefused);
  held.clear();
  CHECK(PutText(*f.cache, "one more", std::string(100'000, 'x')) == Admission::kAdmitted);
}

TEST_CASE("entries that readers hold are not evicted: it would free nothing") {
  Fixture f(1 << 20, 0.25);
  PutText(*f.cache, "held", std::string(50'000, 'x'));
  BufferRef held = f.cache->Get("held");
  for (int i = 0; i < 500; ++i) {
    const std::string key = "k" + std::to_string(i);
    for (int asked = 0; asked < 3; ++asked) f.cache->Get(key);  // wanted more often than what is there
    PutText(*f.cache, key, std::string(20'000, 'x'));
  }
  CHECK(f.cache->Get("held")->data() == held->data());
  CHECK(f.cache->Stats().evictions_size > 0);
  CHECK(f.cache->Stats().pinned_bytes == 0);
}

TEST_CASE("a sweep drops what has expired, at the time that it named") {
  Fixture f;
  CHECK(f.cache->Sweep() == INT64_MAX);
  for (int i = 0; i < 1000; ++i) PutText(*f.cache, "k" + std::to_string(i), "v", {.ttl_ms = 1 + i * 10});
  PutText(*f.cache, "for ever", "v", {.ttl_ms = INT64_MAX});
  for (int64_t due; (due = f.cache->Sweep()) != INT64_MAX;) {
    REQUIRE(due > f.clock.MonotonicMs());
    f.clock.Advance(due - f.clock.MonotonicMs());
    if (f.clock.MonotonicMs() > 1'000'000 + 20'000) break;
  }
  CHECK(f.clock.MonotonicMs() < 1'000'000 + 9991 + 2048);
  CHECK(f.cache->Stats().entries == 1);
  CHECK(f.cache->Stats().evictions_expired == 1000);
}

TEST_CASE("a sweep names the next deadline of a load") {
  Fixture f;
  f.cache->GetOrLoad("k", 700, nullptr);
  CHECK(f.cache->Sweep() == f.clock.MonotonicMs() + 700);
  f.clock.Advance(700);
  CHECK(f.cache->Sweep() == INT64_MAX);
  CHECK(f.cache->Stats().load_failures == 1);
}

TEST_CASE("loads that nobody ends or sweeps are cleared away by later ones") {
  Fixture f;
  for (int i = 0; i < 100; ++i) f.cache->GetOrLoad("lost" + std::to_string(i), 10, nullptr);
  f.clock.Advance(10);
  for (int i = 0; i < 60; ++i) f.cache->GetOrLoad("new" + std::to_string(i), 1000, nullptr);
  CHECK(f.cache->Stats().load_failures == 100);
}

TEST_CASE("statistics count what happened") {
  Fixture f;
  f.cache->Get("a");
  PutText(*f.cache, "a", "v", {.ttl_ms = 100, .tags = {"t"}});
  f.cache->Get("a");
  f.cache->Invalidate("t");
  PutText(*f.cache, "b", "v", {.ttl_ms = 100});
  f.clock.Advance(100);
  f.cache->Get("b");
  auto load = f.cache->GetOrLoad("c", 100, nullptr);
  CHECK(f.cache->Fail(load.token, Error(Code::kUnavailable, "x")).ok());
  PutText(*f.cache, "d", "v");
  f.cache->Remove("d");
  CacheStats stats = f.cache->Stats();
  CHECK(stats.hits == 1);
  CHECK(stats.misses == 3);
  CHECK(stats.loads == 1);
  CHECK(stats.load_failures == 1);
  CHECK(stats.evictions_invalidated == 2);
  CHECK(stats.evictions_expired == 1);
  CHECK(stats.evictions_size == 0);
  CHECK(stats.budget_bytes == 1 << 20);
}

TEST_CASE("a storm of invalidations during a load stays bounded and correct") {
  Fixture f;
  auto load = f.cache->GetOrLoad("k", 1000, nullptr);
  f.cache->Invalidate("first");
  for (int i = 0; i < 200'000; ++i) f.cache->Invalidate("tag" + std::to_string(i));
  CHECK(CodeOf(f.cache->Fill(load.token, BufferRef::Copy("v"), {.tags = {"first"}})) == Code::kStale);
  load = f.cache->GetOrLoad("k", 1000, nullptr);
  CHECK(f.cache->Fill(load.token, BufferRef::Copy("v"), {.tags = {"first"}}).ok());
}

TEST_CASE("the owner of a value may call the cache when it is destroyed") {
  Fixture f;
  bool called = false;
  auto owner = std::shared_ptr<const void>(&f, [&](const void*) { called = !f.cache->Get("k"); });
  f.cache->Put("k", BufferRef::Alias("bytes", std::move(owner)), {});
  CHECK(f.cache->Remove("k"));
  CHECK(called);
}

}  // namespace
}  // namespace mediagen
