#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <thread>

#include "capi/fake_engine.h"
#include "capi/host.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

OwnedCache OpenCache() {
  mediagen_cache* cache = nullptr;
  REQUIRE(mediagen_cache_open(MEDIAGEN_ABI, S("{}"), &cache, nullptr) == MEDIAGEN_OK);
  return OwnedCache(cache);
}

int32_t Put(const OwnedCache& cache, std::string_view key, std::string_view value,
            std::string_view tags = {}) {
  int32_t admission = -1;
  CHECK(mediagen_cache_put(cache.get(), S(key), S(value), nullptr, S(tags), &admission, nullptr) ==
        MEDIAGEN_OK);
  return admission;
}

std::string Get(const OwnedCache& cache, std::string_view key) {
  mediagen_buffer* value = nullptr;
  int32_t state = mediagen_cache_get(cache.get(), S(key), &value);
  CHECK(state == (value == nullptr ? MEDIAGEN_EMPTY : MEDIAGEN_OK));
  return value == nullptr ? "(none)" : Take(value);
}

struct Lookup {
  int32_t state;
  uint64_t token = 99;
  std::string value;
  OwnedCall pending;
};
Lookup Ask(const OwnedCache& cache, std::string_view key, const OwnedInbox* inbox = nullptr,
           uint64_t tag = 0) {
  Lookup out;
  mediagen_buffer* value = nullptr;
  mediagen_call* pending = nullptr;
  out.state = mediagen_cache_get_or_begin(cache.get(), S(key), 1000, &out.token, nullptr,
                                          inbox ? inbox->get() : nullptr, tag, &value, &pending, nullptr);
  out.value = Take(value);
  out.pending.reset(pending);
  return out;
}

int32_t Fill(const OwnedCache& cache, uint64_t token, std::string_view value) {
  return mediagen_cache_fill(cache.get(), token, S(value), nullptr, S(""), nullptr);
}

}  // namespace

TEST_CASE("put, get, remove, invalidate") {
  OwnedCache cache = OpenCache();
  CHECK(Get(cache, "k") == "(none)");
  CHECK(Put(cache, "k", "v", "red\n\nblue") == MEDIAGEN_ADMITTED);
  CHECK(Put(cache, std::string_view("n\0l", 3), "nul") == MEDIAGEN_ADMITTED);
  CHECK(Get(cache, "k") == "v");
  CHECK(Get(cache, std::string_view("n\0l", 3)) == "nul");
  CHECK(mediagen_cache_remove(cache.get(), S("k")) == MEDIAGEN_OK);
  CHECK(mediagen_cache_remove(cache.get(), S("k")) == MEDIAGEN_EMPTY);
  Put(cache, "k", "v", "red\nblue");
  CHECK(mediagen_cache_invalidate(cache.get(), S("blue")) == MEDIAGEN_OK);
  CHECK(Get(cache, "k") == "(none)");
  CHECK(Put(cache, "huge", std::string(40 << 20, 'x')) == MEDIAGEN_ENTRY_TOO_LARGE);
}

TEST_CASE("options out of their range and a load without time are refused, and say which") {
  OwnedCache cache = OpenCache();
  Failure failure;
  using Options = mediagen_entry_options;
  const std::pair<const char*, void (*)(Options&)> bad[] = {
      {"ttl_ms", [](Options& o) { o.ttl_ms = -1; }},  {"soft_ttl_ms", [](Options& o) { o.soft_ttl_ms = -1; }},
      {"jitter", [](Options& o) { o.jitter = 1.5; }}, {"jitter", [](Options& o) { o.jitter = std::nan(""); }},
      {"cost", [](Options& o) { o.cost = -1; }},      {"flags", [](Options& o) { o.flags = 128; }},
  };
  for (const auto& [name, spoil] : bad) {
    CAPTURE(std::string(name));
    Options options{};
    options.struct_size = sizeof options;
    spoil(options);
    CHECK(mediagen_cache_put(cache.get(), S("k"), S("v"), &options, S(""), nullptr, failure.slot()) ==
          MEDIAGEN_INVALID);
    CHECK(failure.message().find(name) != std::string::npos);
    CHECK(mediagen_cache_fill(cache.get(), 1, S("v"), &options, S(""), nullptr) == MEDIAGEN_INVALID);
  }
  uint64_t token = 0;
  mediagen_buffer* value = nullptr;
  mediagen_call* pending = nullptr;
  CHECK(mediagen_cache_get_or_begin(cache.get(), S("k"), 0, &token, nullptr, nullptr, 0, &value, &pending,
                                    failure.slot()) == MEDIAGEN_INVALID);
  CHECK(failure.message().find("load_timeout_ms") != std::string::npos);
}

