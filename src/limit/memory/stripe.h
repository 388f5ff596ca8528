// Stripe: a part of the memory limiter: the keys of all rules whose hash falls to it, under one lock.
//
// Its methods need the lock to be held; the limiter takes those of all stripes that one step touches, by
// index.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "limit/formula.h"
#include "limit/memory/key_table.h"
#include "limit/step.h"

namespace mediagen::limit {

class Stripe {
 public:
  Stripe(const std::vector<LimitRule>& rules, size_t max_keys);

  std::mutex& mutex() { return mutex_; }

  // What a check is told, as if it were charged when allowed. Changes nothing.
  Standing Decide(const Charge& charge, int64_t now_ms);
  // Makes room for the keys of `charges` that need some. kOverloaded when there is none, and until when;
  // nothing that counts has changed then.
  Status Reserve(std::span<const Charge> charges, int64_t now_ms);
  // Charges what Decide allowed and Reserve made room for, at the same `now_ms`. Until when it counts, in µs.
  int64_t Apply(const Charge& charge, int64_t now_ms);
  void Refund(const Charge& charge, int64_t now_ms);
  // Gives back a charge that counts until `until_us`, which is what Apply said.
  void RefundLease(const Charge& charge, int64_t until_us, int64_t now_ms);
  // Remembers the lease `id` as refunded until `until_us`. False when it is already; kOverloaded: no room.
  StatusOr<bool> Settle(uint64_t id, int64_t until_us, int64_t now_ms);

 private:
  struct Rule {
    int64_t window_ms;
    bool exact;
    Gcra gcra;
    ExactWindow window;
    KeyTable keys;
  };

  // The key's slot, or none when it has none or its limit is whole.
  static KeyTable::Slot Limited(Rule& rule, uint64_t hash, int64_t now_ms);
  size_t KeyCount() const;
  bool RemoveOneWhole(int64_t now_us);

  Status Overloaded(int64_t now_ms) const;
  bool MakeRoom(size_t needed, int64_t now_ms);

  std::mutex mutex_;
  std::vector<Rule> rules_;
  KeyTable settled_{0};  // leases that were refunded, until they have run out: they take places as keys do
  const size_t max_keys_;
  // No key is whole before this: the full table was searched through. What is charged later is whole later; a
  // refund sets it back. So a flood of keys costs one search for each moment at which one may succeed.
  int64_t next_whole_us_ = 0;
};

}  // namespace mediagen::limit
