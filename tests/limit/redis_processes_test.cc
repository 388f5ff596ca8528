// Eight processes on one key never admit one too many, whichever way the rule is decided.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limit/redis_support.h"

namespace mediagen {
namespace {

using testing::LimiterUrl;
using testing::OpenRedis;
using testing::RedisServer;

constexpr int kProcesses = 8, kChecks = 200;

struct Admitted {
  int64_t allowed = 0, refused = 0;
};

// Of `wide` one comes back after four minutes: none in a test.
std::vector<LimitRule> Rules(const LimitRule& rule) { return {rule, RuleOf("wide", "10000/31d")}; }

// One child: waits until the gate is closed, checks as fast as it can, half of it without waiting, and
// reports.
[[noreturn]] void Hammer(const std::string& url, const LimitRule& rule, int gate, int report) {
  alarm(300);
  Admitted admitted;
  {
    auto limiter = NewRedisLimiter(SystemClock(), url, Rules(rule));
    if (!limiter.ok()) _exit(1);
    char byte;
    (void)!read(gate, &byte, 1);  // until the parent closes it
    const LimitCheck checks[] = {{"wide", "key", 1}, {rule.name, "key", 1}};
    testing::Tally allowed, refused;
    auto count = [&](const StatusOr<LimitDecision>& decision) {
      if (decision.ok() && !decision->degraded) (decision->allowed ? allowed : refused).Add();
    };
    for (int i = 0; i < kChecks / 2; ++i) {
      (*limiter)->CheckAsync(checks, count);
      count((*limiter)->Check(checks));
    }
    limiter->reset();  // answers all
    admitted = {allowed.count(), refused.count()};
  }
  (void)!write(report, &admitted, sizeof admitted);
  _exit(0);
}

void NeverOneTooMany(const std::string& rule_text, const std::string& query) {
  RedisServer server;
  const LimitRule rule = RuleOf("r", rule_text);
  int gate[2], report[2];
  REQUIRE(pipe2(gate, O_CLOEXEC) == 0);
  REQUIRE(pipe2(report, O_CLOEXEC) == 0);
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      close(gate[1]);
      Hammer(LimiterUrl(server, query), rule, gate[0], report[1]);
    }
    children.push_back(child);
  }
  close(gate[0]);
  close(report[1]);
  close(gate[1]);
  Admitted sum, one;
  int reports = 0;
  for (; read(report[0], &one, sizeof one) == sizeof one; ++reports) {
    sum.allowed += one.allowed;
    sum.refused += one.refused;
  }
  close(report[0]);
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  CHECK(reports == kProcesses);
  CHECK(sum.allowed == rule.limit);
  CHECK(sum.allowed + sum.refused == kProcesses * kChecks);
  auto limiter = OpenRedis(LimiterUrl(server, query), Rules(rule));
  CHECK(CheckOne(*limiter, "r", "key", 0).remaining == 0);
  CHECK(CheckOne(*limiter, "wide", "key", 0).remaining == 10'000 - rule.limit);  // refused steps took nothing
}

TEST_CASE("eight processes on one key: GCRA") { NeverOneTooMany("500/31d", ""); }
TEST_CASE("eight processes on one key: an exact window") { NeverOneTooMany("32/h", ""); }
TEST_CASE("eight processes on one key: a log") { NeverOneTooMany("300/h", "exactUpTo=300"); }

}  // namespace
}  // namespace mediagen
