// Moves of jobs between states, with all that a move causes: the parent that counts its children, the
// children that a cancel reaches, the events that tell of it.
#pragma once

#include <string_view>

#include "jobs/settings.h"
#include "jobs/transition.h"
#include "store/store.h"

namespace mediagen {

// Thread-safe; each call belongs to the transaction that it is given.
class Moves {
 public:
  Moves(Clock* clock, const SettingsTable* settings) : clock_(clock), settings_(settings) {}

  // Writes `job`, which was read in state `before` with fence `fence`. A job that goes back to wait gives its
  // unique key up where another has taken it meanwhile.
  Status Write(Transaction& transaction, Job job, uint64_t fence, JobState before) const;
  // The job ends, or is asked to: true when it has ended at once. What waits below it ends with it. The job
  // must not have ended.
  StatusOr<bool> Cancel(Transaction& transaction, Job job) const;
  // A job that ended badly goes back to wait, with its children that did. A unique key that another has taken
  // is a kConflict that names the holder, or is given up.
  enum class TakenKey { kRefuse, kGiveUp };
  Status Retry(Transaction& transaction, Job job, TakenKey taken = TakenKey::kRefuse) const;
  // A child that was inserted joins its parent's count; kConflict when that does not wait for children.
  Status Join(Transaction& transaction, const Job& child) const;
  // The child's work is further by some units.
  Status Advance(Transaction& transaction, const Job& child, int64_t by_units) const;
  Status Tell(Transaction& transaction, std::string_view type, const Job& job) const;

 private:
  Status Ended(Transaction& transaction, const Job& job) const;
  Status ChildEnded(Transaction& transaction, const Job& child) const;
  Status ChildCame(Transaction& transaction, const Job& child, JobState before) const;
  Status Conclude(Transaction& transaction, const Family& family, Job parent) const;
  Status EndParent(Transaction& transaction, Job parent, const Job& child) const;
  Status CancelChildren(Transaction& transaction, const Id& parent) const;
  Status RetryChildren(Transaction& transaction, Family family) const;

  Clock* const clock_;
  const SettingsTable* const settings_;
};

}  // namespace mediagen
