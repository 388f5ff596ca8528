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
    switch (checks.size()) {
      case 1:
        return TakeFew<1>(checks, decision);
      case 2:
        return TakeFew<2>(checks, decision);
      default:
        return Take(checks, decision, nullptr);
    }
  }
  Status Refund(std::span<const LimitCheck> checks) override;
  StatusOr<LimitReservation> Reserve(std::span<const LimitCheck> checks) override;
  StatusOr<bool> RefundLease(const LimitLease& lease) override;
  int64_t LimitOf(std::string_view rule) const override { return rules_.LimitOf(rule); }
  LimitStats Stats() const override;

 private:
  class Locks;
  class PairLock;

  size_t StripeOf(const Charge& charge) const { return charge.hash & stripe_mask_; }
  Stripe& StripeFor(const Charge& charge) { return *stripes_[StripeOf(charge)]; }
  static bool NeedsRoom(const Charge& charge, const Verdict& verdict) {
    return verdict.record == nullptr && charge.cost > 0;
  }
  void SortByStripe(std::span<Charge> charges) const;
  bool ResolveLease(const LimitLease& lease, std::vector<Charge>* charges) const;
  // Decides and, when allowed, charges; `lease`, when not null, gets its parts.
  Status Take(std::span<const LimitCheck> checks, LimitDecision* decision, LimitLease* lease);
  Status DecideAndApply(Step& step, int64_t now_ms, Verdict* verdicts, bool* allowed);
  void WriteLease(Step& step, const Verdict* verdicts, int64_t now_ms, LimitLease* lease) const;
  template <size_t kCount>
  Status TakeFew(std::span<const LimitCheck> checks, LimitDecision* decision);
  Status MakeRoom(std::span<const Charge> charges, int64_t now_ms, Verdict* verdicts);

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
  // Each verdict gets its charge's stripe.
  Locks(MemoryLimiter& limiter, std::span<const Charge> charges, Verdict* verdicts) {
    const uint64_t counter = limit::Tick::Counter();
    Stripe* last = nullptr;
    for (const Charge& charge : charges) {
      Stripe* stripe = (verdicts++)->stripe = &limiter.StripeFor(charge);
      if (stripe == last) continue;
      stripe->lock().lock();
      now_ms_ = std::max(now_ms_, stripe->tick().NowMs(counter));
      held_[count_++] = last = stripe;
    }
    for (size_t i = 0; count_ > 1 && i < count_; ++i) held_[i]->tick().AtLeast(now_ms_);
  }
  ~Locks() {
    for (size_t i = 0; i < count_; ++i) held_[i]->lock().unlock();
  }
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

  // By the clock. Never goes back for any key.
  int64_t now_ms() const { return now_ms_; }

 private:
  Stripe* held_[kMostLimitChecks];
  size_t count_ = 0;
  int64_t now_ms_ = 0;
};

// An insertion sort: of a handful.
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
    const Locks locks(*this, step.all(), verdicts.all);
    now_ms = locks.now_ms() - opened_ms_;
    RETURN_IF_ERROR(DecideAndApply(step, now_ms, verdicts.all, &allowed));
  }
  limit::Tightest tightest(step.charges[0].rule, Tell(verdicts.all[0], now_ms));
  for (size_t i = 1; i < step.count; ++i) {
    tightest.Add(step.charges[i].rule, Tell(verdicts.all[i], now_ms));
  }
  tightest.Describe(rules_, decision);
  if (lease != nullptr && allowed) WriteLease(step, verdicts.all, now_ms, lease);
  return OkStatus();
}

// With the locks of the step's stripes.
Status MemoryLimiter::DecideAndApply(Step& step, int64_t now_ms, Verdict* verdicts, bool* allowed) {
  bool all = true, fresh = false;
  for (size_t i = 0; i < step.count; ++i) {
    const Charge& charge = step.charges[i];
    verdicts[i].stripe->Decide(charge, now_ms, &verdicts[i]);
    all &= verdicts[i].allowed;
    fresh |= NeedsRoom(charge, verdicts[i]);
  }
  *allowed = all;
  ++(all ? verdicts->stripe->allowed : verdicts->stripe->refused);
  if (!all) return OkStatus();
  if (fresh) RETURN_IF_ERROR(MakeRoom(step.all(), now_ms, verdicts));
  for (size_t i = 0; i < step.count; ++i) {
    verdicts[i].stripe->Apply(step.charges[i], verdicts[i], now_ms);
  }
  return OkStatus();
}

void MemoryLimiter::WriteLease(Step& step, const Verdict* verdicts, int64_t now_ms, LimitLease* lease) const {
  for (size_t i = 0; i < step.count; ++i) {
    const Charge& charge = step.charges[i];
    if (charge.cost == 0) continue;
    const Formula& formula = *verdicts[i].formula;
    const int64_t until_us =
        formula.exact ? (now_ms + formula.window_ms) * 1000 : verdicts[i].turn.charged_us;
    std::string key(reinterpret_cast<const char*>(&charge.hash), sizeof charge.hash);
    lease->parts.push_back({rules_[charge.rule].name, std::move(key), charge.cost, until_us});
  }
}

