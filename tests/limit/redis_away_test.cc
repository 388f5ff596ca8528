// The limiter on Redis when Redis is killed, restarted, frozen or flushed under load: the fail mode that was
// chosen holds, nothing hangs, and Redis decides again by itself.
#include <doctest/doctest.h>

#include <thread>

#include "limit/redis_support.h"

namespace mediagen {
namespace {

using testing::LimiterUrl;
using testing::OpenRedis;
using testing::RedisProbe;
using testing::RedisServer;
using testing::Tally;

// Threads that check without pause, and what they were told.
class Load {
 public:
  Load(Limiter* limiter, std::string rule) {
    for (int t = 0; t < 4; ++t) {
      threads_.emplace_back([this, limiter, rule] {
        const LimitCheck check{rule, "key", 1};
        while (!stop_) Tell(limiter->Check({&check, 1}));
      });
    }
  }
  ~Load() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  Tally by_redis, degraded_allowed, degraded_refused, unavailable, otherwise;

 private:
  void Tell(const StatusOr<LimitDecision>& decision) {
    if (!decision.ok())
      (CodeOf(decision.status()) == Code::kUnavailable && InfoOf(decision.status()).retry_after_ms > 0
           ? unavailable
           : otherwise)
          .Add();
    else
      (!decision->degraded ? by_redis : decision->allowed ? degraded_allowed : degraded_refused).Add();
  }

  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;  // last: they use all of the above
};

// Kills Redis under load, waits until the mode has shown itself, starts it again and waits until it decides.
void KillAndRestart(const std::string& mode, const std::function<void(Load&, Limiter&)>& while_away) {
  RedisServer server;
  auto limiter = OpenRedis(server.url("?onFailure=" + mode), {RuleOf("r", "50/d")});
  Load load(limiter.get(), "r");
  for (int round = 0; round < 2; ++round) {
    REQUIRE(load.by_redis.WaitForMore(100));
    server.Kill();
    while_away(load, *limiter);
    server.Start();
    const auto started = std::chrono::steady_clock::now();
    REQUIRE(load.by_redis.WaitForMore(1));
    MESSAGE("onFailure=" << mode << ": Redis decides again "
                         << std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::steady_clock::now() - started)
                                .count()
                         << " ms after its restart");
  }
  CHECK(load.otherwise.count() == 0);
}

TEST_CASE("onFailure=closed: refused with a time while Redis is away, and decided by it after its restart") {
  KillAndRestart("closed", [](Load& load, Limiter&) { REQUIRE(load.unavailable.WaitForMore(1'000)); });
}

TEST_CASE("onFailure=open: allowed and marked while Redis is away") {
  KillAndRestart("open", [](Load& load, Limiter& limiter) {
    REQUIRE(load.degraded_allowed.WaitForMore(1'000));
    CHECK(load.unavailable.count() == 0);
    LimitCheck check{"r", "key", 1};
    const LimitReservation reservation = limiter.Reserve({&check, 1}).value();
    CHECK(reservation.decision.degraded);
    CHECK(reservation.lease.parts.empty());
    CHECK(CodeOf(limiter.Refund({&check, 1})) == Code::kUnavailable);
    LimitCheck unknown{"unknown", "key", 1};
    CHECK(CodeOf(limiter.Check({&unknown, 1}).status()) == Code::kNotFound);  // no mode allows that
  });
}

TEST_CASE("onFailure=local: the limiter in memory keeps the rule while Redis is away") {
  int64_t allowed = 0;
  KillAndRestart("local", [&](Load& load, Limiter& limiter) {
    REQUIRE(load.degraded_refused.WaitForMore(1'000));
    CHECK(load.degraded_allowed.count() == 50);
    CHECK(load.unavailable.count() == 0);
    allowed = load.degraded_allowed.count();
    LimitCheck other{"r", "other", 2};
    const LimitReservation reservation = limiter.Reserve({&other, 1}).value();
    CHECK(reservation.decision.degraded);
    CHECK(reservation.lease.parts.size() == 1);
    CHECK(limiter.RefundLease(reservation.lease).value());
    CHECK(!limiter.RefundLease(reservation.lease).value());
    CHECK(limiter.Stats().degraded > 1'000);
  });
  CHECK(allowed == 50);
}

TEST_CASE("a Redis that hangs: each check ends by the mode in its time, then at once, and it comes back") {
  RedisServer server;
  auto limiter = OpenRedis(server.url("?onFailure=closed&timeoutMs=50"), {RuleOf("r", "100000/d")});
  Load load(limiter.get(), "r");
  REQUIRE(load.by_redis.WaitForMore(100));
  server.Freeze();
  REQUIRE(load.unavailable.WaitForMore(1'000));  // four threads, 50 ms each: in vain without a breaker
  server.Thaw();
  REQUIRE(load.by_redis.WaitForMore(100));
  CHECK(load.otherwise.count() == 0);
  CHECK(limiter->Stats().failures >= 1'000);
}

TEST_CASE("nothing ever listened: the first check ends by the mode, in its time") {
  for (bool threaded : {true, false}) {
    auto limiter =
        OpenRedis("redis://127.0.0.1:1?onFailure=open", {RuleOf("r", "1/d")}, {.threaded = threaded});
    for (int i = 0; i < 50; ++i) CHECK(CheckOne(*limiter, "r", "k").degraded);
  }
}

TEST_CASE("SCRIPT FLUSH under load: no decision is lost, none is made twice") {
  RedisServer server;
  FakeClock clock;  // stands still: nothing comes back by itself
  auto limiter = OpenRedis(LimiterUrl(server), {RuleOf("r", "100000000/d")}, {.decide_by = &clock});
  RedisProbe probe(server);
  {
    Load load(limiter.get(), "r");
    for (int i = 0; i < 30; ++i) {
      REQUIRE(load.by_redis.WaitForMore(50));
      probe.Ask({"SCRIPT", "FLUSH"});
    }
    REQUIRE(load.by_redis.WaitForMore(50));
    CHECK(load.otherwise.count() + load.unavailable.count() == 0);
  }
  const auto checks = static_cast<int64_t>(limiter->Stats().allowed);
  CHECK(checks >= 1'550);
  CHECK(CheckOne(*limiter, "r", "key", 0).remaining == 100'000'000 - checks);
}

}  // namespace
}  // namespace mediagen
