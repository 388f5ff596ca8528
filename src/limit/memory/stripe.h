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

namespace mediagen::limit {

// One check with its rule and key looked up, and those of the same rule and key added.
struct Charge {
  uint32_t rule = 0;
  uint64_t hash = 0;
  int64_t cost = 0;
};

class Stripe {
 public:
  Stripe(const std::vector<LimitRule>& rules, size_t max_keys);

  std::mutex& mutex() { return mutex_; }

  // What a check is told, as if it were charged when allowed. Changes nothing.
  Standing Decide(const Charge& charge, int64_t now_ms);
  // Makes room for the keys of `charges` that need some. False when there is none; nothing that counts has
  // changed then.
  bool Reserve(std::span<const Charge> charges, int64_t now_ms);
  // Charges what Decide allowed and Reserve made room for, at the same `now_ms`.
  void Apply(const Charge& charge, int64_t now_ms);
  void Refund(const Charge& charge, int64_t now_ms);
  // After a false Reserve: until a key is whole again.
  int64_t RoomAfterMs(int64_t now_ms) const {
    return std::max<int64_t>(0, MsCeil(next_whole_us_ - now_ms * 1000));
  }

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

  std::mutex mutex_;
  std::vector<Rule> rules_;
  const size_t max_keys_;
  // No key is whole before this: the full table was searched through. What is charged later is whole later; a
  // refund sets it back. So a flood of keys costs one search for each moment at which one may succeed.
  int64_t next_whole_us_ = 0;
};

}  // namespace mediagen::limit
