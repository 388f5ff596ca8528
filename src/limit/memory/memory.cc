#include "limit/memory/memory.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/hash.h"
#include "limit/memory/stripe.h"

namespace mediagen {
namespace {

using limit::Charge;
using limit::Formula;
using limit::RuleSet;
using limit::Step;
using limit::Stripe;
using limit::Verdict;

constexpr size_t kStripes = 64;           // a power of two, of which the lowest bits of a hash choose
constexpr size_t kStripedFrom = 1 << 16;  // below it, one part: a small bound should be exact

// One for each charge of a step; only those are ever set.
union Verdicts {
  Verdicts() {}
  Verdict all[kMostLimitChecks];
};
union Standings {
  Standings() {}
  limit::Standing all[kMostLimitChecks];
};

class MemoryLimiter final : public Limiter {
 public:
  MemoryLimiter(Clock* clock, RuleSet rules, size_t max_keys, Random& random)
      : rules_(std::move(rules)),
        formulas_(rules_.all().begin(), rules_.all().end()),
        opened_ms_(clock->MonotonicMs() - 1),
        seed_(random.Next()),
        origin_(random.Next()),
        stripe_mask_(max_keys < kStripedFrom ? 0 : kStripes - 1) {
    const size_t count = stripe_mask_ + 1;
    for (size_t i = 0; i < count; ++i) {
      stripes_.push_back(std::make_unique<Stripe>(std::span(formulas_), clock, max_keys / count));
    }
  }

  Status CheckInto(std::span<const LimitCheck> checks, LimitDecision* decision) override {
    return checks.size() == 1 ? TakeOne(checks[0], decision) : Take(checks, decision, nullptr);
  }
  Status Refund(std::span<const LimitCheck> checks) override;
  StatusOr<LimitReservation> Reserve(std::span<const LimitCheck> checks) override;
  StatusOr<bool> RefundLease(const LimitLease& lease) override;
  int64_t LimitOf(std::string_view rule) const override { return rules_.LimitOf(rule); }
  LimitStats Stats() const override;

 private:
  class Locks;

  size_t StripeOf(const Charge& charge) const { return charge.hash & stripe_mask_; }
  Stripe& StripeFor(const Charge& charge) { return *stripes_[StripeOf(charge)]; }
  // Those of `charges` (sorted by stripe) that belong to the stripe of the first.
  std::span<const Charge> OneStripe(std::span<const Charge> charges) const {
    size_t same = 1;
    while (same < charges.size() && StripeOf(charges[same]) == StripeOf(charges[0])) ++same;
    return charges.first(same);
  }
  void SortByStripe(std::span<Charge> charges) const;
  bool ResolveLease(const LimitLease& lease, std::vector<Charge>* charges) const;
  // Decides and, when allowed, charges; `lease`, when not null, gets its parts.
  Status Take(std::span<const LimitCheck> checks, LimitDecision* decision, LimitLease* lease);
  Status DecideAndApply(Step& step, int64_t now_ms, Verdict* verdicts, bool* allowed);
  void WriteLease(Step& step, const Verdict* verdicts, int64_t now_ms, LimitLease* lease) const;
  Status TakeOne(const LimitCheck& check, LimitDecision* decision);
  Status MakeRoom(std::span<const Charge> charges, int64_t now_ms);

  const RuleSet rules_;
  const std::vector<Formula> formulas_;
  const int64_t opened_ms_;  // times are counted from here, so that they fit 48 bits
  const uint64_t seed_;
  const uint64_t origin_;
  std::atomic<uint64_t> leases_ = 0;
  const size_t stripe_mask_;
  std::vector<std::unique_ptr<Stripe>> stripes_;
};

// Holds the locks of all stripes that a step touches (which is sorted by them), taken in their order.
class MemoryLimiter::Locks {
 public:
  Locks(MemoryLimiter& limiter, std::span<const Charge> charges) {
    const uint64_t counter = limit::Tick::Counter();
    for (const Charge& charge : charges) {
      Stripe* stripe = &limiter.StripeFor(charge);
      if (count_ > 0 && held_[count_ - 1] == stripe) continue;
      stripe->lock().lock();
      now_ms_ = std::max(now_ms_, stripe->tick().NowMs(counter));
      held_[count_++] = stripe;
    }
    for (size_t i = 0; count_ > 1 && i < count_; ++i) held_[i]->tick().AtLeast(now_ms_);
    now_ms_ -= limiter.opened_ms_;
  }
  ~Locks() {
    for (size_t i = 0; i < count_; ++i) held_[i]->lock().unlock();
  }
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

