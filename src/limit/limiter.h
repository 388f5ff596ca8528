// A Limiter decides whether something may happen now, by rule and key.
//
// Thread-safe. GCRA (ITU-T I.371; the virtual scheduling form), and the exact timestamp window where the
// limit is small (<= 32): never more than N in any window. Several rules are decided in one atomic step: a
// request that one rule refuses is charged by none. The formulas, which every backend shares, stand in
// formula.h; the rest that they share in step.h.
//
// Check, Refund, Reserve and RefundLease may wait for the network where remote() is true, for as long as the
// backend's own time limit. Their Async forms do not, where the backend has a thread: they copy what they
// need of their arguments before they return, and answer exactly once, at once where the answer is known,
// else on a thread of the backend's. A backend without a thread answers before they return. A limiter answers
// all that it was asked before its destructor returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "limit/lease.h"

namespace mediagen {

struct LimitRule {
  std::string name;       // not empty, no control characters
  int64_t limit = 0;      // this many …
  int64_t window_ms = 0;  // … in any window of this length: [t, t + window_ms)
};

// "5/min" → {name, 5, 60000}; units s, min, h, d, or a number of them ("100/10s"). kInvalid for any other
// text, spaces and zeros included, and for a rule that CheckLimitRule refuses.
StatusOr<LimitRule> ParseLimitRule(std::string_view name, std::string_view text);

// kInvalid, with the reason: a bad name, a limit or window below 1, a window of more than 31 days, more than
// one in a microsecond.
Status CheckLimitRule(const LimitRule& rule);

struct LimitCheck {
  std::string_view rule;
  std::string_view key;
  int64_t cost = 1;  // >= 0
};

// What was decided. It describes the tightest of the rules: of those that refuse, the one with the longest
// retry; else the one with the least remaining, and of equals the one that is whole last. Without checks:
// allowed, the rest empty.
struct LimitDecision {
  bool allowed = true;
  bool degraded = false;  // the backend was away: this is what its fail mode says, and nothing was charged
                          // there
  std::string_view rule;  // the tightest one; the text is the limiter's and lives as long
  int64_t limit = 0;
  int64_t remaining = 0;  // after this check
  int64_t window_ms = 0;
  int64_t reset_after_ms = 0;  // until the full limit is there again, if nothing more is taken
  int64_t retry_after_ms =
      0;  // when refused: until the same check would be allowed, if nothing more is taken
};

// A decision and, when it allowed, the lease on what it took.
struct LimitReservation {
  LimitDecision decision;
  LimitLease lease;
};

// Since the limiter was opened.
struct LimitStats {
  uint64_t allowed = 0, refused = 0;
  uint64_t overloaded = 0;  // checks that found no room for another key
  uint64_t degraded = 0;    // decisions of a fail mode
  uint64_t failures = 0;    // questions that a remote backend did not answer in time, or with an error
  size_t keys = 0, max_keys = 0, bytes = 0;  // of the table in this process
};

constexpr size_t kMostLimitChecks = 64;  // of one step

class Limiter {
 public:
  template <typename Answer>
  using Done = std::function<void(Answer)>;

  virtual ~Limiter() = default;
  // Decides and charges. A cost of 0 takes nothing and is always allowed: a look. Checks of the same rule and
  // key are added up. A refusal is not an error; an error charges nothing. kNotFound: no such rule. kInvalid:
  // a cost that the rule could never allow (the message says the limit), or below 0; more than
  // kMostLimitChecks. kOverloaded: no room for another key; the error says when there may be. kUnavailable: a
  // remote backend is away, and its fail mode is to refuse.
  StatusOr<LimitDecision> Check(std::span<const LimitCheck> checks) {
    LimitDecision decision;
    Status checked = CheckInto(checks, &decision);
    if (!checked.ok()) return checked;
    return decision;
  }
  // The same into `*decision`, which is as LimitDecision() makes it.
  virtual Status CheckInto(std::span<const LimitCheck> checks, LimitDecision* decision) = 0;
  virtual void CheckAsync(std::span<const LimitCheck> checks, Done<StatusOr<LimitDecision>> done) {
    done(Check(checks));
  }

  // Gives back what an allowed check took. Best effort: never above the limit. Nothing says which charge is
  // meant: an exact window gives back its oldest ones, so that what is kept is counted for as long as any of
  // it could be. A refund that comes after the charge has run out of its window takes from others'. Errors as
  // for Check. Where that matters, Reserve.
  virtual Status Refund(std::span<const LimitCheck> checks) = 0;
  virtual void RefundAsync(std::span<const LimitCheck> checks, Done<Status> done) { done(Refund(checks)); }

  // Check, and a lease on what was taken, for something that may yet fail: refund the lease then, else drop
  // it (there is nothing to commit: what nobody gives back stays taken until it runs out).
  virtual StatusOr<LimitReservation> Reserve(std::span<const LimitCheck> checks) = 0;
  virtual void ReserveAsync(std::span<const LimitCheck> checks, Done<StatusOr<LimitReservation>> done) {
    done(Reserve(checks));
  }

  // Gives back what the lease took and what of it still counts: of an exact window the very units of that
  // moment, of GCRA its cost, but no more time than is left of the charge. True when the refund was accepted
  // (all its parts may have run out of their windows meanwhile); false, and nothing given back, when the
  // lease is empty, was refunded before, has run out, names a rule that is no more, or was taken by a limiter
  // whose keys are not here (another process's memory; this one's before a restart). A lease is refunded at
  // most once, however many copies of it there are: for as long as the limiter lives in memory, everywhere
  // with a remote backend. kOverloaded: there is no room to remember that it was refunded, so it was not.
  virtual StatusOr<bool> RefundLease(const LimitLease& lease) = 0;
  virtual void RefundLeaseAsync(const LimitLease& lease, Done<StatusOr<bool>> done) {
    done(RefundLease(lease));
  }

  // The rule's limit, which a check must not cost more than; 0: there is no such rule.
  virtual int64_t LimitOf(std::string_view rule) const = 0;
  // Whether an answer may come from the network.
  virtual bool remote() const { return false; }
  virtual LimitStats Stats() const = 0;
};

}  // namespace mediagen
