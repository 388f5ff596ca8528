// The memory limiter: the contract of every limiter, and what only this one promises: its bound, and threads.
#include "limit/memory/memory.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <thread>

#include "contract/limiter_contract.h"

namespace mediagen {
namespace {

std::unique_ptr<Limiter> Open(Clock* clock, std::vector<LimitRule> rules, size_t max_keys = 1 << 20) {
  auto limiter = NewMemoryLimiter(clock, std::move(rules), max_keys, SeededRandom(3).get());
  REQUIRE(limiter.ok());
  return std::move(*limiter);
}

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) names.push_back("key" + std::to_string(i));
  return names;
}

TEST_CASE("random steps in memory are answered as the plain model has it") {
  FakeClock clock;
  LimiterAgreesWithModel({[&](std::vector<LimitRule> rules) { return Open(&clock, std::move(rules)); },
                          [&](int64_t ms) { clock.Advance(ms); }},
                         9, RandomSteps(200'000));
}

TEST_CASE("the memory limiter keeps the contract of limiters") {
  FakeClock clock;
  LimiterContract({[&](std::vector<LimitRule> rules) { return Open(&clock, std::move(rules)); },
                   [&](int64_t ms) { clock.Advance(ms); }},
                  200'000);
}

TEST_CASE("bad rules, two of one name and no room are refused") {
  FakeClock clock;
  CHECK(CodeOf(NewMemoryLimiter(&clock, {{"r", 0, 1000}}).status()) == Code::kInvalid);
  CHECK(CodeOf(NewMemoryLimiter(&clock, {{"", 5, 1000}}).status()) == Code::kInvalid);
  auto twice = NewMemoryLimiter(&clock, {{"same", 5, 1000}, {"other", 5, 1000}, {"same", 6, 1000}}).status();
  CHECK(CodeOf(twice) == Code::kInvalid);
  CHECK(InfoOf(twice).message.find("same") != std::string::npos);
  CHECK(CodeOf(NewMemoryLimiter(&clock, {{"r", 5, 1000}}, 0).status()) == Code::kInvalid);
  CHECK(NewMemoryLimiter(&clock, {}).ok());
}

TEST_CASE("a full table refuses new keys, says until when, and keeps deciding the keys that it has") {
  for (const char* text : {"5/min", "60/min"}) {
    CAPTURE(text);
    FakeClock clock;
    auto limiter = Open(&clock, {RuleOf("rule", text)}, 4);
    const int64_t limit = RuleOf("rule", text).limit;
    for (int i = 0; i < 4; ++i) {
      CHECK(CheckOne(*limiter, "rule", "key" + std::to_string(i), limit).allowed);
      clock.Advance(1'000);
    }
    LimitCheck fifth{"rule", "fifth", 1};
    for (int i = 0; i < 3; ++i) {
      auto full = limiter->Check({&fifth, 1}).status();
      CHECK(CodeOf(full) == Code::kOverloaded);
      CHECK(InfoOf(full).retry_after_ms == 56'000);
    }
    CHECK(CheckOne(*limiter, "rule", "fifth", 0).remaining == limit);  // a look needs no room
    CHECK(CheckOne(*limiter, "rule", "key3", 0).remaining < limit);
    clock.Advance(55'999);
    CHECK(CodeOf(limiter->Check({&fifth, 1}).status()) == Code::kOverloaded);
    clock.Advance(1);
    CHECK(CheckOne(*limiter, "rule", "fifth").allowed);
    CHECK(CheckOne(*limiter, "rule", "key1", 0).remaining < limit);  // nobody limited was forgotten
    LimitCheck sixth{"rule", "sixth", 1};
    CHECK(CodeOf(limiter->Check({&sixth, 1}).status()) == Code::kOverloaded);
    RefundOne(*limiter, "rule", "fifth");
    CHECK(CheckOne(*limiter, "rule", "sixth").allowed);
  }
}

TEST_CASE("a step whose keys do not all have room charges none of them") {
  FakeClock clock;
  auto limiter = Open(&clock, {RuleOf("exact", "5/min"), RuleOf("gcra", "60/min")}, 3);
  CHECK(CheckOne(*limiter, "exact", "ann", 1).allowed);
  std::vector<LimitCheck> step = {
      {"exact", "ann", 1}, {"gcra", "ann", 1}, {"exact", "bob", 1}, {"gcra", "bob", 1}};
  CHECK(CodeOf(limiter->Check(step).status()) == Code::kOverloaded);
  CHECK(CheckOne(*limiter, "exact", "ann", 0).remaining == 4);
  CHECK(CheckOne(*limiter, "gcra", "ann", 0).remaining == 60);
  CHECK(limiter->Check(std::span(step).first(3))->allowed);
  const LimitCheck pair[] = {{"exact", "ann", 1}, {"gcra", "bob", 1}};
  CHECK(CodeOf(limiter->Check(pair).status()) == Code::kOverloaded);
  CHECK(CheckOne(*limiter, "exact", "ann", 0).remaining == 3);
  CHECK(limiter->Stats().overloaded == 2);
  std::vector<LimitCheck> more = {{"gcra", "a", 1}, {"gcra", "b", 1}, {"gcra", "c", 1}, {"gcra", "d", 1}};
  clock.Advance(60'000);
  CHECK(CodeOf(limiter->Check(more).status()) == Code::kOverloaded);  // more than there can ever be
  CHECK(limiter->Check(std::span(more).first(3))->allowed);
}

TEST_CASE("a key that is whole again gives its place to itself, even in a full table") {
  FakeClock clock;
  auto limiter = Open(&clock, {RuleOf("rule", "5/min")}, 2);
  CHECK(CheckOne(*limiter, "rule", "a", 5).allowed);
  CHECK(CheckOne(*limiter, "rule", "b", 5).allowed);
  clock.Advance(60'000);
  std::vector<LimitCheck> both = {{"rule", "a", 5}, {"rule", "b", 5}};
  CHECK(limiter->Check(both)->allowed);
  CHECK(CheckOne(*limiter, "rule", "a", 0).remaining == 0);
  CHECK(CheckOne(*limiter, "rule", "b", 0).remaining == 0);
}

TEST_CASE("a flood of new keys passes through a small table as fast as keys become whole") {
  FakeClock clock;
  auto limiter = Open(&clock, {RuleOf("rule", "100/s")}, 50);
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE(CheckOne(*limiter, "rule", "address" + std::to_string(i)).allowed);  // whole after 10 ms
    if (i % 5 == 4) clock.Advance(1);
  }
}

TEST_CASE("a table in parts takes nearly its bound of keys and never more") {
  FakeClock clock;
  constexpr size_t kMost = 1 << 16;
  auto limiter = Open(&clock, {RuleOf("rule", "1/h"), RuleOf("other", "50/h")}, kMost);
  size_t taken = 0, first_refusal = 0;
  for (size_t i = 0; i < kMost + 20'000; ++i) {
    const std::string key = "key" + std::to_string(i);
    LimitCheck check{i % 2 ? "rule" : "other", key, 1};
    auto decision = limiter->Check({&check, 1});
    if (decision.ok())
      ++taken;
    else if (first_refusal == 0)
      first_refusal = i;
  }
  CHECK(taken <= kMost);
  CHECK(taken > kMost * 99 / 100);
  CHECK(first_refusal > kMost * 9 / 10);
  for (size_t i = 1; i < first_refusal; i += 2) {
    if (CheckOne(*limiter, "rule", "key" + std::to_string(i), 0).remaining != 0)
      FAIL("key " << i << " was forgotten");
  }
}

TEST_CASE("eight threads that hammer one key are admitted exactly the limit") {
  for (const char* text : {"32/h", "1000/h"}) {
    CAPTURE(text);
    FakeClock clock;  // stands still
    auto limiter = Open(&clock, {RuleOf("rule", text)});
    const int64_t limit = RuleOf("rule", text).limit;
    std::atomic<int64_t> admitted = 0;
    std::latch start(8);
    std::vector<std::thread> threads;
    threads.reserve(8);
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        LimitCheck check{"rule", "key", 1};
        for (int i = 0; i < 500; ++i) {
          auto decision = limiter->Check({&check, 1});
          if (decision.ok() && decision->allowed) ++admitted;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(admitted == limit);
  }
}

TEST_CASE("threads that check the same keys in opposite orders neither lock up nor charge in part") {
  FakeClock clock;
  auto limiter = Open(&clock, {RuleOf("many", "100000/h"), RuleOf("few", "300/h")});
  const std::vector<std::string> keys = Names(20);
  std::atomic<int64_t> admitted = 0;
  std::latch start(8);
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::vector<LimitCheck> step;
      step.reserve(keys.size() + 1);
      for (const std::string& key : keys) step.push_back({"many", key, 1});
      step.push_back({"few", "shared", 1});
      if (t % 2) std::reverse(step.begin(), step.end());
      start.arrive_and_wait();
      for (int i = 0; i < 100; ++i) {
        auto decision = limiter->Check(step);
        if (decision.ok() && decision->allowed) ++admitted;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(admitted == 300);
  for (const std::string& key : keys) CHECK(CheckOne(*limiter, "many", key, 0).remaining == 100'000 - 300);
}

TEST_CASE("threads that check pairs in opposite orders neither lock up nor charge one without the other") {
  FakeClock clock;
  auto limiter = Open(&clock, {RuleOf("many", "100000/h"), RuleOf("few", "3000/h"), RuleOf("exact", "30/h")});
  const std::vector<std::string> keys = Names(20);
  std::atomic<int64_t> admitted = 0, exact = 0;
  std::latch start(8);
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      for (size_t i = 0; i < 2'000; ++i) {
        LimitCheck pair[] = {{"many", keys[i % keys.size()], 1}, {"few", "shared", 1}};
        LimitCheck other[] = {{"exact", keys[(i + 1) % keys.size()], 1}, {"many", keys[i % keys.size()], 1}};
        for (LimitCheck* step : {pair, other}) {
          if (t % 2) std::swap(step[0], step[1]);
          auto decision = limiter->Check({step, 2});
          if (decision.ok() && decision->allowed) ++(step == pair ? admitted : exact);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(admitted == 3'000);
  CHECK(exact == 30 * static_cast<int64_t>(keys.size()));
  int64_t taken = 0;
  for (const std::string& key : keys) taken += 100'000 - CheckOne(*limiter, "many", key, 0).remaining;
  CHECK(taken == admitted + exact);
}

// Ten million with MEDIAGEN_FULL=1, which ./run test --full sets.
TEST_CASE("a flood of keys finds the memory bounded, and every limited key remembered") {
  FakeClock clock;
  constexpr size_t kMost = 1 << 17, kVictims = 2'000;
  const size_t kFlood = std::getenv("MEDIAGEN_FULL") ? 10'000'000 : 1'250'000;
  auto limiter =
      Open(&clock, {RuleOf("exact", "2/h"), RuleOf("gcra", "50/h"), RuleOf("flood", "600/min")}, kMost);
  std::string key = "0123456789";
  for (size_t i = 0; i < kVictims; ++i) {  // limited before the flood comes
    key = "victim" + std::to_string(i);
    REQUIRE(CheckOne(*limiter, "exact", key, 2).allowed);
    REQUIRE(CheckOne(*limiter, "gcra", key, 50).allowed);
  }
  uint64_t refused = 0;
  for (size_t i = 0; i < kFlood; ++i) {
    key = "flood" + std::to_string(i);
    const LimitCheck check{"flood", key, 1};  // whole after 100 ms
    auto decision = limiter->Check({&check, 1});
    if (!decision.ok()) {
      ++refused;
      if (CodeOf(decision.status()) != Code::kOverloaded) FAIL(decision.status().ToString());
    }
    if (i % 2'500 == 2'499) clock.Advance(1);  // 250,000 keys in 100 ms: twice what there is room for
  }
  const LimitStats stats = limiter->Stats();
  CHECK(stats.keys <= kMost);
  CHECK(stats.bytes <= kMost * 24);
  CHECK(stats.overloaded == refused);
  CHECK(refused > kFlood / 4);       // nobody limited was forgotten to make room
  CHECK(refused < kFlood * 6 / 10);  // and what was whole did make room
  for (size_t i = 0; i < kVictims; ++i) {
    key = "victim" + std::to_string(i);
    if (CheckOne(*limiter, "exact", key, 0).remaining != 0 || CheckOne(*limiter, "gcra", key).allowed) {
      FAIL("key " << i << " was forgotten");
    }
  }
}

TEST_CASE("twenty-four threads on many keys and rules admit what the formulas allow, and count all of it") {
  FakeClock clock;  // goes on by 1 s in all
  auto limiter = Open(&clock, {RuleOf("exact", "20/h"), RuleOf("gcra", "3600/h"), RuleOf("all", "50000/h")});
  constexpr int kThreads = 24, kKeys = 16, kSteps = 4'000;
  const std::vector<std::string> keys = Names(kKeys);
  std::vector<std::atomic<int64_t>> exact(kKeys), gcra(kKeys);
  std::atomic<int64_t> all = 0, refunds = 0;
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      auto random = SeededRandom(static_cast<uint64_t>(t));
      start.arrive_and_wait();
      for (int i = 0; i < kSteps; ++i) {
        const size_t a = random->Below(kKeys), b = random->Below(kKeys);
        if (t == 0 && i % (kSteps / 10) == 0) clock.Advance(100);
        const LimitCheck checks[] = {{"exact", keys[a], 1}, {"gcra", keys[b], 2}, {"all", "shared", 1}};
        const size_t first = random->Below(2);  // with the exact rule, or without
        auto reserved = limiter->Reserve(std::span(checks).subspan(first));
        if (!reserved.ok() || !reserved->decision.allowed) continue;
        if (random->Below(8) == 0 && limiter->RefundLease(reserved->lease).value_or(false)) {
          ++refunds;
          continue;
        }
        if (first == 0) ++exact[a];
        gcra[b] += 2;
        ++all;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(refunds > 100);
  CHECK(all <= 50'000 + 15);
  for (size_t i = 0; i < kKeys; ++i) {
    CHECK(exact[i] == 20);  // all of the hour's, and not one more
    CHECK(gcra[i] <= 3'601);
    CHECK(gcra[i] >= 0);
  }
  const LimitStats stats = limiter->Stats();
  CHECK(stats.allowed == static_cast<uint64_t>(all + refunds));
  CHECK(stats.allowed + stats.refused == uint64_t{kThreads} * kSteps);
}

TEST_CASE("leases that were refunded take places until they run out, and no refund is given without one") {
  FakeClock clock;
  auto limiter = Open(&clock, {RuleOf("rule", "60/min")}, 3);
  const LimitLease leases[] = {ReserveOne(*limiter, "rule", "key", 10).lease,
                               ReserveOne(*limiter, "rule", "key", 10).lease};
  CHECK(RefundLease(*limiter, leases[0]));
  CHECK(CheckOne(*limiter, "rule", "other").allowed);
  CHECK(CodeOf(limiter->RefundLease(leases[1]).status()) == Code::kOverloaded);
  CHECK(CheckOne(*limiter, "rule", "key", 0).remaining == 50);
  clock.Advance(1'000);  // "other" is whole
  CHECK(RefundLease(*limiter, leases[1]));
  CHECK(CheckOne(*limiter, "rule", "key", 0).remaining == 60);
}

}  // namespace
}  // namespace mediagen
