// JobRows: what is written to a job's row at somebody's request: enqueue, finish, signs of life, park,
// cancel, retry.
#pragma once

#include <string>
#include <string_view>

#include "jobs/held.h"
#include "jobs/queue.h"
#include "jobs/settings.h"
#include "jobs/time_limit.h"
#include "store/store.h"

namespace mediagen {

// Thread-safe; each call belongs to the transaction that it is given. See queue.h for what the functions
// promise.
class JobRows {
 public:
  // Everything must outlive it.
  JobRows(Clock* clock, Random* random, IdSource* ids, const SettingsTable* settings, HeldJobs* held,
          TimeLimits* limits)
      : clock_(clock), random_(random), ids_(ids), settings_(settings), held_(held), limits_(limits) {}

  StatusOr<Id> Enqueue(Transaction& transaction, NewJob job) const;
  Status Finish(Transaction& transaction, const Id& id, uint64_t fence, const Outcome& outcome) const;
  Status Heartbeat(Transaction& transaction, const Id& id, uint64_t fence) const;
  Status Progress(Transaction& transaction, const Id& id, uint64_t fence,
                  std::string_view progress_json) const;
  Status Park(Transaction& transaction, const Id& id, uint64_t fence) const;
  Status Unpark(Transaction& transaction, const Id& id, uint64_t fence) const;
  StatusOr<bool> RequestCancel(Transaction& transaction, const Id& id) const;
  Status Retry(Transaction& transaction, const Id& id) const;
  // Everything that `worker` holds goes back unharmed, and its row goes.
  Status HandBack(Transaction& transaction, const Id& worker) const;

 private:
  Clock* const clock_;
  Random* const random_;
  IdSource* const ids_;
  const SettingsTable* const settings_;
  HeldJobs* const held_;
  TimeLimits* const limits_;
};

}  // namespace mediagen
