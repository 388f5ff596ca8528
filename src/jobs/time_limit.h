// TimeLimits: a running job whose last sign of life is older than its timeout is taken away from its holder,
// however alive the worker is.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "jobs/held.h"
#include "jobs/move.h"
#include "jobs/settings.h"
#include "store/store.h"

namespace mediagen {

// Note is thread-safe; Check is called by one thread at a time.
class TimeLimits {
 public:
  // `recheck_ms`: how often the table of held jobs is compared with the rows, at least.
  TimeLimits(Store* store, Clock* clock, Metrics* metrics, LogSink* log, HeldJobs* held,
             const SettingsTable* settings, const Moves* moves, Id worker, int64_t recheck_ms);

  // A job runs since now and may do so for `timeout_ms`. Signs of life only move its limit back, so they need
  // not be noted.
  void Note(int64_t timeout_ms);
  // Takes away what has run out. The monotonic ms of the next check.
  int64_t CheckIfDue();
  int64_t next_due() const { return next_due_; }

 private:
  Status Check(int64_t now);
  Status TakeAway(const HeldJobs::Claims& hung);
  void Advance(int64_t due);

  Store* const store_;
  Clock* const clock_;
  LogSink* const log_;
  HeldJobs* const held_;
  const SettingsTable* const settings_;
  const Moves* const moves_;
  const Id worker_;
  const int64_t recheck_ms_;
  Counter taken_away_;
  std::atomic<int64_t> next_due_{INT64_MAX};
};

}  // namespace mediagen
