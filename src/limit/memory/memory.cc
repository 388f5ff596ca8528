#include "limit/memory/memory.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "fmt/format.h"
#include "limit/memory/stripe.h"

namespace mediagen {
namespace {

using limit::Charge;
using limit::Standing;
using limit::Stripe;

constexpr size_t kStripes = 16;
constexpr size_t kStripedFrom = 1 << 16;  // below it, one part: a small bound should be exact

// The charges of one step, in the order of their stripes.
struct Step {
  std::array<Charge, kMostLimitChecks> charges;
  size_t count = 0;
  std::span<Charge> all() { return {charges.data(), count}; }
};

class MemoryLimiter final : public Limiter {
 public:
  MemoryLimiter(Clock* clock, std::vector<LimitRule> rules, size_t max_keys, uint64_t seed)
      : clock_(clock), rules_(std::move(rules)), seed_(seed) {
    for (uint32_t i = 0; i < rules_.size(); ++i) by_name_[rules_[i].name] = i;
    const size_t count = max_keys < kStripedFrom ? 1 : kStripes;
    for (size_t i = 0; i < count; ++i) stripes_.push_back(std::make_unique<Stripe>(rules_, max_keys / count));
  }

  StatusOr<LimitDecision> Check(std::span<const LimitCheck> checks) override;
  Status Refund(std::span<const LimitCheck> checks) override;

 private:
  // Holds the locks of all stripes that a step touches, taken by index.
  class Locks {
   public:
    Locks(MemoryLimiter& limiter, std::span<const Charge> charges) : limiter_(limiter) {
      for (const Charge& charge : charges) held_ |= 1u << limiter.StripeOf(charge);
      for (uint32_t left = held_; left != 0; left &= left - 1) Mutex(left).lock();
    }
    ~Locks() {
      for (uint32_t left = held_; left != 0; left &= left - 1) Mutex(left).unlock();
    }
    Locks(const Locks&) = delete;
    Locks& operator=(const Locks&) = delete;

   private:
    std::mutex& Mutex(uint32_t left) {
      return limiter_.stripes_[static_cast<size_t>(std::countr_zero(left))]->mutex();
    }
    MemoryLimiter& limiter_;
    uint32_t held_ = 0;
  };

  size_t StripeOf(const Charge& charge) const { return charge.hash % stripes_.size(); }
  Stripe& StripeFor(const Charge& charge) { return *stripes_[StripeOf(charge)]; }
  Status Resolve(std::span<const LimitCheck> checks, Step* step) const;
  Status CheckCost(const LimitRule& rule, int64_t cost) const;
  LimitDecision Decide(std::span<const Charge> charges, int64_t now_ms);
  Status Reserve(std::span<const Charge> charges, int64_t now_ms);

