// The memory limiter: the contract of every limiter, and what only this one promises: its bound, and threads.
#include "limit/memory/memory.h"

#include <doctest/doctest.h>

#include <atomic>
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
  std::vector<std::string> keys;
  for (int i = 0; i < 20; ++i) keys.push_back("key" + std::to_string(i));
  std::atomic<int64_t> admitted = 0;
  std::latch start(8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::vector<LimitCheck> step;
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

}  // namespace
}  // namespace mediagen
