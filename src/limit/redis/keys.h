// What the limiter's rules and keys are called in Redis, and how each rule is decided there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "limit/redis/script.h"
#include "limit/step.h"

namespace mediagen::limit {

// Immutable, so thread-safe.
class RedisKeys {
 public:
  RedisKeys(const RuleSet& rules, const std::string& prefix, int64_t exact_up_to);

  // What stands behind the rule in a key's name: the key itself, or its hash when it is long.
  static std::string Suffix(std::string_view key);
  // "{mediagen}:limit:minute:ann"
  std::string Name(uint32_t rule, std::string_view suffix) const {
    return heads_[rule] + std::string(suffix);
  }
  std::string SettledName(uint64_t lease) const;
  // All but the key's name, which the caller sets.
  ScriptCharge Charge(const LimitRule& rule, int64_t cost) const;
  bool has_logs() const { return has_logs_; }
  // Who shares these keys: the same for the same prefix.
  uint64_t origin() const { return origin_; }

 private:
  Form FormOf(const LimitRule& rule) const;

  const std::string tag_;
  const int64_t exact_up_to_;
  const uint64_t origin_;
  std::vector<std::string> heads_;  // by rule
  bool has_logs_ = false;
};

}  // namespace mediagen::limit
