#include "jobs/pace.h"

#include <doctest/doctest.h>

#include <deque>

#include "base/clock.h"
#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

TEST_CASE("no span of a rate's length ever costs more than its amount, wherever it begins") {
  const Allowance rate{50, 10'000};
  auto random = SeededRandom(3);
  std::deque<std::pair<int64_t, int64_t>> spent;  // time, cost
  std::string state;
  int64_t now = 1'000'000, total = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<int64_t>(random->Below(120));
    RateWindow window(rate, state, now);
    const auto cost = static_cast<int64_t>(random->Below(5));
    if (cost > window.left()) {
      REQUIRE(window.FreeAt(cost) > now);
      REQUIRE(window.FreeAt(cost) <= now + rate.per_ms + rate.per_ms / 64);
      CHECK(RateWindow(rate, state, window.FreeAt(cost)).left() >= cost);
      continue;
    }
    window.Spend(cost);
    state = window.state();
    spent.emplace_back(now, cost);
    total += cost;
    while (spent.front().first + rate.per_ms <= now) spent.pop_front();
    int64_t in_span = 0;
    for (const auto& [at, each] : spent) in_span += each;
    REQUIRE(in_span <= rate.amount);
  }
  // What is asked for is far more than what is allowed, so nearly all of that was given.
  CHECK(total > (now - 1'000'000) * rate.amount / rate.per_ms * 9 / 10);
  CHECK(state.size() < 1000);
}

TEST_CASE("a rate's state that is nonsense counts as nothing spent") {
  for (const char* state : {"", "x", "5", "5:", "5:x", "9999:-3", ":"})
    CHECK(RateWindow({10, 1000}, state, 100).left() == 10);
}

TEST_CASE("retries within the budget start at once, those beyond it at the budget's rate") {
  const Allowance budget{10, 1000};
  int64_t bucket = 0;
  for (int i = 0; i < 10; ++i) CHECK(PaceRetry(budget, 5000, &bucket) == 5000);
  CHECK(PaceRetry(budget, 5000, &bucket) == 5100);
  CHECK(PaceRetry(budget, 5000, &bucket) == 5200);
  CHECK(PaceRetry(budget, 60'000, &bucket) == 60'000);  // it has filled up again
  int64_t none = 0;
  CHECK(PaceRetry({0, 1000}, 7, &none) == 7);
}

TEST_CASE("a queue's rate holds over all processes, and the claim that had to wait comes by itself") {
  Machine machine;
  Process one(machine, 1), other(machine, 2);
  for (Process* process : {&one, &other})
    process->queues->Configure("mail", {.concurrency = 100, .rate = {4, 60'000}});
  for (int i = 0; i < 6; ++i) one.Enqueue("mail");
  one.Enqueue({.queue = "mail", .kind = "dear", .cost = 9});
  CHECK(one.Claims({"mail"}, 3).size() == 3);
  CHECK(other.Claims({"mail"}, 3).size() == 1);
  CHECK(one.Claims({"mail"}, 3).empty());
  std::vector<Claim> late;
  one.queues->ClaimAsync({"mail"}, 10, [&](StatusOr<std::vector<Claim>> got) {
    if (got.ok()) late = *std::move(got);
  });
  one.Drive();
  CHECK(late.empty());
  auto advance = [&](int64_t ms) {
    for (; ms > 0; ms -= 1'000) {  // in steps that no lease runs out in
      machine.fake.Advance(1'000);
      other.Drive(), one.Drive();
    }
  };
  advance(59'000);
  CHECK(late.empty());
  advance(2'000);
  CHECK(late.size() == 2);
  advance(61'000);
  CHECK(one.Claims({"mail"}, 10).size() == 1);  // it takes the whole amount, and no more
}

TEST_CASE("a flood of failures is retried within the queue's retry budget") {
  Machine machine;
  Process process(machine);
  process.queues->Configure(
      "mail", {.concurrency = 100, .retry = {.base_ms = 1, .cap_ms = 1, .budget = {5, 10'000}}});
  for (int i = 0; i < 20; ++i) process.Enqueue("mail");
  for (const Claim& claim : process.Claims({"mail"}, 20))
    CHECK(process.Finish(claim, Outcome::Retry("down")).ok());
  machine.fake.Advance(10);
  CHECK(process.Claims({"mail"}, 20).size() == 5);
  machine.fake.Advance(2'000);
  CHECK(process.Claims({"mail"}, 20).size() == 1);
  machine.fake.Advance(60'000);
  CHECK(process.Claims({"mail"}, 20).size() == 14);
}

}  // namespace
}  // namespace mediagen
