#include "limit/memory/stripe.h"

#include <algorithm>
#include <array>
#include <limits>

namespace mediagen::limit {
namespace {

// The newest unit of an exact window, from the moment at which the whole window is over.
int64_t NewestMs(int64_t whole_at_us, int64_t window_ms) { return whole_at_us / 1000 - window_ms; }

}  // namespace

Stripe::Stripe(const std::vector<LimitRule>& rules, size_t max_keys) : max_keys_(max_keys) {
  for (const LimitRule& rule : rules) {
    const bool exact = IsExact(rule);
    const size_t cells = exact ? static_cast<size_t>(rule.limit) : 0;
    rules_.push_back({rule.window_ms, exact, Gcra(rule), ExactWindow(rule), KeyTable(cells)});
  }
}

KeyTable::Slot Stripe::Limited(Rule& rule, uint64_t hash, int64_t now_ms) {
  KeyTable::Slot slot = rule.keys.Find(hash);
  return slot && *slot.whole_at_us > now_ms * 1000 ? slot : KeyTable::Slot{};
}

Standing Stripe::Decide(const Charge& charge, int64_t now_ms) {
  Rule& rule = rules_[charge.rule];
  KeyTable::Slot slot = Limited(rule, charge.hash, now_ms);
  if (!rule.exact) return rule.gcra.Decide(slot ? *slot.whole_at_us : 0, now_ms * 1000, charge.cost);
  if (slot)
    return rule.window.Decide(slot.cells, NewestMs(*slot.whole_at_us, rule.window_ms), now_ms, charge.cost);
  std::array<uint32_t, kMostExactLimit> none;
  none.fill(ExactWindow::kNoUnit);
  return rule.window.Decide({none.data(), rule.keys.cells()}, now_ms, now_ms, charge.cost);
}

Status Stripe::Reserve(std::span<const Charge> charges, int64_t now_ms) {
  size_t needed = 0;
  for (const Charge& charge : charges) {
    Rule& rule = rules_[charge.rule];
    if (charge.cost == 0 || Limited(rule, charge.hash, now_ms)) continue;
    // A whole one counts as absent, so that its place is not given away twice.
    rule.keys.Remove(charge.hash);
    ++needed;
  }
  return MakeRoom(needed, now_ms) ? OkStatus() : Overloaded(now_ms);
}

bool Stripe::MakeRoom(size_t needed, int64_t now_ms) {
  if (needed == 0) return true;
  for (size_t count = KeyCount(); count + needed > max_keys_; --count) {
    if (count == 0 || !RemoveOneWhole(now_ms * 1000)) return false;
  }
  return true;
}

Status Stripe::Overloaded(int64_t now_ms) const {
  return Error(Code::kOverloaded, "The rate limiter's table is full of keys that are limited now.",
               {.hint = "Raise its bound of keys, or shorten the windows.",
                .retry_after_ms = std::max<int64_t>(0, MsCeil(next_whole_us_ - now_ms * 1000))});
}

size_t Stripe::KeyCount() const {
  size_t count = settled_.size();
  for (const Rule& rule : rules_) count += rule.keys.size();
  return count;
}

bool Stripe::RemoveOneWhole(int64_t now_us) {
  if (now_us < next_whole_us_) return false;
  int64_t next_us = std::numeric_limits<int64_t>::max();
  for (Rule& rule : rules_) {
    if (rule.keys.RemoveOneWhole(now_us, &next_us)) return true;
  }
  if (settled_.RemoveOneWhole(now_us, &next_us)) return true;
  next_whole_us_ = next_us;
  return false;
}

int64_t Stripe::Apply(const Charge& charge, int64_t now_ms) {
  if (charge.cost == 0) return 0;
  Rule& rule = rules_[charge.rule];
  const int64_t now_us = now_ms * 1000;
  KeyTable::Slot slot = Limited(rule, charge.hash, now_ms);
  int64_t newest_ms = now_ms;
  if (slot) {
    newest_ms = NewestMs(*slot.whole_at_us, rule.window_ms);
  } else {
    slot = rule.keys.Insert(charge.hash, now_us);
    std::fill(slot.cells.begin(), slot.cells.end(), ExactWindow::kNoUnit);
  }
  if (rule.exact) {
    rule.window.Charge(slot.cells, newest_ms, now_ms, charge.cost);
    *slot.whole_at_us = (now_ms + rule.window_ms) * 1000;
  } else {
    *slot.whole_at_us = rule.gcra.Charged(*slot.whole_at_us, now_us, charge.cost);
  }
  return *slot.whole_at_us;
}

void Stripe::Refund(const Charge& charge, int64_t now_ms) {
  Rule& rule = rules_[charge.rule];
  KeyTable::Slot slot = Limited(rule, charge.hash, now_ms);
  if (!slot || charge.cost == 0) return;
  next_whole_us_ = 0;
  if (!rule.exact) {
    *slot.whole_at_us = rule.gcra.Refunded(*slot.whole_at_us, now_ms * 1000, charge.cost);
  } else if (!rule.window.Refund(slot.cells, NewestMs(*slot.whole_at_us, rule.window_ms), now_ms,
                                 charge.cost)) {
    rule.keys.Remove(charge.hash);
  }
}

void Stripe::RefundLease(const Charge& charge, int64_t until_us, int64_t now_ms) {
  Rule& rule = rules_[charge.rule];
  KeyTable::Slot slot = Limited(rule, charge.hash, now_ms);
  if (!slot || until_us <= now_ms * 1000) return;
  next_whole_us_ = 0;
  if (!rule.exact) {
    *slot.whole_at_us = rule.gcra.RefundedLease(*slot.whole_at_us, now_ms * 1000, charge.cost, until_us);
    return;
  }
  const int64_t newest_ms = rule.window.RefundLease(slot.cells, NewestMs(*slot.whole_at_us, rule.window_ms),
                                                    now_ms, charge.cost, NewestMs(until_us, rule.window_ms));
  if (newest_ms == ExactWindow::kNoMoment) {
    rule.keys.Remove(charge.hash);
  } else {
    *slot.whole_at_us = (newest_ms + rule.window_ms) * 1000;
  }
}

StatusOr<bool> Stripe::Settle(uint64_t id, int64_t until_us, int64_t now_ms) {
  KeyTable::Slot slot = settled_.Find(id);
  if (slot && *slot.whole_at_us > now_ms * 1000) return false;
  settled_.Remove(id);
  if (!MakeRoom(1, now_ms)) return Overloaded(now_ms);
  *settled_.Insert(id, now_ms * 1000).whole_at_us = until_us;
  return true;
}

}  // namespace mediagen::limit
