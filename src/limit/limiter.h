// A Limiter decides whether something may happen now, by rule and key.
//
// Thread-safe. GCRA (ITU-T I.371; the virtual scheduling form), and the exact timestamp window where the limit is small (<= 32): never more than
// N in any window. Several rules are decided in one atomic step: a request that one rule refuses is charged by none.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace mediagen {

struct LimitRule {
  std::string name;
  int64_t limit = 0;       // this many …
  int64_t window_ms = 0;   // … in any window of this length
};

// "5/min" → {name, 5, 60000}; units s, min, h, d, or a number of seconds ("100/10s"). kInvalid otherwise.
StatusOr<LimitRule> ParseLimitRule(std::string_view name, std::string_view text);

struct LimitCheck {
  std::string_view rule;
  std::string_view key;
  int64_t cost = 1;  // >= 0
};

struct LimitDecision {
  bool allowed = true;
  std::string rule;             // the tightest one
  int64_t limit = 0;
  int64_t remaining = 0;        // after this check
  int64_t window_ms = 0;
  int64_t reset_after_ms = 0;   // until the full limit is there again
  int64_t retry_after_ms = 0;   // when refused: until the same check would be allowed
};

class Limiter {
 public:
  virtual ~Limiter() = default;
  // kNotFound: no such rule. kInvalid: a cost that the rule could never allow (the message says the limit). A refusal is not an error.
  virtual StatusOr<LimitDecision> Check(std::span<const LimitCheck> checks) = 0;
  // Gives back what an allowed check took. Best effort: never above the limit.
  virtual Status Refund(std::span<const LimitCheck> checks) = 0;
};

}  // namespace mediagen
