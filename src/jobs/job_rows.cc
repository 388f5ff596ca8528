#include "jobs/job_rows.h"

#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "jobs/transition.h"

namespace mediagen {
namespace {

StatusOr<Job> FindAny(Transaction& transaction, const Id& id) {
  ASSIGN_OR_RETURN(std::optional<Job> job, transaction.jobs().Find(id));
  if (job) return *std::move(job);
  return Error(Code::kNotFound, fmt::format("There is no job {}.", id.text()), {.object = id.text()});
}

// A change by the holder is a sign of life.
template <typename Change>
Status Touch(Transaction& transaction, const Id& id, uint64_t fence, Clock* clock, const Change& change) {
  ASSIGN_OR_RETURN(Job job, FindHeld(transaction.jobs(), id, fence));
  change(&job);
  job.alive_mono = clock->MonotonicMs();
  return transaction.jobs().Update(job, fence);
}

}  // namespace

StatusOr<Id> JobRows::Enqueue(Transaction& transaction, NewJob job) const {
  if (job.queue.empty() || job.kind.empty()) {
    return Error(Code::kInvalid, "A job names its queue and its kind.", {.object = job.id.text()});
  }
  Job row{.id = job.id.empty() ? ids_->Next() : job.id,
          .queue = std::move(job.queue),
          .kind = std::move(job.kind),
          .user = std::move(job.user),
          .provider_key = std::move(job.provider_key),
          .payload_json = std::move(job.payload_json),
          .priority = job.priority,
          .run_at_ms = job.run_at_ms,
          .unique_key = std::move(job.unique_key)};
  row.timeout_ms = job.timeout_ms >= 0 ? job.timeout_ms : settings_->Of(row.queue).timeout_ms;
  row.created_ms = clock_->WallMs();
  if (row.run_at_ms > row.created_ms) row.state = JobState::kScheduled;
  ASSIGN_OR_RETURN(Id stands, transaction.jobs().Insert(row));
  if (stands == row.id) transaction.WakeQueues();
  return stands;
}

Status JobRows::Finish(Transaction& transaction, const Id& id, uint64_t fence, const Outcome& outcome) const {
  JobStore& jobs = transaction.jobs();
  ASSIGN_OR_RETURN(Job job, FindHeld(jobs, id, fence));
  JobState left_in = ApplyOutcome(outcome, settings_->Of(job.queue).retry, Moment::Of(clock_), random_, &job);
  RETURN_IF_ERROR(jobs.Update(job, fence));
  // Others may wait for the slot, or must set a timer.
  if (left_in == JobState::kReady || left_in == JobState::kScheduled) transaction.WakeQueues();
  transaction.FreedSlot(job.queue);
  held_->MarkFinished(id, fence, outcome.kind);
  return OkStatus();
}

Status JobRows::Heartbeat(Transaction& transaction, const Id& id, uint64_t fence) const {
  return Touch(transaction, id, fence, clock_, [](Job*) {});
}

Status JobRows::Progress(Transaction& transaction, const Id& id, uint64_t fence,
                         std::string_view progress_json) const {
  return Touch(transaction, id, fence, clock_, [&](Job* job) { job->progress_json = progress_json; });
}

Status JobRows::Park(Transaction& transaction, const Id& id, uint64_t fence) const {
  return Touch(transaction, id, fence, clock_, [](Job* job) { job->state = JobState::kParked; });
}

Status JobRows::Unpark(Transaction& transaction, const Id& id, uint64_t fence) const {
  return Touch(transaction, id, fence, clock_, [this](Job* job) {
    job->state = JobState::kRunning;
    limits_->Note(job->timeout_ms);
  });
}

StatusOr<bool> JobRows::RequestCancel(Transaction& transaction, const Id& id) const {
  ASSIGN_OR_RETURN(Job job, FindAny(transaction, id));
  switch (job.state) {
    case JobState::kCanceled:
      return true;
    case JobState::kScheduled:
    case JobState::kReady:
    case JobState::kWaiting:
      ApplyCancel(Moment::Of(clock_), &job);
      RETURN_IF_ERROR(transaction.jobs().Update(job, job.fence));
      return true;
    case JobState::kRunning:
    case JobState::kParked:
      job.cancel_requested = true;
      RETURN_IF_ERROR(transaction.jobs().Update(job, job.fence));
      transaction.WakeQueues();
      return false;
    case JobState::kDone:
    case JobState::kDead:
      break;
  }
  return Error(Code::kConflict,
               fmt::format("Job {} is {} and cannot be canceled.", id.text(), JobStateName(job.state)),
               {.object = id.text()});
}

Status JobRows::Retry(Transaction& transaction, const Id& id) const {
  ASSIGN_OR_RETURN(Job job, FindAny(transaction, id));
  if (job.state != JobState::kDead) {
    return Error(Code::kConflict,
                 fmt::format("Job {} is {}; only a dead job is retried.", id.text(), JobStateName(job.state)),
                 {.object = id.text()});
  }
  ApplyRetry(&job);
  RETURN_IF_ERROR(transaction.jobs().Update(job, job.fence));
  transaction.WakeQueues();
  return OkStatus();
}

Status JobRows::HandBack(Transaction& transaction, const Id& worker) const {
  JobStore& jobs = transaction.jobs();
  ASSIGN_OR_RETURN(std::vector<Job> held, jobs.HeldBy(worker));
  for (Job& job : held) {
    ApplyReturn(&job);
    RETURN_IF_ERROR(jobs.Update(job, job.fence));
  }
  RETURN_IF_ERROR(jobs.RemoveWorker(worker));
  transaction.WakeQueues();  // the jobs, or at least the slots
  return OkStatus();
}

}  // namespace mediagen
