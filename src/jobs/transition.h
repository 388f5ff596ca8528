// The moves of one job's row. Pure: they change a Job in memory; the caller writes it under its fence.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/id.h"
#include "base/status.h"
#include "jobs/queue.h"

namespace mediagen {

struct Moment {
  int64_t wall_ms = 0;
  int64_t mono_ms = 0;
  static Moment Of(Clock* clock) { return {clock->WallMs(), clock->MonotonicMs()}; }
};

inline bool IsHeld(const Job& job) {
  return job.state == JobState::kRunning || job.state == JobState::kParked;
}

// The job, if the claim with `fence` still holds it; kStaleFence otherwise (taken away, handed back, finished
// or gone).
StatusOr<Job> FindHeld(const JobStore& jobs, const Id& id, uint64_t fence);

// A held job ends, or goes back to wait, as its handler says. Returns the state that it is left in.
JobState ApplyOutcome(const Outcome& outcome, const RetryPolicy& policy, Moment now, Random* random,
                      Job* job);

// A job that is to be tried again waits until `mono_ms` at least.
void WaitUntil(int64_t mono_ms, Moment now, Job* job);

// A running job whose holder died or hung: ready again with one try burnt, or dead past `policy.tries`. `why`
// is kept as the error of a dead one. What may have been paid for (provider_jobs.h) is dead at once.
// Whether an error document says that nobody knows what became of paid work.
bool SaysUnknown(const std::string& error_json);
JobState ApplyCrash(const Status& why, const RetryPolicy& policy, Moment now, Job* job);

// A held job that nobody works on any more, through no fault of its own: ready again, no try burnt.
void ApplyReturn(Job* job);

// Nobody works on it any more.
void ApplyEnd(JobState state, Moment now, Job* job);

// Like ApplyReturn, of a job that its holder may have begun: one that may have been paid for by then is dead.
void ApplyLeft(Moment now, Job* job);

// A job that waits is canceled.
void ApplyCancel(Moment now, Job* job);

// A dead job starts anew.
void ApplyRetry(Job* job);

std::string_view OutcomeName(Outcome::Kind kind);

}  // namespace mediagen