TEST_CASE("a value outlives its entry and its cache") {
  OwnedCache cache = OpenCache();
  Put(cache, "k", "still here");
  mediagen_buffer* value = nullptr;
  REQUIRE(mediagen_cache_get(cache.get(), S("k"), &value) == MEDIAGEN_OK);
  mediagen_cache_remove(cache.get(), S("k"));
  cache.reset();
  CHECK(Take(value) == "still here");
}

TEST_CASE("one loads, the others wait and get its value") {
  OwnedCache cache = OpenCache();
  OwnedInbox inbox = NewInbox();
  Lookup loader = Ask(cache, "k");
  CHECK(loader.state == MEDIAGEN_LOAD);
  Lookup first = Ask(cache, "k", &inbox, 5), second = Ask(cache, "k");
  CHECK(first.state == MEDIAGEN_PENDING);
  CHECK(second.state == MEDIAGEN_PENDING);
  CHECK(first.token == 0);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(Fill(cache, loader.token, "loaded") == MEDIAGEN_OK);
  Notice done = Next(inbox);
  CHECK(done.kind == MEDIAGEN_KIND_DONE);
  CHECK(done.tag == 5);
  for (Lookup* waiter : {&first, &second}) {
    mediagen_buffer* value = nullptr;
    CHECK(mediagen_call_wait(waiter->pending.get(), 0, nullptr) == MEDIAGEN_OK);
    CHECK(mediagen_call_result(waiter->pending.get(), &value, nullptr) == MEDIAGEN_OK);
    CHECK(Take(value) == "loaded");
    CHECK(mediagen_call_token(waiter->pending.get()) == 0);
  }
  Lookup hit = Ask(cache, "k");
  CHECK(hit.state == MEDIAGEN_OK);
  CHECK(hit.value == "loaded");
  CHECK(hit.token == 0);
}

TEST_CASE("a loader's failure is its waiters' error") {
  OwnedCache cache = OpenCache();
  Lookup loader = Ask(cache, "k"), waiter = Ask(cache, "k");
  CHECK(mediagen_cache_fail(cache.get(), loader.token, S("the database is down"), nullptr) == MEDIAGEN_OK);
  Failure failure;
  CHECK(mediagen_call_wait(waiter.pending.get(), 0, failure.slot()) == MEDIAGEN_UNAVAILABLE);
  CHECK(failure.message() == "the database is down");
  CHECK(mediagen_cache_fail(cache.get(), loader.token, S(""), nullptr) == MEDIAGEN_STALE);
}

TEST_CASE("an overdue loader's waiter is promoted when the inbox is asked, with no thread") {
  OwnedCache cache = OpenCache();
  OwnedInbox inbox = NewInbox();
  Lookup loader = Ask(cache, "k"), waiter = Ask(cache, "k", &inbox, 6);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CacheClock().Advance(1001);
  Notice done = Next(inbox);
  CHECK(done.kind == MEDIAGEN_KIND_DONE);
  CHECK(done.tag == 6);
  mediagen_buffer* value = nullptr;
  CHECK(mediagen_call_result(waiter.pending.get(), &value, nullptr) == MEDIAGEN_LOAD);
  CHECK(value == nullptr);
  uint64_t token = mediagen_call_token(waiter.pending.get());
  CHECK(token != 0);
  CHECK(Fill(cache, loader.token, "late") == MEDIAGEN_STALE);
  CHECK(Get(cache, "k") == "(none)");
  CHECK(Fill(cache, token, "promoted") == MEDIAGEN_OK);
  CHECK(Get(cache, "k") == "promoted");
}

TEST_CASE("an overdue loader's waiter is promoted by waiting, and the next one by asking") {
  OwnedCache cache = OpenCache();
  Lookup loader = Ask(cache, "k"), waiter = Ask(cache, "k");
  CacheClock().Advance(1001);
  CHECK(mediagen_call_wait(waiter.pending.get(), -1, nullptr) == MEDIAGEN_OK);
  CHECK(mediagen_call_token(waiter.pending.get()) != 0);
  CacheClock().Advance(1001);
  Lookup next = Ask(cache, "k");
  CHECK(next.state == MEDIAGEN_LOAD);
  CHECK(Fill(cache, next.token, "third time") == MEDIAGEN_OK);
}