  // Never goes back for any key.
  int64_t now_ms() const { return now_ms_; }

 private:
  Stripe* held_[kMostLimitChecks];
  size_t count_ = 0;
  int64_t now_ms_ = 0;
};

// An insertion sort: mostly of one charge or two.
void MemoryLimiter::SortByStripe(std::span<Charge> charges) const {
  for (size_t i = 1; i < charges.size(); ++i) {
    for (size_t j = i; j > 0 && StripeOf(charges[j]) < StripeOf(charges[j - 1]); --j) {
      std::swap(charges[j], charges[j - 1]);
    }
  }
}

Status MemoryLimiter::Take(std::span<const LimitCheck> checks, LimitDecision* decision, LimitLease* lease) {
  Step step;
  RETURN_IF_ERROR(rules_.Resolve(checks, seed_, &step));
  if (step.count == 0) return OkStatus();
  SortByStripe(step.all());
  Verdicts verdicts;
  bool allowed = true;
  int64_t now_ms = 0;
  {
    const Locks locks(*this, step.all());
    now_ms = locks.now_ms();
    RETURN_IF_ERROR(DecideAndApply(step, now_ms, verdicts.all, &allowed));
  }
  Standings standings;
  for (size_t i = 0; i < step.count; ++i) {
    new (&standings.all[i]) limit::Standing(Tell(formulas_[step.charges[i].rule], verdicts.all[i], now_ms));
  }
  const size_t tightest = limit::TightestOf({standings.all, step.count});
  limit::Describe(rules_[step.charges[tightest].rule], standings.all[tightest], decision);
  if (lease != nullptr && allowed) WriteLease(step, verdicts.all, now_ms, lease);
  return OkStatus();
}

// With the locks of the step's stripes.
Status MemoryLimiter::DecideAndApply(Step& step, int64_t now_ms, Verdict* verdicts, bool* allowed) {
  bool fresh = false;
  for (size_t i = 0; i < step.count; ++i) {
    const Charge& charge = step.charges[i];
    StripeFor(charge).Decide(charge, now_ms, &verdicts[i]);
    *allowed &= verdicts[i].allowed;
    fresh |= verdicts[i].record == nullptr && charge.cost > 0;
  }
  Stripe& counted = StripeFor(step.charges[0]);
  ++(*allowed ? counted.allowed : counted.refused);
  if (!*allowed) return OkStatus();
  if (fresh) {
    RETURN_IF_ERROR(MakeRoom(step.all(), now_ms));
    for (size_t i = 0; i < step.count; ++i) {
      verdicts[i].record = StripeFor(step.charges[i]).Find(step.charges[i]);
    }
  }
  for (size_t i = 0; i < step.count; ++i) {
    StripeFor(step.charges[i]).Apply(step.charges[i], verdicts[i], now_ms);
  }
  return OkStatus();
}

void MemoryLimiter::WriteLease(Step& step, const Verdict* verdicts, int64_t now_ms, LimitLease* lease) const {
  for (size_t i = 0; i < step.count; ++i) {
    const Charge& charge = step.charges[i];
    if (charge.cost == 0) continue;
    const Formula& formula = formulas_[charge.rule];
    const int64_t until_us =
        formula.exact ? (now_ms + formula.window_ms) * 1000 : verdicts[i].turn.charged_us;
    std::string key(reinterpret_cast<const char*>(&charge.hash), sizeof charge.hash);
    lease->parts.push_back({rules_[charge.rule].name, std::move(key), charge.cost, until_us});
  }
}

// Take for one check without a lease, which most are: about half of its time.
Status MemoryLimiter::TakeOne(const LimitCheck& check, LimitDecision* decision) {
  Charge charge;
  RETURN_IF_ERROR(rules_.ResolveOne(check, seed_, &charge));
  Stripe& stripe = StripeFor(charge);
  Verdict verdict;
  int64_t now_ms = 0;
  const uint64_t counter = limit::Tick::Counter();
  {
    const std::lock_guard lock(stripe.lock());
    now_ms = stripe.tick().NowMs(counter) - opened_ms_;
    stripe.Decide(charge, now_ms, &verdict);
    ++(verdict.allowed ? stripe.allowed : stripe.refused);
    if (verdict.allowed && charge.cost > 0) {
      if (verdict.record == nullptr) RETURN_IF_ERROR(MakeRoom({&charge, 1}, now_ms));
      stripe.Apply(charge, verdict, now_ms);
    }
  }
  limit::Describe(rules_[charge.rule], Tell(formulas_[charge.rule], verdict, now_ms), decision);
  return OkStatus();
}

StatusOr<LimitReservation> MemoryLimiter::Reserve(std::span<const LimitCheck> checks) {
  LimitReservation reservation{.decision = {}, .lease = {.origin = origin_, .id = ++leases_, .parts = {}}};
  RETURN_IF_ERROR(Take(checks, &reservation.decision, &reservation.lease));
  return reservation;
}

// Room for every new key of the step, in every stripe, before anything is charged.
Status MemoryLimiter::MakeRoom(std::span<const Charge> charges, int64_t now_ms) {
  Stripe& counted = StripeFor(charges[0]);
  while (!charges.empty()) {
    const std::span<const Charge> here = OneStripe(charges);
    Status made = StripeFor(here[0]).MakeRoom(here, now_ms);
    if (!made.ok()) {
      --counted.allowed;
      ++counted.overloaded;
      return made;
    }
    charges = charges.subspan(here.size());
  }
  return OkStatus();
}

Status MemoryLimiter::Refund(std::span<const LimitCheck> checks) {
  Step step;
  RETURN_IF_ERROR(rules_.Resolve(checks, seed_, &step));
  SortByStripe(step.all());
  Locks locks(*this, step.all());
  for (const Charge& charge : step.all()) StripeFor(charge).Refund(charge, locks.now_ms());
  return OkStatus();
}

// False when a part is none that this limiter wrote. The key of each is its number among the parts.
bool MemoryLimiter::ResolveLease(const LimitLease& lease, std::vector<Charge>* charges) const {
  if (lease.origin != origin_ || lease.parts.size() > kMostLimitChecks) return false;
  for (const LimitLease::Part& part : lease.parts) {
    Charge charge{rules_.Find(part.rule), 0, part.cost, part.key};
    if (charge.rule == RuleSet::kNone || part.key.size() != sizeof charge.hash) return false;
    if (!rules_.CheckCost(charge.rule, part.cost).ok()) return false;
    std::memcpy(&charge.hash, part.key.data(), sizeof charge.hash);
    charges->push_back(charge);
  }
  return !charges->empty();
}

StatusOr<bool> MemoryLimiter::RefundLease(const LimitLease& lease) {
  std::vector<Charge> charges;
  if (!ResolveLease(lease, &charges)) return false;
  // Take wrote the parts in the order of the stripes; a lease made by hand may have another.
  if (!std::ranges::is_sorted(charges, {}, [this](const Charge& charge) { return StripeOf(charge); })) {
    return false;
  }
  int64_t until_us = 0;
  for (const LimitLease::Part& part : lease.parts) until_us = std::max(until_us, part.until_us);
  Locks locks(*this, charges);
  const int64_t now_ms = locks.now_ms();
  if (until_us <= now_ms * 1000) return false;
  // That it was refunded is remembered in the stripe of its first key, whose lock is held for that.
  const uint64_t id = Xxh3({reinterpret_cast<const char*>(&lease.id), sizeof lease.id}, seed_);
  ASSIGN_OR_RETURN(const bool first, StripeFor(charges[0]).Settle(id, until_us, now_ms));
  if (!first) return false;
  for (size_t i = 0; i < charges.size(); ++i) {
    StripeFor(charges[i]).RefundLease(charges[i], lease.parts[i].until_us, now_ms);
  }
  return true;
}

LimitStats MemoryLimiter::Stats() const {
  LimitStats stats;
  for (const auto& stripe : stripes_) {
    stripe->lock().lock();
    stripe->AddTo(&stats);
    stripe->lock().unlock();
  }
  return stats;
}

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
