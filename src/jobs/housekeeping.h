// Housekeeping: finished jobs go when they are too old or too many for their queue's settings.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "jobs/beat.h"
#include "jobs/settings.h"
#include "store/store.h"

namespace mediagen {

// Called by one thread at a time. Any number of processes may keep one house.
class Housekeeping {
 public:
  Housekeeping(Store* store, Clock* clock, Metrics* metrics, LogSink* log, const SettingsTable* settings,
               const Beat* beat);

  // Begins what is due: a little at a time, so that no claim waits for it. The monotonic ms of the next look.
  int64_t RunIfDue();
  int64_t next_due() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // a commit under way holds it
};

}  // namespace mediagen
