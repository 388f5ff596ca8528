#include "jobs/time_limit.h"

#include <algorithm>

#include "fmt/format.h"
#include "jobs/backoff.h"
#include "jobs/transition.h"

namespace mediagen {
namespace {

constexpr int64_t kFailedCheckMs = 500;  // after a check that failed

int64_t LimitOf(const Job& job) { return job.alive_mono + std::min(job.timeout_ms, kLongestWaitMs); }

bool IsHung(const Job& job, int64_t now) { return job.state == JobState::kRunning && LimitOf(job) <= now; }

}  // namespace

TimeLimits::TimeLimits(Store* store, Clock* clock, Metrics* metrics, LogSink* log, HeldJobs* held,
                       const SettingsTable* settings, const Moves* moves, Id worker, int64_t recheck_ms)
    : store_(store),
      clock_(clock),
      log_(log),
      held_(held),
      settings_(settings),
      moves_(moves),
      worker_(worker),
      recheck_ms_(recheck_ms),
      taken_away_(metrics->AddCounter("mediagen_jobs_returned_total", "Jobs taken away from their holder.",
                                      {{"reason", "timeout"}})) {}

void TimeLimits::Advance(int64_t due) {
  int64_t next = next_due_;
  while (due < next && !next_due_.compare_exchange_weak(next, due)) {
  }
}

void TimeLimits::Note(int64_t timeout_ms) {
  Advance(clock_->MonotonicMs() + std::clamp<int64_t>(timeout_ms, 0, recheck_ms_));
}

int64_t TimeLimits::CheckIfDue() {
  int64_t now = clock_->MonotonicMs();
  if (now < next_due_) return next_due_;
  next_due_ = INT64_MAX;  // a Note from now on counts
  Status status = Check(now);
  if (!status.ok() && CodeOf(status) != Code::kClosed) {
    log_->Write(LogLevel::kWarning, "jobs",
                fmt::format("Time limits were not checked: {}", InfoOf(status).message));
    Advance(now + kFailedCheckMs);
  }
  return next_due_;
}

Status TimeLimits::Check(int64_t now) {
  HeldJobs::Claims before = held_->All();
  if (before.empty()) return OkStatus();
  std::vector<Job> rows;
  RETURN_IF_ERROR(store_->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(rows, snapshot.jobs().HeldBy(worker_));
    return OkStatus();
  }));
  held_->Reconcile(before, rows);
  HeldJobs::Claims hung;
  int64_t next = now + recheck_ms_;
  for (const Job& job : rows) {
    if (IsHung(job, now)) {
      hung.emplace_back(job.id, job.fence);
    } else if (job.state == JobState::kRunning) {
      next = std::min(next, LimitOf(job));
    }
  }
  Advance(next);
  return hung.empty() ? OkStatus() : TakeAway(hung);
}

Status TimeLimits::TakeAway(const HeldJobs::Claims& hung) {
  HeldJobs::Claims taken;
  RETURN_IF_ERROR(store_->Commit([&](Transaction& transaction) -> Status {
    taken.clear();
    Moment now = Moment::Of(clock_);
    for (const auto& [id, fence] : hung) {
      StatusOr<Job> job = FindHeld(transaction.jobs(), id, fence);
      if (CodeOf(job.status()) == Code::kStaleFence) continue;
      RETURN_IF_ERROR(job.status());
      if (!IsHung(*job, now.mono_ms)) continue;
      Status why = Error(Code::kTimeout,
                         fmt::format("Job {} gave no sign of life for {} ms.", id.text(), job->timeout_ms),
                         {.hint = "Heartbeat more often, or raise timeoutMs.", .object = id.text()});
      ApplyCrash(why, settings_->Of(job->queue).retry, now, &*job);
      RETURN_IF_ERROR(moves_->Write(transaction, *job, fence, JobState::kRunning));
      taken.emplace_back(id, fence);
    }
    if (!taken.empty()) transaction.WakeQueues();
    return OkStatus();
  }));
  for (const auto& [id, fence] : taken) {
    held_->Drop(id, fence);
    taken_away_.Add();
    log_->Write(LogLevel::kWarning, "jobs", "A job passed its time limit and was taken away.",
                {{"job", id.text()}});
  }
  return OkStatus();
}

}  // namespace mediagen