TEST_CASE("a waiter that gives up is forgotten; the others are not") {
  OwnedCache cache = OpenCache();
  OwnedInbox inbox = NewInbox();
  Lookup loader = Ask(cache, "k"), leaver = Ask(cache, "k", &inbox, 1), stayer = Ask(cache, "k", &inbox, 2);
  leaver.pending.reset();
  CHECK(Fill(cache, loader.token, "v") == MEDIAGEN_OK);
  CHECK(Next(inbox).tag == 2);
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);
  CHECK(mediagen_call_wait(stayer.pending.get(), 0, nullptr) == MEDIAGEN_OK);
}

TEST_CASE("a waiter keeps the cache alive: any order of freeing is legal") {
  OwnedInbox inbox = NewInbox();
  OwnedCache cache = OpenCache();
  Lookup loader = Ask(cache, "k"), waiter = Ask(cache, "k", &inbox, 1);
  cache.reset();
  CHECK(mediagen_call_wait(waiter.pending.get(), 0, nullptr) == MEDIAGEN_TIMEOUT);
  CacheClock().Advance(1001);
  CHECK(mediagen_call_wait(waiter.pending.get(), 0, nullptr) == MEDIAGEN_OK);
  waiter.pending.reset();
  CHECK(Next(inbox).kind == MEDIAGEN_KIND_EMPTY);  // the cache is gone: nothing is asked of it
}

TEST_CASE("an older host's shorter options are taken as far as they go") {
  OwnedCache cache = OpenCache();
  mediagen_entry_options options{};
  options.struct_size = offsetof(mediagen_entry_options, soft_ttl_ms);
  options.ttl_ms = 1000;
  options.flags = 128;  // behind what the host says it has
  CHECK(mediagen_cache_put(cache.get(), S("k"), S("v"), &options, S(""), nullptr, nullptr) == MEDIAGEN_OK);
  CacheClock().Advance(999);
  CHECK(Get(cache, "k") == "v");
  CacheClock().Advance(1);
  CHECK(Get(cache, "k") == "(none)");
}

TEST_CASE("a stale value comes with the token of its refresh, once; a negative entry is empty") {
  OwnedCache cache = OpenCache();
  mediagen_entry_options options{};
  options.struct_size = sizeof options;
  options.soft_ttl_ms = 500;
  CHECK(mediagen_cache_put(cache.get(), S("k"), S("old"), &options, S(""), nullptr, nullptr) == MEDIAGEN_OK);
  CacheClock().Advance(500);
  uint64_t token = 0;
  int32_t stale = 0;
  mediagen_buffer* value = nullptr;
  mediagen_call* pending = nullptr;
  auto ask = [&](const char* key) {
    return mediagen_cache_get_or_begin(cache.get(), S(key), 1000, &token, &stale, nullptr, 0, &value,
                                       &pending, nullptr);
  };
  CHECK(ask("k") == MEDIAGEN_OK);
  CHECK(Take(value) == "old");
  CHECK(stale == 1);
  const uint64_t refresh = token;
  CHECK(refresh != 0);
  CHECK(ask("k") == MEDIAGEN_OK);
  CHECK(Take(value) == "old");
  CHECK(stale == 1);
  CHECK(token == 0);
  CHECK(Fill(cache, refresh, "new") == MEDIAGEN_OK);
  CHECK(ask("k") == MEDIAGEN_OK);
  CHECK(Take(value) == "new");
  CHECK(stale == 0);

  options.soft_ttl_ms = 0;
  options.flags = MEDIAGEN_ENTRY_NEGATIVE;
  Lookup load = Ask(cache, "none"), waiter = Ask(cache, "none");
  CHECK(mediagen_cache_fill(cache.get(), load.token, S(""), &options, S(""), nullptr) == MEDIAGEN_OK);
  CHECK(mediagen_call_wait(waiter.pending.get(), 0, nullptr) == MEDIAGEN_OK);
  CHECK(mediagen_call_result(waiter.pending.get(), &value, nullptr) == MEDIAGEN_OK);
  CHECK(value == nullptr);
  CHECK(ask("none") == MEDIAGEN_EMPTY);
  mediagen_buffer_free(value);
}

