// Random steps, answered as the plain model has it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "contract/limiter_model.h"
#include "contract/limiter_support.h"

namespace mediagen {

// How many steps a test takes; ./run test --full takes a million.
inline int RandomSteps(int otherwise) {
  const char* said = std::getenv("MEDIAGEN_LIMIT_STEPS");
  return said == nullptr ? otherwise : std::atoi(said);
}

inline std::string Said(const LimiterModel::Answer& answer) {
  return (answer.allowed ? "allowed by " : "refused by ") + answer.rule + " of " +
         std::to_string(answer.limit) + ", remaining " + std::to_string(answer.remaining) + ", reset " +
         std::to_string(answer.reset_after_ms) + ", retry " + std::to_string(answer.retry_after_ms);
}

inline std::string Said(const LimitDecision& decision) {
  return Said(LimiterModel::Answer{decision.allowed, std::string(decision.rule), decision.limit,
                                   decision.remaining, decision.reset_after_ms, decision.retry_after_ms});
}

// Every answer of random steps against the plain model: one rule to three at once, refunds and leases.
inline void LimiterAgreesWithModel(const LimiterBackend& backend, uint64_t seed, int steps) {
  auto random = SeededRandom(seed);
  const std::vector<LimitRule> rules = {RuleOf("one", "1/s"),        RuleOf("few", "5/min"),
                                        RuleOf("some", "17/10s"),    RuleOf("most", "32/2s"),
                                        RuleOf("gcra", "100/10s"),   RuleOf("odd", "333/7s"),
                                        RuleOf("fast", "7000/s"),    RuleOf("hour", "3000/h"),
                                        RuleOf("month", "1000/31d"), RuleOf("tight", "33/s")};
  auto limiter = backend.open(rules);
  LimiterModel model(rules);
  std::deque<std::pair<LimitLease, LimiterModel::Lease>> leases;
  int refused = 0, given_back = 0;
  for (int step = 0; step < steps; ++step) {
    if (random->Below(3) == 0) {
      const auto ms = static_cast<int64_t>(random->Below(random->Below(20) == 0 ? 40'000 : 400));
      backend.pass(ms);
      model.Pass(ms);
    }
    const uint64_t kind = random->Below(20);
    if (kind == 0 && !leases.empty()) {
      auto& [lease, modelled] = leases[random->Below(leases.size())];
      auto refunded = limiter->RefundLease(lease);
      REQUIRE_MESSAGE(refunded.ok(), refunded.status().ToString());
      const bool expected = model.RefundLease(&modelled);
      if (*refunded != expected)
        FAIL("step " << step << " of seed " << seed << ": the lease was " << (expected ? "not " : "")
                     << "refunded");
      given_back += expected;
      continue;
    }
    std::vector<LimiterModel::Check> checks;
    for (uint64_t left = 1 + random->Below(3); left > 0; --left) {
      const size_t rule = random->Below(rules.size());
      const int64_t most =
          random->Below(4) == 0 ? rules[rule].limit / 3 : std::max<int64_t>(1, rules[rule].limit / 40);
      const auto cost = static_cast<int64_t>(random->Below(static_cast<uint64_t>(most) + 2));
      // So that three of one rule and key are within its limit.
      checks.push_back(
          {rule, "key" + std::to_string(random->Below(4)), std::min(cost, rules[rule].limit / 3)});
      if (rules[rule].limit < 3) checks.back().cost = left == 1 ? 1 : 0;
    }
    std::vector<LimitCheck> asked;
    for (const auto& check : checks) asked.push_back({rules[check.rule].name, check.key, check.cost});
    if (kind == 1) {
      REQUIRE(limiter->Refund(asked).ok());
      model.Refund(checks);
      continue;
    }
    LimitReservation got;
    LimiterModel::Lease modelled;
    if (kind < 5) {
      auto reserved = limiter->Reserve(asked);
      REQUIRE_MESSAGE(reserved.ok(), reserved.status().ToString());
      got = *std::move(reserved);
    } else {
      auto decision = limiter->Check(asked);
      REQUIRE_MESSAGE(decision.ok(), decision.status().ToString());
      got.decision = *decision;
    }
    const LimiterModel::Answer expected = model.Decide(checks, &modelled);
    if (Said(got.decision) != Said(expected))
      FAIL("step " << step << " of seed " << seed << ": " << Said(got.decision)
                   << "; the model: " << Said(expected));
    refused += !expected.allowed;
    if (!got.lease.parts.empty()) leases.emplace_back(std::move(got.lease), std::move(modelled));
    if (leases.size() > 50) leases.pop_front();
  }
  CHECK(refused > steps / 100);
  CHECK(given_back > steps / 200);
}

}  // namespace mediagen
