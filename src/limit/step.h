// What every backend of the limiter does with the checks of one step before and after it decides them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "limit/formula.h"

namespace mediagen::limit {

// One check with its rule looked up, and those of the same rule and key added.
struct Charge {
  uint32_t rule;
  uint64_t hash;  // of the key: its identity within a step
  int64_t cost;
  std::string_view key;
};

// The charges of one step.
struct Step {
  Step() {}
  void Add(const Charge& charge) { std::construct_at(&charges[count++], charge); }
  std::span<Charge> all() { return {charges, count}; }

  union {  // so that only those below `count` are ever set: setting 64 would take longer than a check
    Charge charges[kMostLimitChecks];
  };
  size_t count = 0;
};

// The rules of one limiter, by place and by name. Immutable once made, so thread-safe.
class RuleSet {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  // kInvalid: a bad rule (CheckLimitRule), or two of one name.
  static StatusOr<RuleSet> Make(std::vector<LimitRule> rules);

  size_t size() const { return rules_.size(); }
  const LimitRule& operator[](uint32_t rule) const { return rules_[rule]; }
  const std::vector<LimitRule>& all() const { return rules_; }
  uint32_t Find(std::string_view name) const;
  int64_t LimitOf(std::string_view name) const {
    const uint32_t rule = Find(name);
    return rule == kNone ? 0 : rules_[rule].limit;
  }

  // What Resolve does with each check, for a step of one.
  Status ResolveOne(const LimitCheck& check, uint64_t seed, Charge* charge) const;
  // Looks up the rules, hashes the keys with `seed`, and adds up the checks of the same rule and key. Errors
  // as Limiter::Check has them.
  Status Resolve(std::span<const LimitCheck> checks, uint64_t seed, Step* step) const;
  // kInvalid when the rule could never allow `cost`.
  Status CheckCost(uint32_t rule, int64_t cost) const;

 private:
  std::vector<LimitRule> rules_;
  std::vector<uint32_t> places_;  // open addressing by NameHash; kNone is free
};

// Finds the tightest of the rules that one step asks (see LimitDecision).
class Tightest {
 public:
  void Add(const LimitRule& rule, const Standing& standing) {
    if (rule_ && !Tighter(standing, standing_)) return;
    standing_ = standing;
    rule_ = &rule;
  }
  LimitDecision decision() const {
    if (!rule_) return {};
    return {.allowed = standing_.allowed,
            .rule = rule_->name,
            .limit = rule_->limit,
            .remaining = standing_.remaining,
            .window_ms = rule_->window_ms,
            .reset_after_ms = standing_.reset_after_ms,
            .retry_after_ms = standing_.retry_after_ms};
  }

 private:
  static bool Tighter(const Standing& a, const Standing& b) {
    if (a.allowed != b.allowed) return !a.allowed;
    if (a.retry_after_ms != b.retry_after_ms) return a.retry_after_ms > b.retry_after_ms;
    if (a.remaining != b.remaining) return a.remaining < b.remaining;
    return a.reset_after_ms > b.reset_after_ms;
  }

  Standing standing_;
  const LimitRule* rule_ = nullptr;
};

}  // namespace mediagen::limit
