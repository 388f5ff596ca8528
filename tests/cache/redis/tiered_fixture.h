// What the tests of the tiered cache share: a process of a namespace, with a memory and a connection of its
// own, and loads that are waited for.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cache/memory/memory.h"
#include "cache/redis/tiered.h"
#include "support/redis_server.h"

namespace mediagen::testing {

// True as soon as `condition` is; who waits for half a minute waits in vain.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// Whether a cache hears at this moment, to be waited for.
class HearingState {
 public:
  void Set(bool hearing) {
    std::lock_guard lock(mutex_);
    hearing_ = hearing;
    changed_.notify_all();
  }
  bool WaitFor(bool hearing) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return hearing_ == hearing; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hearing_ = false;
};

// One process of a namespace. It is asked something at once, so that it connects.
struct Node {
  explicit Node(const RedisServer& server, TieredCacheOptions options = {.timeout_ms = 20'000},
                Clock* memory_clock = SystemClock()) {
    options.on_hearing = [this](bool hears) { hearing.Set(hears); };
    auto url = ParseRedisUrl(server.url());
    REQUIRE(url.ok());
    auto made = NewTieredCache(SystemClock(), NewMemoryCache(memory_clock, {.budget_bytes = 16 << 20}), *url,
                               options);
    REQUIRE_MESSAGE(made.ok(), made.status().ToString());
    cache = std::move(*made);
  }
  // Connects and waits until it hears.
  Node& Connected() {
    cache->Remove("is anybody there?");
    REQUIRE(hearing.WaitFor(true));
    REQUIRE(cache->Settle(30'000));
    return *this;
  }

  // What GetOrLoad came to: a value, "nothing" (negative), an error's name, or a load.
  struct Result {
    std::string text;
    uint64_t token = 0;
  };
  Result Ask(const std::string& key) {
    struct State {
      std::mutex mutex;
      std::condition_variable came;
      std::optional<Cache::Outcome> outcome;
    };
    auto state = std::make_shared<State>();
    Cache::Lookup found = cache->GetOrLoad(key, 60'000, [state](Cache::Outcome outcome) {
      std::lock_guard lock(state->mutex);
      state->outcome = std::move(outcome);
      state->came.notify_one();
    });
    if (found.kind == Cache::Lookup::kHit) return {std::string(found.value.view()), found.token};
    if (found.kind == Cache::Lookup::kNegative) return {"nothing", 0};
    if (found.kind == Cache::Lookup::kLoad) return {"", found.token};
    std::unique_lock lock(state->mutex);
    if (!state->came.wait_for(lock, std::chrono::seconds(30), [&] { return state->outcome.has_value(); }))
      return {"no outcome", 0};
    const Cache::Outcome& outcome = *state->outcome;
    if (!outcome.status.ok()) return {std::string(CodeName(CodeOf(outcome.status))), 0};
    if (outcome.load_token != 0) return {"", outcome.load_token};
    return {outcome.negative ? "nothing" : std::string(outcome.value.view()), 0};
  }
  // What is under `key`, loaded from `source` when nothing is.
  std::string Load(const std::string& key, const std::string& source, const EntryOptions& options = {}) {
    const Result result = Ask(key);
    if (result.token == 0) return result.text;
    (void)cache->Fill(result.token, BufferRef::Copy(source), options);
    return source;
  }
  std::string Get(const std::string& key) { return std::string(cache->Get(key).view()); }
  void Put(const std::string& key, const std::string& value, const EntryOptions& options = {}) {
    cache->Put(key, BufferRef::Copy(value), options);
  }
  void Settle() { REQUIRE(cache->Settle(30'000)); }

  HearingState hearing;
  std::unique_ptr<TieredCache> cache;  // last: its thread tells `hearing`
};

}  // namespace mediagen::testing
