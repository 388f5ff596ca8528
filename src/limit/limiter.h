// A Limiter decides whether something may happen now, by rule and key.
//
// Thread-safe. GCRA (ITU-T I.371; the virtual scheduling form), and the exact timestamp window where the
// limit is small
// (<= 32): never more than N in any window. Several rules are decided in one atomic step: a request that one
// rule refuses is charged by none. The formulas, which every backend shares, stand in formula.h.
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
  std::string name;       // not empty, no control characters
  int64_t limit = 0;      // this many …
  int64_t window_ms = 0;  // … in any window of this length: [t, t + window_ms)
};

// "5/min" → {name, 5, 60000}; units s, min, h, d, or a number of them ("100/10s"). kInvalid for any other
// text, spaces and zeros included, and for a rule that CheckLimitRule refuses.
StatusOr<LimitRule> ParseLimitRule(std::string_view name, std::string_view text);

// kInvalid, with the reason: a bad name, a limit or window below 1, a window of more than 31 days, more than
// one in a microsecond.
Status CheckLimitRule(const LimitRule& rule);

struct LimitCheck {
  std::string_view rule;
  std::string_view key;
  int64_t cost = 1;  // >= 0
};

// What was decided. It describes the tightest of the rules: of those that refuse, the one with the longest
// retry; else the one with the least remaining, and of equals the one that is whole last. Without checks:
// allowed, the rest empty.
struct LimitDecision {
  bool allowed = true;
  std::string rule;  // the tightest one
  int64_t limit = 0;
  int64_t remaining = 0;  // after this check
  int64_t window_ms = 0;
  int64_t reset_after_ms = 0;  // until the full limit is there again, if nothing more is taken
  int64_t retry_after_ms =
      0;  // when refused: until the same check would be allowed, if nothing more is taken
};

constexpr size_t kMostLimitChecks = 64;  // of one step

class Limiter {
 public:
  virtual ~Limiter() = default;
  // Decides and charges. A cost of 0 takes nothing and is always allowed: a look. Checks of the same rule and
  // key are added up. A refusal is not an error; an error charges nothing. kNotFound: no such rule. kInvalid:
  // a cost that the rule could never allow (the message says the limit), or below 0; more than
  // kMostLimitChecks. kOverloaded: no room for another key; the error says when there may be.
  virtual StatusOr<LimitDecision> Check(std::span<const LimitCheck> checks) = 0;
  // Gives back what an allowed check took. Best effort: never above the limit. Nothing says which charge is
  // meant: an exact window gives back its oldest ones, so that what is kept is counted for as long as any of
  // it could be. A refund that comes after the charge has run out of its window takes from others'. Errors as
  // for Check.
  virtual Status Refund(std::span<const LimitCheck> checks) = 0;
};

}  // namespace mediagen
