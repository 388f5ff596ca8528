#include "limit/memory/stripe.h"

#include <algorithm>
#include <array>
#include <limits>

namespace mediagen::limit {

struct Stripe::Units {
  std::array<uint32_t, kMostExactLimit> ages;
  size_t count;
  int64_t newest_ms;

  Units(const Formula& formula, const KeyTable& table, uint32_t position, int64_t now_ms)
      : count(static_cast<size_t>(formula.limit)), newest_ms(now_ms) {
    if (position == KeyTable::kNone || table.WholeAt(position) <= now_ms * 1000) {
      std::fill_n(ages.begin(), count, ExactWindow::kNoUnit);
      return;
    }
    newest_ms = table.WholeAt(position) / 1000 - formula.window_ms;
    std::ranges::copy(table.Cells(position), ages.begin());
    ages[count - 1] = 0;
  }
  std::span<uint32_t> all() { return {ages.data(), count}; }
  // The newest unit is then `newest_ms`.
  void Write(const Formula& formula, KeyTable* table, uint32_t position) const {
    std::copy_n(ages.begin(), count - 1, table->Cells(position).begin());
    table->SetWholeAt(position, (newest_ms + formula.window_ms) * 1000);
  }
};

Stripe::Stripe(const std::vector<Formula>& formulas, Clock* clock, size_t max_keys)
    : tick_(clock), formulas_(formulas), max_keys_(std::min(max_keys, KeyTable::kMostKeys)) {
  for (const Formula& formula : formulas) tables_.emplace_back(formula.cells());
}

uint32_t Stripe::Limited(const Charge& charge, int64_t now_ms) const {
  const uint32_t position = Find(charge);
  if (position == KeyTable::kNone) return position;
  return tables_[charge.rule].WholeAt(position) > now_ms * 1000 ? position : KeyTable::kNone;
}

Standing Stripe::DecideExact(const Charge& charge, uint32_t position, int64_t now_ms) const {
  const Formula& formula = formulas_[charge.rule];
  Units units(formula, tables_[charge.rule], position, now_ms);
  return formula.window.Decide(units.all(), units.newest_ms, now_ms, charge.cost);
}

Status Stripe::MakeRoom(std::span<const Charge> charges, int64_t now_ms) {
  std::array<uint32_t, kMostLimitChecks> fresh;  // the rules of those that need a record
  size_t needed = 0;
  for (const Charge& charge : charges) {
    if (charge.cost == 0) continue;
    const uint32_t position = Find(charge);
    if (position != KeyTable::kNone) {
      if (tables_[charge.rule].WholeAt(position) > now_ms * 1000) continue;
      tables_[charge.rule].Remove(position);
    }
    fresh[needed++] = charge.rule;
  }
  RETURN_IF_ERROR(MakeRoom(needed, now_ms));
  for (size_t i = 0; i < needed; ++i) tables_[fresh[i]].Reserve(needed, now_ms * 1000);
  return OkStatus();
}

Status Stripe::MakeRoom(size_t needed, int64_t now_ms) {
  const int64_t now_us = now_ms * 1000;
  if (KeyCount() + needed <= max_keys_) return OkStatus();
  if (now_us >= next_whole_us_) {
    next_whole_us_ = std::numeric_limits<int64_t>::max();
    for (KeyTable& table : tables_) table.RemoveWhole(now_us, &next_whole_us_);
    settled_.RemoveWhole(now_us, &next_whole_us_);
    if (KeyCount() + needed <= max_keys_) return OkStatus();
  }
  return Error(Code::kOverloaded, "The rate limiter's table is full of keys that are limited now.",
               {.hint = "Raise its bound of keys, or shorten the windows.",
                .retry_after_ms = KeyCount() == 0 ? -1 : MsCeil(next_whole_us_ - now_us)});
}

size_t Stripe::KeyCount() const {
  size_t count = settled_.size();
  for (const KeyTable& table : tables_) count += table.size();
  return count;
}

int64_t Stripe::ApplyOther(const Charge& charge, uint32_t position, int64_t now_ms) {
  if (charge.cost == 0) return 0;
  const Formula& formula = formulas_[charge.rule];
  KeyTable& table = tables_[charge.rule];
  const bool fresh = position == KeyTable::kNone;
  if (fresh) position = table.Insert(charge.hash);
  if (!formula.exact) {
    table.SetWholeAt(position, formula.gcra.Charged(table.WholeAt(position), now_ms * 1000, charge.cost));
  } else {
    Units units(formula, table, position, now_ms);
    formula.window.Charge(units.all(), units.newest_ms, now_ms, charge.cost);
    units.newest_ms = now_ms;
    units.Write(formula, &table, position);
  }
  const int64_t until_us = table.WholeAt(position);
  if (fresh) next_whole_us_ = std::min(next_whole_us_, until_us);
  return until_us;
}

void Stripe::Refund(const Charge& charge, int64_t now_ms) {
  const uint32_t position = Limited(charge, now_ms);
  if (position == KeyTable::kNone || charge.cost == 0) return;
  const Formula& formula = formulas_[charge.rule];
  KeyTable& table = tables_[charge.rule];
  next_whole_us_ = 0;
  if (!formula.exact) {
    table.SetWholeAt(position, formula.gcra.Refunded(table.WholeAt(position), now_ms * 1000, charge.cost));
    return;
  }
  Units units(formula, table, position, now_ms);
  if (formula.window.Refund(units.all(), units.newest_ms, now_ms, charge.cost)) {
    units.Write(formula, &table, position);
  } else {
    table.Remove(position);
  }
}

void Stripe::RefundLease(const Charge& charge, int64_t until_us, int64_t now_ms) {
  const uint32_t position = Limited(charge, now_ms);
  if (position == KeyTable::kNone || until_us <= now_ms * 1000) return;
  const Formula& formula = formulas_[charge.rule];
  KeyTable& table = tables_[charge.rule];
  next_whole_us_ = 0;
  if (!formula.exact) {
    table.SetWholeAt(
        position, formula.gcra.RefundedLease(table.WholeAt(position), now_ms * 1000, charge.cost, until_us));
    return;
  }
  Units units(formula, table, position, now_ms);
  units.newest_ms = formula.window.RefundLease(units.all(), units.newest_ms, now_ms, charge.cost,
                                               until_us / 1000 - formula.window_ms);
  if (units.newest_ms == ExactWindow::kNoMoment) {
    table.Remove(position);
  } else {
    units.Write(formula, &table, position);
  }
}

StatusOr<bool> Stripe::Settle(uint64_t id, int64_t until_us, int64_t now_ms) {
  const uint32_t known = settled_.Find(id);
  if (known != KeyTable::kNone) {
    if (settled_.WholeAt(known) > now_ms * 1000) return false;
    settled_.Remove(known);
  }
  RETURN_IF_ERROR(MakeRoom(1, now_ms));
  settled_.Reserve(1, now_ms * 1000);
  settled_.SetWholeAt(settled_.Insert(id), until_us);
  next_whole_us_ = std::min(next_whole_us_, until_us);
  return true;
}

void Stripe::AddTo(LimitStats* stats) const {
  stats->allowed += allowed;
  stats->refused += refused;
  stats->overloaded += overloaded;
  stats->keys += KeyCount();
  stats->max_keys += max_keys_;
  stats->bytes += sizeof *this + settled_.bytes();
  for (const KeyTable& table : tables_) stats->bytes += sizeof table + table.bytes();
}

}  // namespace mediagen::limit