TEST_CASE("a load reserves its bytes, and gives them back when it is abandoned") {
  OwnedCache cache = OpenCache();
  Lookup loader = Ask(cache, "k"), waiter = Ask(cache, "k");
  Failure failure;
  CHECK(mediagen_cache_reserve(cache.get(), loader.token, 1 << 20, failure.slot()) == MEDIAGEN_OK);
  CHECK(mediagen_cache_reserve(cache.get(), loader.token, 1 << 30, failure.slot()) == MEDIAGEN_TOO_LARGE);
  CHECK(mediagen_cache_abandon(cache.get(), loader.token, failure.slot()) == MEDIAGEN_OK);
  CHECK(mediagen_call_wait(waiter.pending.get(), 0, nullptr) == MEDIAGEN_OK);
  CHECK(mediagen_call_token(waiter.pending.get()) != 0);
  CHECK(mediagen_cache_abandon(cache.get(), loader.token, failure.slot()) == MEDIAGEN_STALE);
  CHECK(mediagen_cache_reserve(cache.get(), loader.token, 1, failure.slot()) == MEDIAGEN_STALE);
}

TEST_CASE("prefixes, versions, clearing, and a bound by count") {
  mediagen_cache* opened = nullptr;
  REQUIRE(mediagen_cache_open(MEDIAGEN_ABI, S(R"({"entries": 3, "largestEntry": 1, "bytes": 100000})"),
                              &opened, nullptr) == MEDIAGEN_OK);
  OwnedCache cache(opened);
  for (const char* key : {"a/1", "a/2", "b/1"}) Put(cache, key, "v");
  CHECK(mediagen_cache_invalidate_prefix(cache.get(), S("a/")) == MEDIAGEN_OK);
  CHECK(Get(cache, "a/1") == "(none)");
  CHECK(Get(cache, "b/1") == "v");
  mediagen_buffer *one = nullptr, *two = nullptr;
  CHECK(mediagen_cache_versioned_key(S("k"), S("1"), &one) == MEDIAGEN_OK);
  CHECK(mediagen_cache_versioned_key(S("k"), S("2"), &two) == MEDIAGEN_OK);
  CHECK(Take(one) != Take(two));
  for (int i = 0; i < 20; ++i) Put(cache, std::to_string(i), "v");
  mediagen_buffer* out = nullptr;
  REQUIRE(mediagen_cache_stats(cache.get(), &out) == MEDIAGEN_OK);
  const Json stats = Json::parse(Take(out));
  CHECK(stats["entries"] <= 3);
  CHECK(stats["maxEntries"] == 3);
  CHECK(mediagen_cache_clear(cache.get()) == MEDIAGEN_OK);
  CHECK(Get(cache, "b/1") == "(none)");
  mediagen_cache* none = nullptr;
  for (const char* config : {R"({"entries": -1})", R"({"largestEntry": 2})", R"({"policy": "best"})",
                             R"({"negativeTtlMs": 0})", R"({"byte": 1})"})
    CHECK(mediagen_cache_open(MEDIAGEN_ABI, S(config), &none, nullptr) == MEDIAGEN_INVALID);
}

TEST_CASE("the statistics are a document") {
  OwnedCache cache = OpenCache();
  Put(cache, "k", "v");
  Get(cache, "k");
  Get(cache, "absent");
  mediagen_buffer* out = nullptr;
  REQUIRE(mediagen_cache_stats(cache.get(), &out) == MEDIAGEN_OK);
  Json stats = Json::parse(Take(out));
  CHECK(stats["hits"] == 1);
  CHECK(stats["misses"] == 1);
  CHECK(stats["entries"] == 1);
  CHECK(stats["hitRatio"] == 0.5);
  CHECK(stats["budgetBytes"] == 50 << 20);
  CHECK(stats["evictions"]["expired"] == 0);
}

TEST_CASE("eight threads load many keys once each") {
  OwnedCache cache = OpenCache();
  std::atomic<int> loads{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        std::string key = "k" + std::to_string(i);
        uint64_t token = 0;
        mediagen_buffer* value = nullptr;
        mediagen_call* pending = nullptr;
        int32_t state = mediagen_cache_get_or_begin(cache.get(), S(key), 60'000, &token, nullptr, nullptr, 0,
                                                    &value, &pending, nullptr);
        if (state == MEDIAGEN_LOAD) {
          ++loads;
          if (mediagen_cache_fill(cache.get(), token, S(key), 0, S(""), nullptr) != MEDIAGEN_OK) ++wrong;
          continue;
        }
        if (state == MEDIAGEN_PENDING) {
          if (mediagen_call_wait(pending, 30'000, nullptr) != MEDIAGEN_OK) ++wrong;
          mediagen_call_result(pending, &value, nullptr);
          mediagen_call_free(pending);
        }
        if (Text(mediagen_buffer_view(value)) != key) ++wrong;
        mediagen_buffer_free(value);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(loads == 200);
  CHECK(wrong == 0);
}
