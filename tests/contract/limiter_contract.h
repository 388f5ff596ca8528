// What every Limiter does, wherever it keeps its keys. Call LimiterContract inside a TEST_CASE, once for each
// backend.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "contract/limiter_random.h"
#include "contract/limiter_support.h"

namespace mediagen {

// One step of a table: after `pass_ms`, a check of `cost`, and all that must be answered.
struct LimitRow {
  int64_t pass_ms, cost;
  bool allowed;
  int64_t remaining, reset_after_ms, retry_after_ms;
};

inline void CheckRows(const LimiterBackend& backend, std::string_view rule_text,
                      const std::vector<LimitRow>& rows) {
  LimitRule rule = RuleOf("rule", rule_text);
  auto limiter = backend.open({rule});
  for (size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    backend.pass(rows[i].pass_ms);
    LimitDecision decision = CheckOne(*limiter, "rule", "key", rows[i].cost);
    CHECK(decision.allowed == rows[i].allowed);
    CHECK(decision.remaining == rows[i].remaining);
    CHECK(decision.reset_after_ms == rows[i].reset_after_ms);
    CHECK(decision.retry_after_ms == rows[i].retry_after_ms);
    CHECK(decision.rule == "rule");
    CHECK(decision.limit == rule.limit);
    CHECK(decision.window_ms == rule.window_ms);
  }
}

inline void LimiterTables(const LimiterBackend& backend) {
  SUBCASE("GCRA, 60/min: one more each second, sixty at once") {
    CheckRows(backend, "60/min",
              {{0, 0, true, 60, 0, 0},
               {0, 1, true, 59, 1'000, 0},
               {0, 9, true, 50, 10'000, 0},
               {0, 50, true, 0, 60'000, 0},
               {0, 0, true, 0, 60'000, 0},
               {0, 1, false, 0, 60'000, 1'000},
               {999, 1, false, 0, 59'001, 1},
               {1, 1, true, 0, 60'000, 0},
               {500, 3, false, 0, 59'500, 2'500},
               {2'500, 4, false, 3, 57'000, 1'000},
               {0, 3, true, 0, 60'000, 0},
               {60'000, 60, true, 0, 60'000, 0},
               {3'600'000, 0, true, 60, 0, 0}});
  }
  SUBCASE("GCRA, 3000/h: an interval of 1.2 s") {
    CheckRows(backend, "3000/h",
              {{0, 3000, true, 0, 3'600'000, 0},
               {1'199, 1, false, 0, 3'598'801, 1},
               {1, 1, true, 0, 3'600'000, 0},
               {1'800'000, 1501, false, 1500, 1'800'000, 1'200},
               {0, 1500, true, 0, 3'600'000, 0}});
  }
  SUBCASE("GCRA, 7000/s: the interval of 142.86 µs is rounded up to 143, and times to whole ms") {
    CheckRows(backend, "7000/s",
              {{0, 7, true, 6993, 2, 0},
               {1, 0, true, 6999, 1, 0},
               {0, 6999, true, 0, 1'001, 0},
               {0, 6, false, 0, 1'001, 1}});
  }
  SUBCASE("exact window, 5/min: each of the five counts for a minute from its own moment") {
    CheckRows(backend, "5/min",
              {{0, 0, true, 5, 0, 0},
               {0, 1, true, 4, 60'000, 0},
               {10'000, 2, true, 2, 60'000, 0},
               {10'000, 2, true, 0, 60'000, 0},
               {10'000, 1, false, 0, 50'000, 30'000},
               {0, 2, false, 0, 50'000, 40'000},
               {0, 5, false, 0, 50'000, 50'000},
               {29'999, 1, false, 0, 20'001, 1},
               {1, 1, true, 0, 60'000, 0},
               {0, 0, true, 0, 60'000, 0},
               {10'000, 3, false, 2, 50'000, 10'000},
               {10'000, 4, true, 0, 60'000, 0},
               {60'000, 5, true, 0, 60'000, 0}});
  }
  SUBCASE("exact window, 3/31d: used for longer than 32 bits hold ms") {
    constexpr int64_t kDay = 86'400'000, kWindow = 31 * kDay;
    CheckRows(backend, "3/31d",
              {{0, 1, true, 2, kWindow, 0},
               {12 * kDay, 1, true, 1, kWindow, 0},
               {12 * kDay, 1, true, 0, kWindow, 0},
               {6 * kDay, 1, false, 0, 25 * kDay, kDay},
               {kDay, 1, true, 0, kWindow, 0},
               {12 * kDay, 1, true, 0, kWindow, 0},
               {12 * kDay, 1, true, 0, kWindow, 0},
               {0, 1, false, 0, kWindow, 7 * kDay},
               {7 * kDay - 1, 1, false, 0, 24 * kDay + 1, 1},
               {1, 1, true, 0, kWindow, 0},
               {100 * kDay, 0, true, 3, 0, 0}});
  }
  SUBCASE("exact window, one in a day") {
    CheckRows(
        backend, "1/d",
        {{0, 1, true, 0, 86'400'000, 0}, {86'399'999, 1, false, 0, 1, 1}, {1, 1, true, 0, 86'400'000, 0}});
  }
}

// A refused check is allowed after exactly retry_after_ms, and not a ms sooner.
inline void LimiterRetryIsExact(const LimiterBackend& backend, uint64_t seed, int rounds) {
  auto random = SeededRandom(seed);
  const std::vector<LimitRule> rules = {RuleOf("gcra", "100/10s"), RuleOf("fast", "7000/s"),
                                        RuleOf("exact", "8/min")};
  auto limiter = backend.open(rules);
  for (int round = 0; round < rounds; ++round) {
    const LimitRule& rule = rules[random->Below(rules.size())];
    const auto cost = 1 + static_cast<int64_t>(random->Below(static_cast<uint64_t>(rule.limit)));
    LimitDecision decision = CheckOne(*limiter, rule.name, "key", cost);
    if (decision.allowed) continue;
    REQUIRE(decision.retry_after_ms > 0);
    backend.pass(decision.retry_after_ms - 1);
    REQUIRE(!CheckOne(*limiter, rule.name, "key", cost).allowed);
    backend.pass(1);
    REQUIRE(CheckOne(*limiter, rule.name, "key", cost).allowed);
  }
}

inline void LimiterSteps(const LimiterBackend& backend) {
  auto limiter = backend.open({RuleOf("minute", "3/min"), RuleOf("hour", "100/h"), RuleOf("day", "200/d")});
  auto check = [&](std::vector<LimitCheck> checks) { return limiter->Check(checks); };

  SUBCASE("what one rule refuses, none charges, in whatever order they stand") {
    CHECK(CheckOne(*limiter, "minute", "ann", 3).allowed);
    for (auto checks :
         {std::vector<LimitCheck>{{"hour", "ann", 5}, {"minute", "ann", 1}, {"day", "ann", 5}},
          std::vector<LimitCheck>{{"minute", "ann", 1}, {"hour", "ann", 5}, {"day", "ann", 5}}}) {
      auto decision = check(checks);
      REQUIRE(decision.ok());
      CHECK(!decision->allowed);
      CHECK(decision->rule == "minute");
      CHECK(decision->retry_after_ms == 60'000);
    }
    CHECK(CheckOne(*limiter, "hour", "ann", 0).remaining == 100);
    CHECK(CheckOne(*limiter, "day", "ann", 0).remaining == 200);
  }
  SUBCASE("what all allow, all charge, and the one with the least left is reported") {
    auto decision = check({{"hour", "ann", 98}, {"minute", "ann", 1}, {"day", "ann", 2}});
    REQUIRE(decision.ok());
    CHECK(decision->allowed);
    CHECK(decision->rule == "hour");
    CHECK(decision->remaining == 2);
    CHECK(CheckOne(*limiter, "hour", "ann", 0).remaining == 2);
    CHECK(CheckOne(*limiter, "minute", "ann", 0).remaining == 2);
    CHECK(CheckOne(*limiter, "day", "ann", 0).remaining == 198);
  }
  SUBCASE("of those that refuse, the one with the longest retry is reported") {
    CHECK(check({{"minute", "ann", 3}, {"hour", "ann", 100}, {"day", "ann", 200}})->allowed);
    CHECK(check({{"minute", "ann", 1}, {"day", "ann", 1}, {"hour", "ann", 1}})->rule == "day");
    CHECK(check({{"minute", "ann", 1}, {"hour", "ann", 1}})->rule == "minute");
  }
  SUBCASE("checks of one rule and key in one step are added up; keys and rules are apart") {
    CHECK(!check({{"minute", "ann", 1},
                  {"hour", "ann", 1},
                  {"minute", "ann", 1},
                  {"minute", "bob", 3},
                  {"minute", "ann", 1}})
               ->retry_after_ms);
    CHECK(CheckOne(*limiter, "minute", "ann", 0).remaining == 0);
    CHECK(CheckOne(*limiter, "minute", "bob", 0).remaining == 0);
    CHECK(CheckOne(*limiter, "minute", "", 0).remaining == 3);
    CHECK(CheckOne(*limiter, "hour", "bob", 0).remaining == 100);
    CHECK(CodeOf(check({{"minute", "eve", 2}, {"minute", "eve", 2}}).status()) == Code::kInvalid);
    CHECK(CheckOne(*limiter, "minute", "eve", 0).remaining == 3);
  }
  SUBCASE("no checks are allowed") {
    auto decision = check({});
    REQUIRE(decision.ok());
    CHECK(decision->allowed);
    CHECK(decision->rule.empty());
  }
  SUBCASE("an error charges nothing and says what is wrong") {
    auto unknown = check({{"minute", "ann", 1}, {"second", "ann", 1}}).status();
    CHECK(CodeOf(unknown) == Code::kNotFound);
    CHECK(InfoOf(unknown).message.find("second") != std::string::npos);
    auto above = check({{"minute", "ann", 1}, {"hour", "ann", 101}}).status();
    CHECK(CodeOf(above) == Code::kInvalid);
    CHECK(InfoOf(above).message.find("100") != std::string::npos);
    CHECK(CodeOfCheck(*limiter, "hour", "ann", INT64_MAX) == Code::kInvalid);
    CHECK(CodeOfCheck(*limiter, "hour", "ann", -1) == Code::kInvalid);
    CHECK(CodeOfCheck(*limiter, "hour", "ann", INT64_MIN) == Code::kInvalid);
    CHECK(CodeOf(check(std::vector<LimitCheck>(kMostLimitChecks + 1, {"day", "ann", 1})).status()) ==
          Code::kInvalid);
    CHECK(check(std::vector<LimitCheck>(kMostLimitChecks, {"day", "ann", 1}))->remaining ==
          200 - static_cast<int64_t>(kMostLimitChecks));
    CHECK(CheckOne(*limiter, "minute", "ann", 0).remaining == 3);
    CHECK(CheckOne(*limiter, "hour", "ann", 0).remaining == 100);
  }
  SUBCASE("a refund gives back, never above the limit") {
    CHECK(check({{"minute", "ann", 3}, {"hour", "ann", 100}})->allowed);
    std::vector<LimitCheck> back = {{"minute", "ann", 1}, {"hour", "ann", 40}};
    CHECK(limiter->Refund(back).ok());
    CHECK(CheckOne(*limiter, "minute", "ann", 0).remaining == 1);
    CHECK(CheckOne(*limiter, "hour", "ann", 0).remaining == 40);
    for (int i = 0; i < 5; ++i) CHECK(limiter->Refund(back).ok());
    CHECK(CheckOne(*limiter, "minute", "ann", 0).remaining == 3);
    CHECK(CheckOne(*limiter, "minute", "ann", 0).reset_after_ms == 0);
    CHECK(CheckOne(*limiter, "hour", "ann", 0).remaining == 100);
    RefundOne(*limiter, "hour", "never seen", 7);
    CHECK(CheckOne(*limiter, "hour", "never seen", 0).remaining == 100);
    RefundOne(*limiter, "hour", "ann", 0);
  }
  SUBCASE("a refund is checked like a check") {
    std::vector<LimitCheck> unknown = {{"second", "ann", 1}}, above = {{"minute", "ann", 4}},
                            below = {{"minute", "ann", -1}};
    CHECK(CodeOf(limiter->Refund(unknown)) == Code::kNotFound);
    CHECK(CodeOf(limiter->Refund(above)) == Code::kInvalid);
    CHECK(CodeOf(limiter->Refund(below)) == Code::kInvalid);
  }
  SUBCASE("an exact window gives back its oldest unit, so those kept count as long as any could") {
    CHECK(CheckOne(*limiter, "minute", "ann").allowed);
    backend.pass(50'000);
    CHECK(CheckOne(*limiter, "minute", "ann", 2).allowed);
    RefundOne(*limiter, "minute", "ann");
    backend.pass(10'000);
    CHECK(CheckOne(*limiter, "minute", "ann", 0).remaining == 1);
    backend.pass(50'000);
    CHECK(CheckOne(*limiter, "minute", "ann", 0).remaining == 3);
  }
  SUBCASE("any bytes are a key") {
    const std::string many(10'000, '\xff');
    CHECK(CheckOne(*limiter, "minute", many, 3).allowed);
    CHECK(!CheckOne(*limiter, "minute", many).allowed);
    CHECK(CheckOne(*limiter, "minute", std::string_view("a\0b", 3), 3).allowed);
    CHECK(CheckOne(*limiter, "minute", std::string_view("a\0c", 3), 3).allowed);
    CHECK(CheckOne(*limiter, "minute", "a", 3).allowed);
  }
}

inline LimitReservation ReserveOne(Limiter& limiter, std::string_view rule, std::string_view key,
                                   int64_t cost = 1) {
  LimitCheck check{rule, key, cost};
  auto reservation = limiter.Reserve({&check, 1});
  REQUIRE_MESSAGE(reservation.ok(), reservation.status().ToString());
  return *std::move(reservation);
}

inline bool RefundLease(Limiter& limiter, const LimitLease& lease) {
  auto refunded = limiter.RefundLease(lease);
  REQUIRE_MESSAGE(refunded.ok(), refunded.status().ToString());
  return *refunded;
}

inline void LimiterLeases(const LimiterBackend& backend) {
  auto limiter = backend.open({RuleOf("minute", "3/min"), RuleOf("gcra", "60/min"), RuleOf("day", "200/d")});
  auto left = [&](std::string_view rule, std::string_view key = "ann") {
    return CheckOne(*limiter, rule, key, 0).remaining;
  };

  SUBCASE("a reservation decides as a check does, and its lease gives back what it took, once") {
    std::vector<LimitCheck> checks = {{"minute", "ann", 2}, {"gcra", "ann", 5}, {"day", "bob", 7}};
    auto reserved = limiter->Reserve(checks);
    REQUIRE(reserved.ok());
    CHECK(reserved->decision.allowed);
    CHECK(reserved->decision.rule == "minute");
    CHECK(reserved->decision.remaining == 1);
    CHECK(reserved->lease.parts.size() == 3);
    CHECK(left("minute") == 1);
    CHECK(left("gcra") == 55);
    CHECK(left("day", "bob") == 193);
    CHECK(RefundLease(*limiter, reserved->lease));
    for (int again = 0; again < 2; ++again) {
      CHECK(left("minute") == 3);
      CHECK(left("gcra") == 60);
      CHECK(left("day", "bob") == 200);
      CHECK(CheckOne(*limiter, "minute", "ann", 1).allowed);
      CHECK_FALSE(RefundLease(*limiter, reserved->lease));
      CHECK(left("minute") == 2);
      RefundOne(*limiter, "minute", "ann");
    }
  }
  SUBCASE("what is refused takes nothing and leases nothing; a look leases nothing") {
    CHECK(CheckOne(*limiter, "minute", "ann", 3).allowed);
    std::vector<LimitCheck> checks = {{"gcra", "ann", 5}, {"minute", "ann", 1}};
    auto reserved = limiter->Reserve(checks);
    REQUIRE(reserved.ok());
    CHECK_FALSE(reserved->decision.allowed);
    CHECK(reserved->lease.parts.empty());
    CHECK_FALSE(RefundLease(*limiter, reserved->lease));
    CHECK(left("gcra") == 60);
    CHECK(ReserveOne(*limiter, "gcra", "ann", 0).lease.parts.empty());
    LimitCheck unknown{"second", "ann", 1};
    CHECK(CodeOf(limiter->Reserve({&unknown, 1}).status()) == Code::kNotFound);
  }
  SUBCASE("an exact window gives back the very units of the lease, not the oldest") {
    CHECK(CheckOne(*limiter, "minute", "ann").allowed);
    backend.pass(20'000);
    const LimitLease lease = ReserveOne(*limiter, "minute", "ann").lease;
    backend.pass(20'000);
    CHECK(CheckOne(*limiter, "minute", "ann").allowed);
    CHECK(RefundLease(*limiter, lease));
    LimitDecision now = CheckOne(*limiter, "minute", "ann", 0);
    CHECK(now.remaining == 1);
    CHECK(now.reset_after_ms == 60'000);
    CHECK(CheckOne(*limiter, "minute", "ann", 2).retry_after_ms == 20'000);  // the oldest still counts
  }
  SUBCASE("giving back the newest units of an exact window makes it whole when the others are") {
    CHECK(CheckOne(*limiter, "minute", "ann").allowed);
    backend.pass(20'000);
    CHECK(RefundLease(*limiter, ReserveOne(*limiter, "minute", "ann", 2).lease));
    LimitDecision now = CheckOne(*limiter, "minute", "ann", 0);
    CHECK(now.remaining == 2);
    CHECK(now.reset_after_ms == 40'000);
    backend.pass(39'999);
    CHECK(left("minute") == 2);
    backend.pass(1);
    CHECK(left("minute") == 3);
  }
  SUBCASE("of GCRA only the time that is left of the charge comes back") {
    const LimitLease lease = ReserveOne(*limiter, "gcra", "ann", 10).lease;  // until 10 s from now
    backend.pass(4'000);
    CHECK(CheckOne(*limiter, "gcra", "ann", 20).remaining == 34);
    CHECK(RefundLease(*limiter, lease));
    LimitDecision now = CheckOne(*limiter, "gcra", "ann", 0);
    CHECK(now.remaining == 40);
    CHECK(now.reset_after_ms == 20'000);
  }
  SUBCASE("what has run out is not taken from others") {
    const LimitLease exact = ReserveOne(*limiter, "minute", "ann", 2).lease;
    const LimitLease gcra = ReserveOne(*limiter, "gcra", "ann", 10).lease;
    backend.pass(9'999);
    CHECK(CheckOne(*limiter, "minute", "ann").allowed);
    backend.pass(1);
    CHECK(CheckOne(*limiter, "gcra", "ann", 30).allowed);
    CHECK_FALSE(RefundLease(*limiter, gcra));
    CHECK(left("gcra") == 30);
    backend.pass(50'000);
    CHECK_FALSE(RefundLease(*limiter, exact));
    CHECK(left("minute") == 2);
  }
  SUBCASE("a lease of several rules gives back those parts that still count") {
    std::vector<LimitCheck> checks = {{"minute", "ann", 2}, {"gcra", "ann", 10}};
    auto reserved = limiter->Reserve(checks);
    REQUIRE(reserved.ok());
    backend.pass(10'000);
    CHECK(CheckOne(*limiter, "gcra", "ann", 30).allowed);
    CHECK(RefundLease(*limiter, reserved->lease));
    CHECK(left("minute") == 3);
    CHECK(left("gcra") == 30);
  }
  SUBCASE("a lease comes back from its text; another limiter's and nonsense give nothing back") {
    const LimitLease lease = ReserveOne(*limiter, "minute", "ann", 2).lease;
    auto read = LimitLease::Parse(lease.Encode());
    REQUIRE_MESSAGE(read.ok(), read.status().ToString());
    CHECK(*read == lease);
    LimitLease bad = lease;
    bad.origin ^= 1;
    CHECK_FALSE(RefundLease(*limiter, bad));
    bad = lease;
    bad.parts[0].rule = "gone";
    CHECK_FALSE(RefundLease(*limiter, bad));
    bad = lease;
    bad.parts[0].cost = INT64_MAX;
    CHECK_FALSE(RefundLease(*limiter, bad));
    CHECK(left("minute") == 1);
    CHECK(RefundLease(*limiter, *read));
    CHECK(left("minute") == 3);
  }
  SUBCASE("the forms with an answer answer as the others do") {
    if (limiter->remote()) return;  // its answers come from another thread: see its own tests
    int answers = 0;
    std::vector<LimitCheck> checks = {{"minute", "ann", 2}};
    limiter->CheckAsync(checks, [&](StatusOr<LimitDecision> decision) {
      ++answers;
      REQUIRE(decision.ok());
      CHECK(decision->remaining == 1);
    });
    limiter->RefundAsync(checks, [&](Status status) {
      ++answers;
      CHECK(status.ok());
    });
    LimitLease lease;
    limiter->ReserveAsync(checks, [&](StatusOr<LimitReservation> reservation) {
      ++answers;
      REQUIRE(reservation.ok());
      lease = reservation->lease;
    });
    CHECK(left("minute") == 1);
    limiter->RefundLeaseAsync(lease, [&](StatusOr<bool> refunded) {
      ++answers;
      CHECK(refunded.value_or(false));
    });
    CHECK(answers == 4);
    CHECK(left("minute") == 3);
  }
}

// `model_steps`: how long the random comparison is (a backend behind a socket may do with fewer).
inline void LimiterContract(const LimiterBackend& backend, int model_steps) {
  SUBCASE("tables") { LimiterTables(backend); }
  SUBCASE("several rules in one step") { LimiterSteps(backend); }
  SUBCASE("leases") { LimiterLeases(backend); }
  SUBCASE("random steps are answered as the plain model has it") {
    for (uint64_t seed : {1, 2}) LimiterAgreesWithModel(backend, seed, model_steps / 2);
  }
  SUBCASE("the retry time is exact") { LimiterRetryIsExact(backend, 3, model_steps / 50); }
}

}  // namespace mediagen
