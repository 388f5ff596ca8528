#include "limit/step.h"

#include <bit>
#include <utility>

#include "base/text.h"
#include "fmt/format.h"

namespace mediagen::limit {

StatusOr<RuleSet> RuleSet::Make(std::vector<LimitRule> rules) {
  RuleSet set;
  set.places_.resize(std::bit_ceil(rules.size() * 4 + 1));
  set.mask_ = set.places_.size() - 1;
  set.rules_ = std::move(rules);
  for (uint32_t i = 0; i < set.rules_.size(); ++i) {
    const LimitRule& rule = set.rules_[i];
    RETURN_IF_ERROR(CheckLimitRule(rule));
    if (set.Find(rule.name) != kNone) {
      return Error(Code::kInvalid, fmt::format("Two rate limits have the name \"{}\".", rule.name),
                   {.object = rule.name});
    }
    const Name name(rule.name);
    size_t place = name.Hash() & set.mask_;
    while (set.places_[place].rule != kNone) place = (place + 1) & set.mask_;
    set.places_[place] = {name, i};
  }
  return set;
}

Status RuleSet::BadCost(uint32_t index, int64_t cost) const {
  const LimitRule& rule = rules_[index];
  return Error(Code::kInvalid,
               fmt::format("Rate limit \"{}\" can never allow a cost of {}: its limit is {} in {} ms.",
                           rule.name, cost, rule.limit, rule.window_ms),
               {.hint = "Ask for 0 to the limit.", .object = rule.name});
}

Status RuleSet::Unknown(std::string_view name) {
  return Error(Code::kNotFound, fmt::format("There is no rate limit \"{}\".", Shorten(name, 60)),
               {.object = Shorten(name, 60)});
}

Status RuleSet::Resolve(std::span<const LimitCheck> checks, uint64_t seed, Step* step) const {
  if (checks.size() > kMostLimitChecks) {
    return Error(Code::kInvalid, fmt::format("{} rate limits in one step are more than {}.", checks.size(),
                                             kMostLimitChecks));
  }
  for (const LimitCheck& check : checks) {
    Charge& charge = step->charges[step->count];
    RETURN_IF_ERROR(ResolveOne(check, seed, &charge));
    size_t same = 0;
    while (!step->charges[same].SameKey(charge)) ++same;
    if (same == step->count) {
      ++step->count;
      continue;
    }
    step->charges[same].cost += charge.cost;
    RETURN_IF_ERROR(CheckCost(charge.rule, step->charges[same].cost));
  }
  return OkStatus();
}

}  // namespace mediagen::limit
