// Stripe: a part of the memory limiter: the keys of all rules whose hash falls to it, under one lock.
//
// Its methods need the lock to be held; the limiter takes those of all stripes that one step touches, by
// index. Times are those of the stripe's tick, in µs or ms since the limiter was opened.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/spin_lock.h"
#include "limit/formula.h"
#include "limit/memory/key_table.h"
#include "limit/memory/tick.h"
#include "limit/step.h"

namespace mediagen::limit {

// A rule with its formulas.
struct Formula {
  explicit Formula(const LimitRule& rule)
      : exact(IsExact(rule)), limit(rule.limit), window_ms(rule.window_ms), gcra(rule), window(rule) {}
  // The newest unit's age is always 0, so it needs no cell.
  size_t cells() const { return exact ? static_cast<size_t>(limit - 1) : 0; }

  bool exact;
  int64_t limit, window_ms;
  Gcra gcra;
  ExactWindow window;
};

class Stripe;

// What a check comes to, and where it was looked up. It is told of (Tell) when the locks have been given
// back.
struct Verdict {
  Stripe* stripe;  // of the key
  const Formula* formula;
  KeyTable* table;
  KeyTable::Record* record;  // the key's, or null. Valid until MakeRoom
  bool allowed;
  Gcra::Turn turn;    // of a rule that is not exact
  Standing standing;  // of an exact one
};

inline Standing Tell(const Verdict& verdict, int64_t now_ms) {
  return verdict.formula->exact ? verdict.standing
                                : verdict.formula->gcra.Describe(verdict.turn, now_ms * 1000);
}

class alignas(64) Stripe {
 public:
  using Record = KeyTable::Record;

  // Steps whose first stripe this is. They come first, for with the lock they are all of a stripe that a
  // check writes: one line of the processor's cache.
  uint64_t allowed = 0, refused = 0, overloaded = 0;

  // `formulas` must outlive it.
  Stripe(std::span<const Formula> formulas, Clock* clock, size_t max_keys);

  SpinLock& lock() { return lock_; }
  Tick& tick() { return tick_; }

  Record* Find(const Charge& charge) const { return tables_[charge.rule].Find(charge.hash); }

  // What a check comes to, if it were charged when allowed. Changes nothing, and leaves `verdict->stripe`.
  void Decide(const Charge& charge, int64_t now_ms, Verdict* verdict) {
    const Formula& formula = *(verdict->formula = &formulas_[charge.rule]);
    verdict->table = &tables_[charge.rule];
    const Record* record = verdict->record = verdict->table->Find(charge.hash);
    if (formula.exact) return DecideExact(charge, now_ms, verdict);
    const int64_t tat_us = record == nullptr ? 0 : record->WholeAt();
    verdict->turn = formula.gcra.Try(tat_us, now_ms * 1000, charge.cost);
    verdict->allowed = verdict->turn.allowed;
  }
  // Makes room for the records of `charges` that need one; those that are whole are removed first, so that
  // their places are not given away twice. kOverloaded when there is none, and until when; nothing that
  // counts has changed then.
  Status MakeRoom(std::span<const Charge> charges, int64_t now_ms);
  // Charges what Decide allowed, in the verdict's record or a new one.
  void Apply(const Charge& charge, const Verdict& verdict, int64_t now_ms) {
    if (verdict.record == nullptr || verdict.formula->exact || charge.cost == 0)
      return ApplyOther(charge, verdict, now_ms);
    verdict.record->SetWholeAt(verdict.turn.charged_us);
  }

  void Refund(const Charge& charge, int64_t now_ms);
  // Gives back a charge that counts until `until_us`.
  void RefundLease(const Charge& charge, int64_t until_us, int64_t now_ms);
  // Remembers the lease `id` as refunded until `until_us`. False when it is already; kOverloaded: no room.
  StatusOr<bool> Settle(uint64_t id, int64_t until_us, int64_t now_ms);

  // Adds what was counted here.
  void AddTo(LimitStats* stats) const;

 private:
  // The units of a key's exact window, copied out of its record and written back.
  struct Units;
  void DecideExact(const Charge& charge, int64_t now_ms, Verdict* verdict) const;
  void ApplyOther(const Charge& charge, const Verdict& verdict, int64_t now_ms);
  // Its record, or kNone when it has none or is whole.
  Record* Limited(const Charge& charge, int64_t now_ms) const;
  Status MakeRoom(size_t needed, int64_t now_ms);
  size_t KeyCount() const;

  SpinLock lock_;
  std::vector<KeyTable> tables_;  // of the rules
  Tick tick_;
  const std::span<const Formula> formulas_;
  KeyTable settled_{0};  // leases that were refunded, until they have run out: they take places as keys do
  const size_t max_keys_;
  // No key is whole before this. So a flood of keys costs a full table one search for each moment at which
  // some become whole.
  int64_t next_whole_us_ = 0;
};

}  // namespace mediagen::limit