// Locks for two stripes, `first` being that with the lower index, or for one that is both.
class MemoryLimiter::PairLock {
 public:
  PairLock(Stripe* first, Stripe* second) : first_(first), second_(second) {
    const uint64_t counter = limit::Tick::Counter();
    first_->lock().lock();
    now_ms_ = first_->tick().NowMs(counter);
    if (second_ == first_) return;
    second_->lock().lock();
    now_ms_ = std::max(now_ms_, second_->tick().NowMs(counter));
    first_->tick().AtLeast(now_ms_);
    second_->tick().AtLeast(now_ms_);
  }
  ~PairLock() {
    if (second_ != first_) second_->lock().unlock();
    first_->lock().unlock();
  }
  PairLock(const PairLock&) = delete;
  PairLock& operator=(const PairLock&) = delete;

  // By the clock, as Locks has it.
  int64_t now_ms() const { return now_ms_; }

 private:
  Stripe *const first_, *const second_;
  int64_t now_ms_;
};

// Take for one check or two without a lease, which most steps are: nothing is looped over or sorted, and
// hardly anything written to memory.
template <size_t kCount>
Status MemoryLimiter::TakeFew(std::span<const LimitCheck> checks, LimitDecision* decision) {
  static_assert(kCount == 1 || kCount == 2);
  constexpr size_t kLast = kCount - 1;
  Charge charges[kCount];
  RETURN_IF_ERROR(rules_.ResolveOne(checks[0], seed_, &charges[0]));
  if (kCount == 2) {
    RETURN_IF_ERROR(rules_.ResolveOne(checks[1], seed_, &charges[kLast]));
    if (charges[kLast].SameKey(charges[0])) return Take(checks, decision, nullptr);
  }
  Verdict verdicts[kCount];
  verdicts[0].stripe = &StripeFor(charges[0]);
  if (kCount == 2) verdicts[kLast].stripe = &StripeFor(charges[kLast]);
  const size_t first = kCount == 2 && StripeOf(charges[kLast]) < StripeOf(charges[0]) ? kLast : 0;
  int64_t now_ms = 0;
  {
    const PairLock locks(verdicts[first].stripe, verdicts[kLast - first].stripe);
    now_ms = locks.now_ms() - opened_ms_;
    verdicts[0].stripe->Decide(charges[0], now_ms, &verdicts[0]);
    if (kCount == 2) verdicts[kLast].stripe->Decide(charges[kLast], now_ms, &verdicts[kLast]);
    const bool allowed = verdicts[0].allowed && verdicts[kLast].allowed;
    ++(allowed ? verdicts[0].stripe->allowed : verdicts[0].stripe->refused);
    if (allowed) {
      if (NeedsRoom(charges[0], verdicts[0]) || NeedsRoom(charges[kLast], verdicts[kLast])) [[unlikely]] {
        RETURN_IF_ERROR(MakeRoom(charges, now_ms, verdicts));
      }
      verdicts[0].stripe->Apply(charges[0], verdicts[0], now_ms);
      if (kCount == 2) verdicts[kLast].stripe->Apply(charges[kLast], verdicts[kLast], now_ms);
    }
  }
  limit::Tightest tightest(charges[0].rule, Tell(verdicts[0], now_ms));
  if (kCount == 2) tightest.Add(charges[kLast].rule, Tell(verdicts[kLast], now_ms));
  tightest.Describe(rules_, decision);
  return OkStatus();
}

StatusOr<LimitReservation> MemoryLimiter::Reserve(std::span<const LimitCheck> checks) {
  LimitReservation reservation{.decision = {}, .lease = {.origin = origin_, .id = ++leases_, .parts = {}}};
  RETURN_IF_ERROR(Take(checks, &reservation.decision, &reservation.lease));
  return reservation;
}

// Room for every new key of the step, in every stripe, before anything is charged; those of one stripe stand
// together. The step was counted as allowed. The verdicts' records are looked up again.
Status MemoryLimiter::MakeRoom(std::span<const Charge> charges, int64_t now_ms, Verdict* verdicts) {
  Status made;
  for (size_t i = 0; i < charges.size() && made.ok();) {
    const size_t begin = i;
    while (i < charges.size() && verdicts[i].stripe == verdicts[begin].stripe) ++i;
    made = verdicts[begin].stripe->MakeRoom(charges.subspan(begin, i - begin), now_ms);
  }
  if (!made.ok()) {
    --verdicts[0].stripe->allowed;
    ++verdicts[0].stripe->overloaded;
    return made;
  }
  for (size_t i = 0; i < charges.size(); ++i) verdicts[i].record = verdicts[i].table->Find(charges[i].hash);
  return OkStatus();
}

Status MemoryLimiter::Refund(std::span<const LimitCheck> checks) {
  Step step;
  RETURN_IF_ERROR(rules_.Resolve(checks, seed_, &step));
  SortByStripe(step.all());
  Verdicts verdicts;
  const Locks locks(*this, step.all(), verdicts.all);
  const int64_t now_ms = locks.now_ms() - opened_ms_;
  for (const Charge& charge : step.all()) StripeFor(charge).Refund(charge, now_ms);
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
  Verdicts verdicts;
  const Locks locks(*this, charges, verdicts.all);
  const int64_t now_ms = locks.now_ms() - opened_ms_;
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
