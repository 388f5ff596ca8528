// The memory cache under threads. Nothing sleeps: threads meet at latches and wait on condition variables.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>

#include "base/id.h"
#include "cache/memory/memory.h"

namespace mediagen {
namespace {

constexpr int kThreads = 16;

// Collects outcomes and lets a thread wait for their number.
class Inbox {
 public:
  Cache::Waiter Waiter() {
    return [this](Cache::Outcome outcome) {
      std::lock_guard lock(mutex_);
      outcomes_.push_back(std::move(outcome));
      changed_.notify_all();
    };
  }
  std::vector<Cache::Outcome> WaitFor(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return outcomes_.size() >= count; });
    return outcomes_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Cache::Outcome> outcomes_;
};

void RunThreads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("of sixteen threads that ask at once, one loads and all get its value") {
  auto cache = NewMemoryCache(SystemClock(), {});
  for (int round = 0; round < 50; ++round) {
    const std::string key = "key" + std::to_string(round);
    std::latch start(kThreads), asked(kThreads);
    std::atomic<int> loads = 0, values = 0;
    RunThreads(kThreads, [&](int) {
      Inbox inbox;
      start.arrive_and_wait();
      Cache::Lookup lookup = cache->GetOrLoad(key, 3'600'000, inbox.Waiter());
      asked.arrive_and_wait();
      BufferRef value = lookup.value;
      if (lookup.kind == Cache::Lookup::kLoad) {
        ++loads;
        value = BufferRef::Copy("loaded " + key);
        if (!cache->Fill(lookup.token, value, {}).ok()) return;
      } else if (lookup.kind == Cache::Lookup::kWait) {
        value = inbox.WaitFor(1)[0].value;
      }
      if (value.view() == "loaded " + key) ++values;
    });
    CHECK(loads == 1);
    CHECK(values == kThreads);
  }
}

TEST_CASE(
    "when loaders vanish one after the other, each waiter is promoted once and the last one fills for the "
    "rest") {
  FakeClock clock;
  auto cache = NewMemoryCache(&clock, {});
  REQUIRE(cache->GetOrLoad("key", 100, nullptr).kind == Cache::Lookup::kLoad);  // this loader vanishes
  constexpr int kVanish = 5;
  Inbox inbox;
  std::latch waiting(kThreads);
  std::atomic<int> waits = 0;
  RunThreads(kThreads, [&](int) {
    if (cache->GetOrLoad("key", 100, inbox.Waiter()).kind == Cache::Lookup::kWait) ++waits;
    waiting.arrive_and_wait();
    cache->Sweep();  // nothing is overdue
  });
  CHECK(waits == kThreads);
  for (int i = 0; i < kVanish; ++i) {
    clock.Advance(100);
    RunThreads(4, [&](int) { cache->Sweep(); });
    auto told = inbox.WaitFor(static_cast<size_t>(i) + 1);
    REQUIRE(told.size() == static_cast<size_t>(i) + 1);
    CHECK(told.back().load_token != 0);
  }
  CHECK(cache->Fill(inbox.WaitFor(kVanish).back().load_token, BufferRef::Copy("v"), {}).ok());
  CHECK(inbox.WaitFor(kThreads).size() == kThreads);
  CHECK(cache->Get("key"));
}

TEST_CASE("after an invalidation no reader ever sees what was loaded before it") {
  auto cache = NewMemoryCache(SystemClock(), {.budget_bytes = 256 << 20});
  std::atomic<uint64_t> version = 1;
  std::atomic<bool> done = false;
  std::atomic<int> stale = 0;
  auto version_of = [](const BufferRef& value) { return std::stoull(std::string(value.view())); };
  std::thread writer([&] {
    for (int i = 0; i < 3'000; ++i) {
      ++version;
      if (i % 2)
        cache->Invalidate("tag");
      else
        cache->Remove("key");
    }
    done = true;
  });
  RunThreads(6, [&](int) {
    while (!done) {
      uint64_t floor =
          version;  // the writer may not have invalidated this one yet: the one before it, surely
      Cache::Lookup lookup = cache->GetOrLoad("key", 3'600'000, [&, floor](Cache::Outcome outcome) {
        if (outcome.value && version_of(outcome.value) + 1 < floor) ++stale;
        if (outcome.load_token) (void)cache->Fail(outcome.load_token, Error(Code::kUnavailable, "not me"));
      });
      if (lookup.kind == Cache::Lookup::kHit && version_of(lookup.value) + 1 < floor) ++stale;
      if (lookup.kind == Cache::Lookup::kLoad) {
        (void)cache->Fill(lookup.token, BufferRef::Copy(std::to_string(version)), {.tags = {"tag"}});
      }
    }
  });
  writer.join();
  CHECK(stale == 0);
}

TEST_CASE("a storm of every operation from 24 threads keeps the bound and ends clean") {
  constexpr uint64_t kBudget = 40 << 20;  // two shards
  auto cache = NewMemoryCache(SystemClock(), {.budget_bytes = kBudget});
  std::atomic<int> asked = 0, told = 0, over_budget = 0;
  RunThreads(24, [&](int thread) {
    auto random = SeededRandom(static_cast<uint64_t>(thread));
    std::vector<BufferRef> held;
    for (int i = 0; i < 2'000; ++i) {
      const std::string key = "key" + std::to_string(random->Below(500));
      switch (random->Below(10)) {
        case 0:
          cache->Remove(key);
          break;
        case 1:
          cache->Invalidate("tag" + std::to_string(random->Below(20)));
          break;
        case 2:
          if (auto value = cache->Get(key); value && held.size() < 20) held.push_back(std::move(value));
          break;
        case 3:
          held.clear();
          break;
        case 4: {
          Cache::Lookup lookup = cache->GetOrLoad(key, 3'600'000, [&](Cache::Outcome outcome) {
            ++told;
            if (outcome.load_token) (void)cache->Fill(outcome.load_token, BufferRef::Copy("promoted"), {});
          });
          if (lookup.kind == Cache::Lookup::kWait) ++asked;
          if (lookup.kind == Cache::Lookup::kWait || lookup.token == 0) break;
          const size_t size = random->Below(300'000);
          (void)cache->Reserve(lookup.token, size);
          if (random->Below(10) == 0) {
            (void)cache->Abandon(lookup.token);
          } else {
            (void)cache->Fill(lookup.token, BufferRef::Copy(std::string(size, 'l')),
                              {.soft_ttl_ms = static_cast<int64_t>(random->Below(2)), .tags = {"tag1"}});
          }
          break;
        }
        case 5:
          cache->Sweep();
          break;
        case 6:
          if (random->Below(10) == 0) cache->InvalidatePrefix("key" + std::to_string(random->Below(50)));
          break;
        default:
          cache->Put(key,
                     BufferRef::Copy(std::string(random->Below(random->Below(2) == 0 ? 500 : 300'000), 'p')),
                     {.ttl_ms = static_cast<int64_t>(random->Below(3)),
                      .tags = {"tag" + std::to_string(random->Below(20))}});
      }
      if (i % 100 == 0 && cache->Stats().bytes > kBudget) ++over_budget;
    }
  });
  CHECK(over_budget == 0);
  CHECK(told == asked);
  cache->Clear();
  CHECK(cache->Stats().bytes == 0);
}

}  // namespace
}  // namespace mediagen
