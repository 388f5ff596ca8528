// The arithmetic of limits, the same for every backend: integers only, so that all of them decide alike.
//
// All functions are pure. Times never go back: a backend whose clock can holds them at the latest it has
// seen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

#include "limit/limiter.h"

namespace mediagen::limit {

constexpr int64_t kMostWindowMs = 31LL * 24 * 3600 * 1000;  // an age within a window fits 32 bits
constexpr int64_t kMostExactLimit = 32;                     // up to here each charge is remembered by itself

// GCRA at 5/min with a burst of 5 admits 9 in its first minute, which nobody who wrote "5/min" means. Where N
// is small the N timestamps are cheap, and exact.
inline bool IsExact(const LimitRule& rule) { return rule.limit <= kMostExactLimit; }

// How a rule stands for one key.
struct Standing {
  bool allowed = true;
  int64_t remaining = 0;
  int64_t reset_after_ms = 0;
  int64_t retry_after_ms = 0;
};

// Of 0 and more: an unsigned division is the shorter one.
inline int64_t MsCeil(int64_t us) { return static_cast<int64_t>((static_cast<uint64_t>(us) + 999) / 1000); }

// GCRA, virtual scheduling, integer µs. A key's state is its theoretical arrival time (TAT); a TAT that has
// passed is the same as none.
//
//   T = ceil(window / limit)     τ = T · limit     start = clamp(TAT, now, now + τ)     new = start + T ·
//   cost allowed    new − τ <= now, and then TAT = new remaining  floor((τ − (TAT − now)) / T) reset
//   ceil_ms(TAT − now) retry      ceil_ms(new − τ − now), when refused
//
// T is rounded up, so never more than `limit` come in a window's length on average, and less than 1 % fewer
// for rules of up to 10,000 a second.
class Gcra {
 public:
  explicit Gcra(const LimitRule& rule)
      : interval_us_((rule.window_ms * 1000 + rule.limit - 1) / rule.limit),
        tolerance_us_(interval_us_ * rule.limit),
        intervals_a_us_(1 / static_cast<double>(interval_us_)) {}

  int64_t interval_us() const { return interval_us_; }  // T

  // The TAT after a charge of `cost` (0 <= cost <= limit).
  int64_t Charged(int64_t tat_us, int64_t now_us, int64_t cost) const {
    return Start(tat_us, now_us) + interval_us_ * cost;
  }
  int64_t Refunded(int64_t tat_us, int64_t now_us, int64_t cost) const {
    return std::max(now_us, Start(tat_us, now_us) - interval_us_ * cost);
  }
  // After the refund of a charge that counted until `until_us`, the TAT that it had set: its time has been
  // running out since those before it ended, and only what is left of it is given back. So a refund never
  // makes room that there would not be without the charge.
  int64_t RefundedLease(int64_t tat_us, int64_t now_us, int64_t cost, int64_t until_us) const {
    const int64_t left = std::clamp<int64_t>(until_us - now_us, 0, interval_us_ * cost);
    return std::max(now_us, Start(tat_us, now_us) - left);
  }
  // What a check of `cost` comes to: two steps, so that who holds a lock tells after it has given it back.
  struct Turn {
    bool allowed;
    int64_t start_us, charged_us;  // the TAT as it is, and after the charge
  };
  Turn Try(int64_t tat_us, int64_t now_us, int64_t cost) const {
    const int64_t start_us = Start(tat_us, now_us), charged_us = start_us + interval_us_ * cost;
    return {charged_us - tolerance_us_ <= now_us, start_us, charged_us};
  }
  // After the charge when it is allowed.
  Standing Describe(const Turn& turn, int64_t now_us) const {
    const int64_t ahead = (turn.allowed ? turn.charged_us : turn.start_us) - now_us;
    return {turn.allowed, Intervals(tolerance_us_ - ahead), MsCeil(ahead),
            turn.allowed ? 0 : MsCeil(turn.charged_us - tolerance_us_ - now_us)};
  }

 private:
  int64_t Start(int64_t tat_us, int64_t now_us) const {
    return std::clamp(tat_us, now_us, now_us + tolerance_us_);
  }

  // us / interval_us_, for 0 <= us <= tolerance_us_ (below 2^43). A division would be a tenth of a check; the
  // product is wrong by one at most.
  int64_t Intervals(int64_t us) const {
    const int64_t near = static_cast<int64_t>(static_cast<double>(us) * intervals_a_us_);
    return near + (us - near * interval_us_ >= interval_us_) - (near * interval_us_ > us);
  }

  int64_t interval_us_, tolerance_us_;
  double intervals_a_us_;
};

// The exact window: each unit that was charged counts for window_ms from its own moment, [t, t + window_ms).
// A key's state is the moment of its newest unit and the age of each of its `limit` units at that moment in
// ms, oldest first; a unit that never was, or is long over, has the age kNoUnit.
//
//   live       units with age + (now − newest) < window
//   allowed    live + cost <= limit
//   remaining  limit − live
//   reset      window − (now − newest), 0 when none lives
//   retry      until the (live + cost − limit)-th oldest live unit ends
class ExactWindow {
 public:
  static constexpr uint32_t kNoUnit = std::numeric_limits<uint32_t>::max();
  static constexpr int64_t kNoMoment = std::numeric_limits<int64_t>::min();

  explicit ExactWindow(const LimitRule& rule) : window_ms_(rule.window_ms) {}

  Standing Decide(std::span<const uint32_t> ages, int64_t newest_ms, int64_t now_ms, int64_t cost) const;
  // The ages at `now_ms`, with `cost` (1 to limit) units more in the place of the oldest. The newest is then
  // `now_ms`.
  void Charge(std::span<uint32_t> ages, int64_t newest_ms, int64_t now_ms, int64_t cost) const;
  // Takes the `cost` oldest live units out. Whether any unit is left.
  bool Refund(std::span<uint32_t> ages, int64_t newest_ms, int64_t now_ms, int64_t cost) const;
  // Takes out at most `cost` of the units that were charged at `moment_ms`, if they live. The moment of the
  // newest unit that is left, to which the ages then refer; kNoMoment when none is.
  int64_t RefundLease(std::span<uint32_t> ages, int64_t newest_ms, int64_t now_ms, int64_t cost,
                      int64_t moment_ms) const;

 private:
  size_t FirstLive(std::span<const uint32_t> ages, int64_t newest_ms, int64_t now_ms) const;

  int64_t window_ms_;
};

}  // namespace mediagen::limit
