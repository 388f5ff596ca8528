// What every backend of the limiter does with the checks of one step before and after it decides them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#define XXH_INLINE_ALL  // a key is hashed for each check, and to call the library takes as long as the hash
#include <xxhash.h>

#include "limit/formula.h"

namespace mediagen::limit {

// One check with its rule looked up, and those of the same rule and key added.
struct Charge {
  uint32_t rule;
  uint64_t hash;  // of the key: its identity within a step
  int64_t cost;
  std::string_view key;

  bool SameKey(const Charge& other) const { return hash == other.hash && rule == other.rule; }
};

// The charges of one step, written in their places and never copied: see Describe.
struct Step {
  Step() {}
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
  uint32_t Find(std::string_view text) const {
    const Name name(text);
    for (size_t place = name.Hash() & mask_;; place = (place + 1) & mask_) {
      const Place& found = places_[place];
      if (found.rule == kNone) return kNone;
      // Of 16 bytes and less the ends are all there is.
      if (found.name == name && (text.size() <= 16 || rules_[found.rule].name == text)) return found.rule;
    }
  }
  int64_t LimitOf(std::string_view name) const {
    const uint32_t rule = Find(name);
    return rule == kNone ? 0 : rules_[rule].limit;
  }

  // What Resolve does with each check, for a step of one.
  Status ResolveOne(const LimitCheck& check, uint64_t seed, Charge* charge) const {
    const uint32_t rule = Find(check.rule);
    if (rule == kNone) return Unknown(check.rule);
    if (check.cost < 0 || check.cost > rules_[rule].limit) return BadCost(rule, check.cost);
    charge->rule = rule;
    charge->hash = XXH3_64bits_withSeed(check.key.data(), check.key.size(), seed);
    charge->cost = check.cost;
    charge->key = check.key;
    return OkStatus();
  }
  // Looks up the rules, hashes the keys with `seed`, and adds up the checks of the same rule and key. Errors
  // as Limiter::Check has them.
  Status Resolve(std::span<const LimitCheck> checks, uint64_t seed, Step* step) const;
  // kInvalid when the rule could never allow `cost`.
  Status CheckCost(uint32_t rule, int64_t cost) const {
    return cost >= 0 && cost <= rules_[rule].limit ? OkStatus() : BadCost(rule, cost);
  }

 private:
  // A name's length and both its ends: what it is told by. Names are the configuration's, so nobody builds
  // collisions, and they would only cost a probe.
  struct Name {
    Name() = default;
    explicit Name(std::string_view name) : size(name.size()) {
      const char* p = name.data();
      if (size >= 8) {
        head = Load<uint64_t>(p);
        tail = Load<uint64_t>(p + size - 8);
      } else if (size >= 4) {
        head = Load<uint32_t>(p);
        tail = Load<uint32_t>(p + size - 4);
      } else if (size > 0) {
        head = Load<uint8_t>(p) | Load<uint8_t>(p + size / 2) << 8;
        tail = Load<uint8_t>(p + size - 1);
      }
    }
    uint64_t Hash() const { return ((size + (head ^ std::rotl(tail, 29))) * 0x9E3779B97F4A7C15u) >> 32; }
    bool operator==(const Name&) const = default;

    uint64_t head = 0, tail = 0;
    size_t size = 0;

   private:
    template <typename Word>
    static uint64_t Load(const char* from) {
      Word word;
      std::memcpy(&word, from, sizeof word);
      return word;
    }
  };
  struct Place {
    Name name;
    uint32_t rule = kNone;  // kNone: it is free
  };

  static Status Unknown(std::string_view name);
  Status BadCost(uint32_t rule, int64_t cost) const;

  std::vector<LimitRule> rules_;
  std::vector<Place> places_;  // open addressing by Name::Hash
  size_t mask_ = 0;            // of a place
};

// What `rule` says. Field by field into its place: a decision that is copied as a whole right after it was
// made stalls the processor (its loads are wider than the stores that they wait for), for a quarter of a
// check.
inline void Describe(const LimitRule& rule, const Standing& standing, LimitDecision* decision) {
  decision->allowed = standing.allowed;
  decision->rule = rule.name;
  decision->limit = rule.limit;
  decision->remaining = standing.remaining;
  decision->window_ms = rule.window_ms;
  decision->reset_after_ms = standing.reset_after_ms;
  decision->retry_after_ms = standing.retry_after_ms;
}

inline bool Tighter(const Standing& a, const Standing& b) {
  if (a.allowed != b.allowed) return !a.allowed;
  if (a.retry_after_ms != b.retry_after_ms) return a.retry_after_ms > b.retry_after_ms;
  if (a.remaining != b.remaining) return a.remaining < b.remaining;
  return a.reset_after_ms > b.reset_after_ms;
}

// The tightest of the standings of one step (see LimitDecision).
class Tightest {
 public:
  Tightest(uint32_t rule, const Standing& standing) : rule_(rule), standing_(standing) {}

  void Add(uint32_t rule, const Standing& standing) {
    if (Tighter(standing, standing_)) *this = Tightest(rule, standing);
  }
  void Describe(const RuleSet& rules, LimitDecision* decision) const {
    limit::Describe(rules[rule_], standing_, decision);
  }

 private:
  uint32_t rule_;
  Standing standing_;
};

}  // namespace mediagen::limit
