// The limiter on Redis beside the one in memory, and beside a plain list: every decision of a long random
// run.
#include <doctest/doctest.h>

#include <deque>
#include <optional>

#include "contract/limiter_random.h"
#include "limit/memory/memory.h"
#include "limit/redis_support.h"

namespace mediagen {
namespace {

using testing::LimiterUrl;
using testing::OpenRedis;
using testing::RedisServer;
using testing::Tally;

// What happens in one step, and what each backend said.
struct Event {
  enum class Kind { kCheck, kRefund, kReserve, kGiveBack } kind = Kind::kCheck;
  std::vector<std::pair<size_t, std::string>> keys;  // rule and key
  std::vector<int64_t> costs;
  size_t lease = 0;  // of kGiveBack: its place in the list
  std::optional<LimitReservation> memory, redis;
  bool memory_gave = false, redis_gave = false;
};

struct Comparison {
  RedisServer server;
  FakeClock clock;
  const std::vector<LimitRule> rules = {
      RuleOf("one", "1/s"),    RuleOf("five", "5/min"),  RuleOf("half", "32/2s"),  RuleOf("gcra", "100/10s"),
      RuleOf("odd", "333/7s"), RuleOf("fast", "7000/s"), RuleOf("long", "40/31d"), RuleOf("hour", "3000/h")};
  std::unique_ptr<Limiter> memory = *NewMemoryLimiter(&clock, rules);
  std::unique_ptr<Limiter> redis = OpenRedis(LimiterUrl(server), rules, {.decide_by = &clock});
  std::unique_ptr<Random> random = SeededRandom(11);
  std::vector<std::pair<LimitLease, LimitLease>> leases;  // memory's and Redis's, of the same reservation
  int refused = 0, gave = 0;

  Event MakeEvent() {
    Event event;
    const uint64_t kind = random->Below(20);
    event.kind = kind == 0 ? Event::Kind::kRefund : kind < 4 ? Event::Kind::kReserve : Event::Kind::kCheck;
    if (kind == 19 && !leases.empty()) {
      event.kind = Event::Kind::kGiveBack;
      event.lease = random->Below(leases.size());
      return event;
    }
    for (uint64_t parts = 1 + random->Below(3); parts > 0; --parts) {
      const size_t rule = random->Below(rules.size());
      event.keys.emplace_back(rule, "key" + std::to_string(random->Below(4)));
      const auto most = static_cast<uint64_t>(rules[rule].limit) / (random->Below(4) == 0 ? 2 : 20) / 3;
      event.costs.push_back(static_cast<int64_t>(random->Below(most + 2) % (rules[rule].limit / 3 + 1)));
      if (rules[rule].limit < 3) event.costs.back() = parts == 1 ? 1 : 0;
    }
    return event;
  }
  std::vector<LimitCheck> Checks(const Event& event) const {
    std::vector<LimitCheck> checks;
    for (size_t i = 0; i < event.keys.size(); ++i)
      checks.push_back({rules[event.keys[i].first].name, event.keys[i].second, event.costs[i]});
    return checks;
  }

  void AskRedis(Event* event, Tally* answered) {
    const std::vector<LimitCheck> checks = Checks(*event);
    auto decided = [=](StatusOr<LimitDecision> decision) {
      if (decision.ok()) event->redis = LimitReservation{*decision, {}};
      answered->Add();
    };
    switch (event->kind) {
      case Event::Kind::kCheck:
        return redis->CheckAsync(checks, decided);
      case Event::Kind::kRefund:
        return redis->RefundAsync(checks, [=](Status status) {
          if (status.ok()) event->redis.emplace();
          answered->Add();
        });
      case Event::Kind::kReserve:
        return redis->ReserveAsync(checks, [=](StatusOr<LimitReservation> reservation) {
          if (reservation.ok()) event->redis = *std::move(reservation);
          answered->Add();
        });
      case Event::Kind::kGiveBack:
        return redis->RefundLeaseAsync(leases[event->lease].second, [=](StatusOr<bool> given) {
          if (given.ok()) event->redis.emplace();
          event->redis_gave = given.value_or(false);
          answered->Add();
        });
    }
  }

  void AskMemory(Event* event) {
    const std::vector<LimitCheck> checks = Checks(*event);
    event->memory.emplace();
    if (event->kind == Event::Kind::kCheck) event->memory->decision = *memory->Check(checks);
    if (event->kind == Event::Kind::kReserve) event->memory = *memory->Reserve(checks);
    if (event->kind == Event::Kind::kRefund) REQUIRE(memory->Refund(checks).ok());
    if (event->kind == Event::Kind::kGiveBack)
      event->memory_gave = *memory->RefundLease(leases[event->lease].first);
  }

