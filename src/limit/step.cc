#include "limit/step.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "fmt/format.h"

#define XXH_INLINE_ALL  // a key is hashed for each check, and to call the library takes as long as the hash
#include <xxhash.h>

namespace mediagen::limit {
namespace {

template <typename Word>
uint64_t Load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Both ends of a name and its length: names are the configuration's, so nobody builds collisions, and they
// only cost a probe.
uint64_t NameHash(std::string_view name) {
  const char* p = name.data();
  const size_t n = name.size();
  uint64_t ends = n;
  if (n >= 8) {
    ends += Load<uint64_t>(p) ^ std::rotl(Load<uint64_t>(p + n - 8), 29);
  } else if (n >= 4) {
    ends += Load<uint32_t>(p) << 32 ^ Load<uint32_t>(p + n - 4);
  } else if (n > 0) {
    ends += Load<uint8_t>(p) << 40 ^ Load<uint8_t>(p + n / 2) << 24 ^ Load<uint8_t>(p + n - 1) << 8;
  }
  return (ends * 0x9E3779B97F4A7C15u) >> 32;
}

}  // namespace

StatusOr<RuleSet> RuleSet::Make(std::vector<LimitRule> rules) {
  RuleSet set;
  set.places_.assign(std::bit_ceil(rules.size() * 4 + 1), kNone);
  for (uint32_t i = 0; i < rules.size(); ++i) {
    RETURN_IF_ERROR(CheckLimitRule(rules[i]));
    size_t place = NameHash(rules[i].name) & (set.places_.size() - 1);
    while (set.places_[place] != kNone) {
      if (rules[set.places_[place]].name == rules[i].name) {
        return Error(Code::kInvalid, fmt::format("Two rate limits have the name \"{}\".", rules[i].name),
                     {.object = rules[i].name});
      }
      place = (place + 1) & (set.places_.size() - 1);
    }
    set.places_[place] = i;
  }
  set.rules_ = std::move(rules);
  return set;
}

uint32_t RuleSet::Find(std::string_view name) const {
  const size_t mask = places_.size() - 1;
  for (size_t place = NameHash(name) & mask;; place = (place + 1) & mask) {
    const uint32_t rule = places_[place];
    if (rule == kNone || rules_[rule].name == name) return rule;
  }
}

Status RuleSet::CheckCost(uint32_t index, int64_t cost) const {
  const LimitRule& rule = rules_[index];
  if (cost >= 0 && cost <= rule.limit) return OkStatus();
  return Error(Code::kInvalid,
               fmt::format("Rate limit \"{}\" can never allow a cost of {}: its limit is {} in {} ms.",
                           rule.name, cost, rule.limit, rule.window_ms),
               {.hint = "Ask for 0 to the limit.", .object = rule.name});
}

Status RuleSet::ResolveOne(const LimitCheck& check, uint64_t seed, Charge* charge) const {
  const uint32_t rule = Find(check.rule);
  if (rule == kNone) {
    return Error(Code::kNotFound, fmt::format("There is no rate limit \"{}\".", Shorten(check.rule, 60)),
                 {.object = Shorten(check.rule, 60)});
  }
  RETURN_IF_ERROR(CheckCost(rule, check.cost));
  *charge = {rule, XXH3_64bits_withSeed(check.key.data(), check.key.size(), seed), check.cost, check.key};
  return OkStatus();
}

Status RuleSet::Resolve(std::span<const LimitCheck> checks, uint64_t seed, Step* step) const {
  if (checks.size() > kMostLimitChecks) {
    return Error(Code::kInvalid, fmt::format("{} rate limits in one step are more than {}.", checks.size(),
                                             kMostLimitChecks));
  }
  for (const LimitCheck& check : checks) {
    Charge charge;
    RETURN_IF_ERROR(ResolveOne(check, seed, &charge));
    auto same = std::find_if(step->all().begin(), step->all().end(), [&](const Charge& other) {
      return other.rule == charge.rule && other.hash == charge.hash;
    });
    if (same == step->all().end()) {
      step->Add(charge);
      continue;
    }
    same->cost += charge.cost;
    RETURN_IF_ERROR(CheckCost(charge.rule, same->cost));
  }
  return OkStatus();
}

}  // namespace mediagen::limit
