// The limiter on Redis: the contract of every limiter, and what only this one promises.
#include "limit/redis/redis.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "limit/redis_support.h"
#include "support/child.h"

namespace mediagen {
namespace {

using testing::LimiterUrl;
using testing::OpenRedis;
using testing::RedisProbe;
using testing::RedisServer;
using testing::Tally;

// One server for all of the contract's cases, which begin a test anew each: each limiter has a prefix of its
// own.
void KeepsContract(bool threaded, int model_steps) {
  static RedisServer server;
  static int opened = 0;
  FakeClock clock;
  LimiterContract({[&](std::vector<LimitRule> rules) {
                     return OpenRedis(LimiterUrl(server, fmt::format("prefix=p{}", opened++)),
                                      std::move(rules), {.threaded = threaded, .decide_by = &clock});
                   },
                   [&](int64_t ms) { clock.Advance(ms); }},
                  model_steps);
}

TEST_CASE("the Redis limiter keeps the contract of limiters") { KeepsContract(true, 1'000); }
TEST_CASE("the Redis limiter keeps it without a thread, too") { KeepsContract(false, 500); }

TEST_CASE(
    "what a URL says of the limiter is checked, the fail mode has to be said, nothing secret is repeated") {
  auto open = [](const std::string& url) {
    return NewRedisLimiter(SystemClock(), url, {RuleOf("r", "5/min")}).status();
  };
  CHECK(open("redis://h?onFailure=open").ok());
  CHECK(open("unix:/nowhere?onFailure=local&timeoutMs=1&prefix=a.b:c&exactUpTo=1000").ok());
  Status unsaid = open("redis://:hunter2@h");
  CHECK(CodeOf(unsaid) == Code::kInvalid);
  CHECK(InfoOf(unsaid).hint.find("onFailure=closed") != std::string::npos);
  for (const char* query :
       {"onFailure=maybe", "onFailure=open&onFailure=closed", "onFailure=open&timeoutMs=0",
        "onFailure=open&timeoutMs=60001", "onFailure=open&timeoutMs=5s",
        "onFailure=open&prefix=", "onFailure=open&prefix=a{b", "onFailure=open&prefix=a%20b",
        "onFailure=open&exactUpTo=31", "onFailure=open&exactUpTo=1001", "onFailure=open&onfailure=open"}) {
    CAPTURE(query);
    Status refused = open(std::string("redis://:hunter2@h?") + query);
    CHECK(CodeOf(refused) == Code::kInvalid);
    CHECK(refused.ToString().find("hunter2") == std::string::npos);
  }
  CHECK(CodeOf(open("rediss://h?onFailure=open")) == Code::kUnsupported);
  CHECK(CodeOf(NewRedisLimiter(SystemClock(), "redis://h?onFailure=open", {{"r", 0, 1}}).status()) ==
        Code::kInvalid);
}

TEST_CASE("all keys share one hash tag and expire when the limit is whole again") {
  RedisServer server;
  auto limiter = OpenRedis(LimiterUrl(server, "prefix=shop&exactUpTo=50"),
                           {RuleOf("few", "5/min"), RuleOf("many", "1000/h"), RuleOf("log", "50/h")});
  std::vector<LimitCheck> checks = {{"few", "ann", 2}, {"many", "ann", 500}, {"log", "ann", 7}};
  auto reserved = limiter->Reserve(checks);
  REQUIRE(reserved.ok());
  CHECK(
      limiter->RefundLease({reserved->lease.origin, reserved->lease.id, {reserved->lease.parts[0]}}).value());
  CHECK(limiter->Check(checks)->allowed);
  RedisProbe probe(server);
  std::set<std::string> names;
  for (const RedisReply& key : probe.Ask({"KEYS", "*"}).elements) {
    CAPTURE(key.text);
    names.insert(key.text);
    CHECK(key.text.substr(0, 7) == "{shop}:");
    const int64_t ms = probe.Ask({"PTTL", key.text}).integer;
    CHECK(ms > 0);
    CHECK(ms <= 3'600'000);
  }
  CHECK(names.size() == 4);
  CHECK(names.count("{shop}:limit:many:=ann") == 1);
  CHECK(names.count("{shop}:window:few:=ann") == 1);
  CHECK(names.count("{shop}:log:log:=ann") == 1);
  CHECK(probe.Ask({"ZCARD", "{shop}:log:log:=ann"}).integer == 14);
  RefundOne(*limiter, "many", "ann", 1'000);
  CHECK(probe.Ask({"EXISTS", "{shop}:limit:many:=ann"}).integer == 0);  // whole again: no key
}

TEST_CASE("what is refused, and what is only looked at, writes nothing") {
  RedisServer server;
  auto limiter = OpenRedis(LimiterUrl(server, "exactUpTo=40"),
                           {RuleOf("few", "1/h"), RuleOf("many", "1000/h"), RuleOf("log", "40/h")});
  CHECK(CheckOne(*limiter, "few", "ann").allowed);
  RedisProbe probe(server);
  probe.Ask({"CONFIG", "RESETSTAT"});
  std::vector<LimitCheck> checks = {{"many", "ann", 1}, {"log", "ann", 1}, {"few", "ann", 1}};
  CHECK(!limiter->Check(checks)->allowed);
  CHECK(CheckOne(*limiter, "many", "ann", 0).remaining == 1'000);
  CHECK(CheckOne(*limiter, "log", "ann", 0).remaining == 40);
  const std::string said = probe.Ask({"INFO", "commandstats"}).text;
  for (const char* write :
       {"cmdstat_set:", "cmdstat_zadd:", "cmdstat_del:", "cmdstat_pexpire:", "cmdstat_zremrangebyscore:"})
    CHECK(said.find(write) == std::string::npos);
  CHECK(said.find("cmdstat_mget:") != std::string::npos);
}

TEST_CASE("keys and rules of any text are apart from each other, long keys, too") {
  RedisServer server;
  auto limiter = OpenRedis(LimiterUrl(server), {RuleOf("a", "1/h"), RuleOf("a:b", "1/h"),
                                                RuleOf("a%3Ab", "1/h"), RuleOf("{x}", "1/h")});
  const std::string long_one(64, 'k'), longer = long_one + 'k', longest(100'000, 'k');
  const std::string binary("\0\r\n\xff", 4);
  for (const char* rule : {"a", "a:b", "a%3Ab", "{x}"}) {
    for (const std::string& key :
         {std::string("b:c"), std::string("c"), std::string("=c"), std::string("b:=c"), std::string(),
          long_one, longer, longest, longest + 'x', binary}) {
      CHECK(CheckOne(*limiter, rule, key).allowed);
      CHECK(!CheckOne(*limiter, rule, key).allowed);
    }
  }
  for (const RedisReply& key : RedisProbe(server).Ask({"KEYS", "*"}).elements) CHECK(key.text.size() < 120);
}

TEST_CASE("by the server's own time, and by microseconds") {
  RedisServer server;
  auto limiter = OpenRedis(LimiterUrl(server),
                           {RuleOf("exact", "5/h"), RuleOf("gcra", "100/h"), RuleOf("fast", "1000000/s")});
  for (int i = 0; i < 5; ++i) CHECK(CheckOne(*limiter, "exact", "k").remaining == 4 - i);
  LimitDecision refused = CheckOne(*limiter, "exact", "k");
  CHECK(!refused.allowed);
  CHECK(refused.retry_after_ms > 3'000'000);
  CHECK(refused.retry_after_ms <= 3'600'000);
  CHECK(CheckOne(*limiter, "gcra", "k", 100).remaining == 0);
  refused = CheckOne(*limiter, "gcra", "k", 2);
  CHECK(!refused.allowed);
  CHECK(refused.retry_after_ms <= 72'000);
  for (int i = 0; i < 20; ++i) CHECK(CheckOne(*limiter, "fast", "k", 900'000).rule == "fast");
}

TEST_CASE("thousands of checks under way from several threads are answered once each, and the limit holds") {
  RedisServer server;
  auto limiter = OpenRedis(LimiterUrl(server), {RuleOf("r", "1000/d"), RuleOf("wide", "20000/31d")});
  std::atomic<int> admitted = 0, failed = 0;
  Tally answered;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) {
        const std::string key = std::to_string(i % 7);
        const LimitCheck checks[] = {{"wide", key, 1}, {"r", "k", 1}};
        limiter->CheckAsync(checks, [&](StatusOr<LimitDecision> decision) {
          if (!decision.ok() || decision->degraded) ++failed;
          if (decision.ok() && decision->allowed) ++admitted;
          answered.Add();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered.WaitFor(4'000));
  CHECK(failed == 0);
  CHECK(admitted == 1'000);
  CHECK(limiter->Stats().allowed == 1'000);
  CHECK(limiter->Stats().refused == 3'000);
  int64_t wide = 0;
  for (int i = 0; i < 7; ++i) wide += 20'000 - CheckOne(*limiter, "wide", std::to_string(i), 0).remaining;
  CHECK(wide == 1'000);
}

TEST_CASE("a lease is given back by another limiter on the same keys, once, and by none on others") {
  RedisServer server;
  const std::vector<LimitRule> rules = {RuleOf("few", "5/h"), RuleOf("many", "100/h")};
  auto here = OpenRedis(LimiterUrl(server), rules), there = OpenRedis(LimiterUrl(server), rules);
  auto elsewhere = OpenRedis(LimiterUrl(server, "prefix=other"), rules);
  const std::string long_key(200, 'k');
  std::vector<LimitCheck> checks = {{"few", long_key, 2}, {"many", "ann", 30}};
  const LimitLease lease = here->Reserve(checks)->lease;
  CHECK(!elsewhere->RefundLease(lease).value());
  CHECK(there->RefundLease(*LimitLease::Parse(lease.Encode())).value());
  CHECK(!here->RefundLease(lease).value());
  CHECK(CheckOne(*here, "few", long_key, 0).remaining == 5);
  CHECK(CheckOne(*here, "many", "ann", 0).remaining == 100);
  LimitLease bad = lease;
  bad.id += 1;
  for (int64_t until_us : {int64_t{-1}, INT64_MIN, INT64_MAX, int64_t{1} << 53}) {
    bad.parts[0].until_us = until_us;
    CHECK(!here->RefundLease(bad).value());
  }
  bad = lease;
  bad.id += 1;
  bad.parts[0].key = std::string(1'000, 'x');
  CHECK(!here->RefundLease(bad).value());
}

TEST_CASE("a limiter that is closed answers what is under way first") {
  RedisServer server;
  auto limiter = OpenRedis(LimiterUrl(server), {RuleOf("r", "5/h")});
  CHECK(CheckOne(*limiter, "r", "k").allowed);
  server.Freeze();
  std::atomic<int> answered = 0;
  LimitCheck check{"r", "k", 1};
  for (int i = 0; i < 1'000; ++i) {
    limiter->CheckAsync({&check, 1}, [&](StatusOr<LimitDecision> decision) {
      answered += CodeOf(decision.status()) == Code::kUnavailable;
    });
  }
  limiter.reset();
  CHECK(answered == 1'000);
}

TEST_CASE("in a forked child the limiter refuses whatever its fail mode is") {
  RedisServer server;
  auto limiter = OpenRedis(LimiterUrl(server, "onFailure=open"), {RuleOf("r", "5/h")});
  CHECK(CheckOne(*limiter, "r", "k").allowed);
  CHECK(testing::ExitCodeOfChild([&] {
          if (CodeOfCheck(*limiter, "r", "k", 1) != Code::kForked) return 1;
          limiter.reset();
          return 0;
        }) == 0);
  CHECK(CheckOne(*limiter, "r", "k").remaining == 3);
}

}  // namespace
}  // namespace mediagen