  void Compare(const Event& event, int step) {
    REQUIRE_MESSAGE(event.redis.has_value(), "step " << step << " failed");
    const LimitDecision &ours = event.redis->decision, &theirs = event.memory->decision;
    const bool same = ours.allowed == theirs.allowed && ours.rule == theirs.rule &&
                      ours.limit == theirs.limit && ours.remaining == theirs.remaining &&
                      ours.reset_after_ms == theirs.reset_after_ms &&
                      ours.retry_after_ms == theirs.retry_after_ms && event.redis_gave == event.memory_gave;
    if (!same) {
      FAIL("step " << step << ", kind " << static_cast<int>(event.kind) << ", rule " << std::string(ours.rule)
                   << " and " << std::string(theirs.rule) << ": allowed " << ours.allowed << " and "
                   << theirs.allowed << ", remaining " << ours.remaining << " and " << theirs.remaining
                   << ", reset " << ours.reset_after_ms << " and " << theirs.reset_after_ms << ", retry "
                   << ours.retry_after_ms << " and " << theirs.retry_after_ms << ", gave " << event.redis_gave
                   << " and " << event.memory_gave);
    }
    refused += !ours.allowed;
    gave += event.redis_gave;
    if (!event.redis->lease.parts.empty()) leases.emplace_back(event.memory->lease, event.redis->lease);
  }
};

// Between two moments many steps are under way at once: the limiter decides them in the order in which it was
// asked.
TEST_CASE("Redis and memory decide random steps alike: rules of all kinds, refunds and leases") {
  Comparison run;
  const int steps = RandomSteps(30'000);
  for (int step = 0; step < steps;) {
    run.clock.Advance(static_cast<int64_t>(run.random->Below(run.random->Below(10) == 0 ? 5'000 : 60)));
    std::vector<Event> events(1 + run.random->Below(run.random->Below(2) == 0 ? 10 : 500));
    Tally answered;
    for (Event& event : events) event = run.MakeEvent();
    for (Event& event : events) run.AskRedis(&event, &answered);
    for (Event& event : events) run.AskMemory(&event);
    REQUIRE(answered.WaitFor(static_cast<int64_t>(events.size())));
    for (const Event& event : events) run.Compare(event, step++);
    if (run.leases.size() > 200) run.leases.erase(run.leases.begin(), run.leases.begin() + 100);
  }
  CHECK(run.refused > steps / 20);
  CHECK(run.gave > steps / 200);
}

TEST_CASE("random steps on Redis are answered as the plain model has it") {
  RedisServer server;
  FakeClock clock;
  LimiterAgreesWithModel({[&](std::vector<LimitRule> rules) {
                            return OpenRedis(LimiterUrl(server), std::move(rules), {.decide_by = &clock});
                          },
                          [&](int64_t ms) { clock.Advance(ms); }},
                         7, RandomSteps(5'000));
}

TEST_CASE(
    "a rule above 32 that is asked to be exact is: never one too many in any window, never one too few") {
  RedisServer server;
  FakeClock clock;
  auto random = SeededRandom(5);
  const LimitRule rule = RuleOf("log", "100/10s");
  auto limiter = OpenRedis(LimiterUrl(server, "exactUpTo=100"), {rule, RuleOf("gcra", "101/10s")},
                           {.decide_by = &clock});
  std::deque<int64_t> taken;
  int64_t now = 0, refused = 0;
  for (int step = 0; step < 1'000; ++step) {
    const auto ms = static_cast<int64_t>(random->Below(random->Below(20) == 0 ? 12'000 : 150));
    clock.Advance(ms);
    now += ms;
    while (!taken.empty() && taken.front() + rule.window_ms <= now) taken.pop_front();
    if (random->Below(20) == 0) {
      const auto back = static_cast<int64_t>(random->Below(10));
      RefundOne(*limiter, "log", "key", back);
      for (int64_t i = 0; i < back && !taken.empty(); ++i) taken.pop_front();
      continue;
    }
    const auto cost = static_cast<int64_t>(random->Below(random->Below(10) == 0 ? 101 : 4));
    const auto live = static_cast<int64_t>(taken.size());
    const LimitDecision decision = CheckOne(*limiter, "log", "key", cost);
    const bool allowed = live + cost <= rule.limit;
    REQUIRE(decision.allowed == allowed);
    if (allowed) taken.insert(taken.end(), static_cast<size_t>(cost), now);
    refused += !allowed;
    REQUIRE(decision.remaining == rule.limit - static_cast<int64_t>(taken.size()));
    REQUIRE(decision.reset_after_ms == (taken.empty() ? 0 : taken.back() + rule.window_ms - now));
    if (!allowed)
      REQUIRE(decision.retry_after_ms ==
              taken[static_cast<size_t>(live + cost - rule.limit) - 1] + rule.window_ms - now);
  }
  CHECK(refused > 50);
  clock.Advance(20'000);
  const LimitLease lease = ReserveOne(*limiter, "log", "key", 60).lease;
  clock.Advance(10);
  CHECK(CheckOne(*limiter, "log", "key", 40).allowed);
  CHECK(RefundLease(*limiter, lease));
  CHECK(!RefundLease(*limiter, lease));
  CHECK(CheckOne(*limiter, "log", "key", 0).remaining == 60);
  CHECK(CheckOne(*limiter, "log", "key", 61).retry_after_ms == 10'000);
}

}  // namespace
}  // namespace mediagen
