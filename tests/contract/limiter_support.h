// What the tests of every limiter share.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "limit/limiter.h"

namespace mediagen {

struct LimiterBackend {
  std::function<std::unique_ptr<Limiter>(std::vector<LimitRule> rules)>
      open;                              // a limiter that has seen no key
  std::function<void(int64_t ms)> pass;  // lets exactly this time go by for it
};

inline LimitDecision CheckOne(Limiter& limiter, std::string_view rule, std::string_view key,
                              int64_t cost = 1) {
  LimitCheck check{rule, key, cost};
  auto decision = limiter.Check({&check, 1});
  REQUIRE_MESSAGE(decision.ok(), decision.status().ToString());
  return *decision;
}

inline Code CodeOfCheck(Limiter& limiter, std::string_view rule, std::string_view key, int64_t cost) {
  LimitCheck check{rule, key, cost};
  return CodeOf(limiter.Check({&check, 1}).status());
}

inline void RefundOne(Limiter& limiter, std::string_view rule, std::string_view key, int64_t cost = 1) {
  LimitCheck check{rule, key, cost};
  REQUIRE(limiter.Refund({&check, 1}).ok());
}

inline LimitRule RuleOf(std::string_view name, std::string_view text) {
  auto rule = ParseLimitRule(name, text);
  REQUIRE_MESSAGE(rule.ok(), rule.status().ToString());
  return *rule;
}

}  // namespace mediagen