  Clock* const clock_;
  const std::vector<LimitRule> rules_;
  const uint64_t seed_;
  StringMap<uint32_t> by_name_;
  std::vector<std::unique_ptr<Stripe>> stripes_;
};

Status MemoryLimiter::CheckCost(const LimitRule& rule, int64_t cost) const {
  if (cost >= 0 && cost <= rule.limit) return OkStatus();
  return Error(Code::kInvalid,
               fmt::format("Rate limit \"{}\" can never allow a cost of {}: its limit is {} in {} ms.",
                           rule.name, cost, rule.limit, rule.window_ms),
               {.hint = "Ask for 0 to the limit.", .object = rule.name});
}

// Looks up the rules, hashes the keys, adds up the checks of the same rule and key, and sorts by stripe.
Status MemoryLimiter::Resolve(std::span<const LimitCheck> checks, Step* step) const {
  if (checks.size() > kMostLimitChecks) {
    return Error(Code::kInvalid, fmt::format("{} rate limits in one step are more than {}.", checks.size(),
                                             kMostLimitChecks));
  }
  for (const LimitCheck& check : checks) {
    auto rule = by_name_.find(check.rule);
    if (rule == by_name_.end()) {
      return Error(Code::kNotFound, fmt::format("There is no rate limit \"{}\".", Shorten(check.rule, 60)),
                   {.object = Shorten(check.rule, 60)});
    }
    RETURN_IF_ERROR(CheckCost(rules_[rule->second], check.cost));
    const Charge charge{rule->second, Xxh3(check.key, seed_), check.cost};
    auto same = std::find_if(step->all().begin(), step->all().end(), [&](const Charge& other) {
      return other.rule == charge.rule && other.hash == charge.hash;
    });
    if (same == step->all().end()) {
      step->charges[step->count++] = charge;
      continue;
    }
    same->cost += charge.cost;
    RETURN_IF_ERROR(CheckCost(rules_[rule->second], same->cost));
  }
  std::sort(step->all().begin(), step->all().end(),
            [this](const Charge& a, const Charge& b) { return StripeOf(a) < StripeOf(b); });
  return OkStatus();
}

StatusOr<LimitDecision> MemoryLimiter::Check(std::span<const LimitCheck> checks) {
  Step step;
  RETURN_IF_ERROR(Resolve(checks, &step));
  Locks locks(*this, step.all());
  const int64_t now_ms = clock_->MonotonicMs();  // under the locks: a key's time never goes back
  LimitDecision decision = Decide(step.all(), now_ms);
  if (!decision.allowed) return decision;
  RETURN_IF_ERROR(Reserve(step.all(), now_ms));
  for (const Charge& charge : step.all()) StripeFor(charge).Apply(charge, now_ms);
  return decision;
}

// What all of them together are told: the tightest (see LimitDecision).
LimitDecision MemoryLimiter::Decide(std::span<const Charge> charges, int64_t now_ms) {
  auto tighter = [](const Standing& a, const Standing& b) {
    if (a.allowed != b.allowed) return !a.allowed;
    if (a.retry_after_ms != b.retry_after_ms) return a.retry_after_ms > b.retry_after_ms;
    if (a.remaining != b.remaining) return a.remaining < b.remaining;
    return a.reset_after_ms > b.reset_after_ms;
  };
  LimitDecision decision;
  Standing tightest;
  const LimitRule* rule = nullptr;
  for (const Charge& charge : charges) {
    Standing standing = StripeFor(charge).Decide(charge, now_ms);
    if (rule && !tighter(standing, tightest)) continue;
    tightest = standing;
    rule = &rules_[charge.rule];
  }
  if (!rule) return decision;
  return {tightest.allowed,       rule->name,      rule->limit,
          tightest.remaining,     rule->window_ms, tightest.reset_after_ms,
          tightest.retry_after_ms};
}

// Room for every new key of the step, in every stripe, before anything is charged.
Status MemoryLimiter::Reserve(std::span<const Charge> charges, int64_t now_ms) {
  while (!charges.empty()) {
    size_t same = 1;
    while (same < charges.size() && StripeOf(charges[same]) == StripeOf(charges[0])) ++same;
    Stripe& stripe = StripeFor(charges[0]);
    if (!stripe.Reserve(charges.first(same), now_ms)) {
      return Error(Code::kOverloaded, "The rate limiter's table is full of keys that are limited now.",
                   {.hint = "Raise its bound of keys, or shorten the windows.",
                    .retry_after_ms = stripe.RoomAfterMs(now_ms)});
    }
    charges = charges.subspan(same);
  }
  return OkStatus();
}

Status MemoryLimiter::Refund(std::span<const LimitCheck> checks) {
  Step step;
  RETURN_IF_ERROR(Resolve(checks, &step));
  Locks locks(*this, step.all());
  const int64_t now_ms = clock_->MonotonicMs();
  for (const Charge& charge : step.all()) StripeFor(charge).Refund(charge, now_ms);
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Limiter>> NewMemoryLimiter(Clock* clock, std::vector<LimitRule> rules,
                                                    size_t max_keys, Random* random) {
  if (max_keys == 0)
    return Error(Code::kInvalid, "A rate limiter with room for no key could allow nothing.",
                 {.hint = "Give max_keys."});
  for (size_t i = 0; i < rules.size(); ++i) {
    RETURN_IF_ERROR(CheckLimitRule(rules[i]));
    for (size_t j = 0; j < i; ++j) {
      if (rules[j].name == rules[i].name) {
        return Error(Code::kInvalid, fmt::format("Two rate limits have the name \"{}\".", rules[i].name),
                     {.object = rules[i].name});
      }
    }
  }
  return std::make_unique<MemoryLimiter>(clock, std::move(rules), max_keys,
                                         (random ? random : SystemRandom())->Next());
}

}  // namespace mediagen
