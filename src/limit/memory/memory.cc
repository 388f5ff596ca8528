#include "limit/memory/memory.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "limit/memory/stripe.h"

namespace mediagen {
namespace {

using limit::Charge;
using limit::RuleSet;
using limit::Step;
using limit::Stripe;

constexpr size_t kStripes = 16;
constexpr size_t kStripedFrom = 1 << 16;  // below it, one part: a small bound should be exact

class MemoryLimiter final : public Limiter {
 public:
  MemoryLimiter(Clock* clock, RuleSet rules, size_t max_keys, Random& random)
      : clock_(clock), rules_(std::move(rules)), seed_(random.Next()), origin_(random.Next()) {
    const size_t count = max_keys < kStripedFrom ? 1 : kStripes;
    for (size_t i = 0; i < count; ++i) {
      stripes_.push_back(std::make_unique<Stripe>(rules_.all(), max_keys / count));
    }
  }

  StatusOr<LimitDecision> Check(std::span<const LimitCheck> checks) override;
  Status Refund(std::span<const LimitCheck> checks) override;
  StatusOr<LimitReservation> Reserve(std::span<const LimitCheck> checks) override;
  StatusOr<bool> RefundLease(const LimitLease& lease) override;
  LimitStats Stats() const override;

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
  void SortByStripe(Step* step) const;
  bool ResolveLease(const LimitLease& lease, Step* step) const;
  // Decides and, when allowed, charges; `lease`, when not null, gets its parts.
  StatusOr<LimitDecision> Take(std::span<const LimitCheck> checks, LimitLease* lease);
  LimitDecision Decide(std::span<const Charge> charges, int64_t now_ms);
  Status MakeRoom(std::span<const Charge> charges, int64_t now_ms);

  Clock* const clock_;
  const RuleSet rules_;
  const uint64_t seed_;
  const uint64_t origin_;
  std::atomic<uint64_t> leases_ = 0;
  std::vector<std::unique_ptr<Stripe>> stripes_;
};

void MemoryLimiter::SortByStripe(Step* step) const {
  std::sort(step->all().begin(), step->all().end(),
            [this](const Charge& a, const Charge& b) { return StripeOf(a) < StripeOf(b); });
}

StatusOr<LimitDecision> MemoryLimiter::Take(std::span<const LimitCheck> checks, LimitLease* lease) {
  Step step;
  RETURN_IF_ERROR(rules_.Resolve(checks, seed_, &step));
  SortByStripe(&step);
  Locks locks(*this, step.all());
  const int64_t now_ms = clock_->MonotonicMs();  // under the locks: a key's time never goes back
  LimitDecision decision = Decide(step.all(), now_ms);
  if (!decision.allowed) return decision;
  RETURN_IF_ERROR(MakeRoom(step.all(), now_ms));
  for (const Charge& charge : step.all()) {
    const int64_t until_us = StripeFor(charge).Apply(charge, now_ms);
    if (lease == nullptr || charge.cost == 0) continue;
    std::string key(reinterpret_cast<const char*>(&charge.hash), sizeof charge.hash);
    lease->parts.push_back({rules_[charge.rule].name, std::move(key), charge.cost, until_us});
  }
  return decision;
}

StatusOr<LimitDecision> MemoryLimiter::Check(std::span<const LimitCheck> checks) {
  return Take(checks, nullptr);
}

StatusOr<LimitReservation> MemoryLimiter::Reserve(std::span<const LimitCheck> checks) {
  LimitReservation reservation{.lease = {.origin = origin_, .id = ++leases_}};
  ASSIGN_OR_RETURN(reservation.decision, Take(checks, &reservation.lease));
  return reservation;
}

LimitDecision MemoryLimiter::Decide(std::span<const Charge> charges, int64_t now_ms) {
  limit::Tightest tightest;
  for (const Charge& charge : charges) {
    tightest.Add(rules_[charge.rule], StripeFor(charge).Decide(charge, now_ms));
  }
  return tightest.decision();
}

// Room for every new key of the step, in every stripe, before anything is charged.
Status MemoryLimiter::MakeRoom(std::span<const Charge> charges, int64_t now_ms) {
  while (!charges.empty()) {
    size_t same = 1;
    while (same < charges.size() && StripeOf(charges[same]) == StripeOf(charges[0])) ++same;
    RETURN_IF_ERROR(StripeFor(charges[0]).Reserve(charges.first(same), now_ms));
    charges = charges.subspan(same);
  }
  return OkStatus();
}

Status MemoryLimiter::Refund(std::span<const LimitCheck> checks) {
  Step step;
  RETURN_IF_ERROR(rules_.Resolve(checks, seed_, &step));
  Locks locks(*this, step.all());
  const int64_t now_ms = clock_->MonotonicMs();
  for (const Charge& charge : step.all()) StripeFor(charge).Refund(charge, now_ms);
  return OkStatus();
}

// False when a part is none that this limiter wrote.
bool MemoryLimiter::ResolveLease(const LimitLease& lease, Step* step) const {
  if (lease.origin != origin_ || lease.parts.size() > kMostLimitChecks) return false;
  for (const LimitLease::Part& part : lease.parts) {
    Charge charge{rules_.Find(part.rule), 0, part.cost, {}};
    if (charge.rule == RuleSet::kNone || part.key.size() != sizeof charge.hash) return false;
    if (!rules_.CheckCost(charge.rule, part.cost).ok()) return false;
    std::memcpy(&charge.hash, part.key.data(), sizeof charge.hash);
    step->charges[step->count++] = charge;
  }
  return step->count > 0;
}

StatusOr<bool> MemoryLimiter::RefundLease(const LimitLease& lease) {
  Step step;
  if (!ResolveLease(lease, &step)) return false;
  int64_t until_us = 0;
  for (const LimitLease::Part& part : lease.parts) until_us = std::max(until_us, part.until_us);
  // That it was refunded is remembered in the part of its first key, whose lock is held for that.
  Locks locks(*this, step.all());
  const int64_t now_ms = clock_->MonotonicMs();
  if (until_us <= now_ms * 1000) return false;
  const uint64_t id = Xxh3({reinterpret_cast<const char*>(&lease.id), sizeof lease.id}, seed_);
  ASSIGN_OR_RETURN(const bool first, StripeFor(step.charges[0]).Settle(id, until_us, now_ms));
  if (!first) return false;
  for (size_t i = 0; i < step.count; ++i) {
    StripeFor(step.charges[i]).RefundLease(step.charges[i], lease.parts[i].until_us, now_ms);
  }
  return true;
}

LimitStats MemoryLimiter::Stats() const { return {}; }

}  // namespace

StatusOr<std::unique_ptr<Limiter>> NewMemoryLimiter(Clock* clock, std::vector<LimitRule> rules,
                                                    size_t max_keys, Random* random) {
  if (max_keys == 0)
    return Error(Code::kInvalid, "A rate limiter with room for no key could allow nothing.",
                 {.hint = "Give max_keys."});
  ASSIGN_OR_RETURN(RuleSet set, RuleSet::Make(std::move(rules)));
  return std::make_unique<MemoryLimiter>(clock, std::move(set), max_keys, random ? *random : *SystemRandom());
}

}  // namespace mediagen
