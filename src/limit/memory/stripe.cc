#include "limit/memory/stripe.h"

#include <algorithm>
#include <array>
#include <limits>

namespace mediagen::limit {

struct Stripe::Units {
  std::array<uint32_t, kMostExactLimit> ages;
  size_t count;
  int64_t newest_ms;

  Units(const Formula& formula, const KeyTable& table, Record* record, int64_t now_ms)
      : count(static_cast<size_t>(formula.limit)), newest_ms(now_ms) {
    if (record == nullptr || record->WholeAt() <= now_ms * 1000) {
      std::fill_n(ages.begin(), count, ExactWindow::kNoUnit);
      return;
    }
    newest_ms = record->WholeAt() / 1000 - formula.window_ms;
    std::ranges::copy(table.Cells(record), ages.begin());
    ages[count - 1] = 0;
  }
  std::span<uint32_t> all() { return {ages.data(), count}; }
  // The newest unit is then `newest_ms`.
  void Write(const Formula& formula, const KeyTable& table, Record* record) const {
    std::copy_n(ages.begin(), count - 1, table.Cells(record).begin());
    record->SetWholeAt((newest_ms + formula.window_ms) * 1000);
  }
};

Stripe::Stripe(std::span<const Formula> formulas, Clock* clock, size_t max_keys)
    : tick_(clock), formulas_(formulas), max_keys_(std::min(max_keys, KeyTable::kMostKeys)) {
  for (const Formula& formula : formulas) tables_.emplace_back(formula.cells());
}

KeyTable::Record* Stripe::Limited(const Charge& charge, int64_t now_ms) const {
  Record* record = Find(charge);
  return record != nullptr && record->WholeAt() > now_ms * 1000 ? record : nullptr;
}

void Stripe::DecideExact(const Charge& charge, int64_t now_ms, Verdict* verdict) const {
  const Formula& formula = *verdict->formula;
  Units units(formula, *verdict->table, verdict->record, now_ms);
  verdict->standing = formula.window.Decide(units.all(), units.newest_ms, now_ms, charge.cost);
  verdict->allowed = verdict->standing.allowed;
}

Status Stripe::MakeRoom(std::span<const Charge> charges, int64_t now_ms) {
  std::array<uint32_t, kMostLimitChecks> fresh;  // the rules of those that need a record
  size_t needed = 0;
  for (const Charge& charge : charges) {
    if (charge.cost == 0) continue;
    Record* record = Find(charge);
    if (record != nullptr) {
      if (record->WholeAt() > now_ms * 1000) continue;
      tables_[charge.rule].Remove(record);
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

void Stripe::ApplyOther(const Charge& charge, const Verdict& verdict, int64_t now_ms) {
  if (charge.cost == 0) return;
  const Formula& formula = *verdict.formula;
  KeyTable& table = *verdict.table;
  const bool fresh = verdict.record == nullptr;
  Record* record = fresh ? table.Insert(charge.hash) : verdict.record;
  if (!formula.exact) {
    record->SetWholeAt(verdict.turn.charged_us);
  } else {
    Units units(formula, table, record, now_ms);
    formula.window.Charge(units.all(), units.newest_ms, now_ms, charge.cost);
    units.newest_ms = now_ms;
    units.Write(formula, table, record);
  }
  if (fresh) next_whole_us_ = std::min(next_whole_us_, record->WholeAt());
}

void Stripe::Refund(const Charge& charge, int64_t now_ms) {
  Record* record = Limited(charge, now_ms);
  if (record == nullptr || charge.cost == 0) return;
  const Formula& formula = formulas_[charge.rule];
  KeyTable& table = tables_[charge.rule];
  next_whole_us_ = 0;
  if (!formula.exact) {
    record->SetWholeAt(formula.gcra.Refunded(record->WholeAt(), now_ms * 1000, charge.cost));
    return;
  }
  Units units(formula, table, record, now_ms);
  if (formula.window.Refund(units.all(), units.newest_ms, now_ms, charge.cost)) {
    units.Write(formula, table, record);
  } else {
    table.Remove(record);
  }
}

void Stripe::RefundLease(const Charge& charge, int64_t until_us, int64_t now_ms) {
  Record* record = Limited(charge, now_ms);
  if (record == nullptr || until_us <= now_ms * 1000) return;
  const Formula& formula = formulas_[charge.rule];
  KeyTable& table = tables_[charge.rule];
  next_whole_us_ = 0;
  if (!formula.exact) {
    record->SetWholeAt(formula.gcra.RefundedLease(record->WholeAt(), now_ms * 1000, charge.cost, until_us));
    return;
  }
  Units units(formula, table, record, now_ms);
  units.newest_ms = formula.window.RefundLease(units.all(), units.newest_ms, now_ms, charge.cost,
                                               until_us / 1000 - formula.window_ms);
  if (units.newest_ms == ExactWindow::kNoMoment) {
    table.Remove(record);
  } else {
    units.Write(formula, table, record);
  }
}

StatusOr<bool> Stripe::Settle(uint64_t id, int64_t until_us, int64_t now_ms) {
  Record* known = settled_.Find(id);
  if (known != nullptr) {
    if (known->WholeAt() > now_ms * 1000) return false;
    settled_.Remove(known);
  }
  RETURN_IF_ERROR(MakeRoom(1, now_ms));
  settled_.Reserve(1, now_ms * 1000);
  settled_.Insert(id)->SetWholeAt(until_us);
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
