// JobRows: what is written to a job's row at somebody's request: enqueue, finish, signs of life, park,
// cancel, retry.
#pragma once

#include <string>
#include <string_view>

#include "jobs/held.h"
#include "jobs/move.h"
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
          TimeLimits* limits, const Moves* moves)
      : clock_(clock),
        random_(random),
        ids_(ids),
        settings_(settings),
        held_(held),
        limits_(limits),
        moves_(moves) {}

  StatusOr<Id> Enqueue(Transaction& transaction, NewJob job) const;
  Status Finish(Transaction& transaction, const Id& id, uint64_t fence, const Outcome& outcome) const;
  void OnLateEnd(Queues::LateEnd taken) { late_end_ = std::move(taken); }
  Status Heartbeat(Transaction& transaction, const Id& id, uint64_t fence) const;
  Status Progress(Transaction& transaction, const Id& id, uint64_t fence,
                  std::string_view progress_json) const;
  Status Checkpoint(Transaction& transaction, const Id& id, uint64_t fence,
                    std::string_view checkpoint_json) const;
  Status Log(Transaction& transaction, const Id& id, uint64_t fence, std::string_view level,
             std::string_view message) const;
  Status Park(Transaction& transaction, const Id& id, uint64_t fence) const;
  Status Unpark(Transaction& transaction, const Id& id, uint64_t fence) const;
  StatusOr<bool> RequestCancel(Transaction& transaction, const Id& id) const;
  Status Retry(Transaction& transaction, const Id& id) const;
  // Retries up to `limit` dead jobs of `queue` (and of `kind`, unless that is "") behind `after`, which
  // becomes the last one looked at. Whether there may be more.
  StatusOr<bool> RetryDead(Transaction& transaction, const std::string& queue, const std::string& kind,
                           int limit, Id* after, Queues::Retried* counts) const;
  // Everything that `worker` holds goes back unharmed, and its row goes.
  Status HandBack(Transaction& transaction, const Id& worker) const;

 private:
  Status CheckNew(const NewJob& job) const;
  StatusOr<Id> Insert(Transaction& transaction, NewJob& job, const Id& parent) const;
  StatusOr<bool> FinishPlain(Transaction& transaction, const Id& id, uint64_t fence,
                             const Outcome& outcome) const;
  StatusOr<bool> FinishLate(Transaction& transaction, const Id& id, uint64_t fence,
                            const Outcome& outcome) const;
  StatusOr<int64_t> RetryAt(Transaction& transaction, const Job& job, Moment now) const;

  Clock* const clock_;
  Random* const random_;
  IdSource* const ids_;
  const SettingsTable* const settings_;
  HeldJobs* const held_;
  TimeLimits* const limits_;
  const Moves* const moves_;
  Queues::LateEnd late_end_;
};

}  // namespace mediagen
