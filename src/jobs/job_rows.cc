#include "jobs/job_rows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "jobs/backoff.h"
#include "jobs/pace.h"
#include "jobs/provider_jobs.h"
#include "jobs/transition.h"

namespace mediagen {
namespace {

constexpr int kLogLines = 1000;  // of a job

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

Status JobRows::CheckNew(const NewJob& job) const {
  if (job.queue.empty() || job.kind.empty()) {
    return Error(Code::kInvalid, "A job names its queue and its kind.", {.object = job.id.text()});
  }
  if (job.run_at_ms >= 0 && job.delay_ms >= 0) {
    return Error(Code::kInvalid, "A job has a \"runAt\" or a \"delayMs\", not both.",
                 {.object = job.id.text()});
  }
  return OkStatus();
}

StatusOr<Id> JobRows::Enqueue(Transaction& transaction, NewJob job) const {
  return Insert(transaction, job, job.parent);
}

StatusOr<Id> JobRows::Insert(Transaction& transaction, NewJob& job, const Id& parent) const {
  RETURN_IF_ERROR(CheckNew(job));
  const Moment now = Moment::Of(clock_);
  Job row{.id = job.id.empty() ? ids_->Next() : job.id,
          .queue = std::move(job.queue),
          .kind = std::move(job.kind),
          .user = std::move(job.user),
          .provider_key = std::move(job.provider_key),
          .model_key = std::move(job.model_key),
          .payload_json = std::move(job.payload_json),
          .priority = job.priority,
          .run_at_ms = job.run_at_ms,
          .max_tries = job.max_tries,
          .cost = job.cost,
          .unique_key = std::move(job.unique_key),
          .unique_states = job.unique_states,
          .parent = parent,
          .units = job.units};
  row.timeout_ms = job.timeout_ms >= 0 ? job.timeout_ms : settings_->Of(row.queue).timeout_ms;
  row.created_ms = now.wall_ms;
  if (!row.unique_key.empty() && job.unique_period_ms > 0)
    row.unique_key += fmt::format("\n{}", now.wall_ms / job.unique_period_ms);
  if (row.run_at_ms > now.wall_ms || job.delay_ms > 0) row.state = JobState::kScheduled;
  if (job.delay_ms > 0) row.due_mono = now.mono_ms + std::min(job.delay_ms, kLongestWaitMs);
  if (!job.children.empty()) row.state = JobState::kWaiting;
  ASSIGN_OR_RETURN(Id stands, transaction.jobs().Insert(row));
  if (stands != row.id) {
    if (parent.empty()) return stands;
    return Error(
        Code::kConflict,
        fmt::format("The unique key \"{}\" of a child is held by job {}.", row.unique_key, stands.text()),
        {.hint = "Give the children no unique keys, or the parent one.", .object = stands.text()});
  }
  if (!parent.empty()) RETURN_IF_ERROR(moves_->Join(transaction, row));
  transaction.WakeQueues();
  if (job.children.empty()) return stands;
  RETURN_IF_ERROR(transaction.jobs().PutFamily(
      {.parent = stands, .fail_fast = job.fail_fast, .run_after = job.run_after}));
  for (NewJob& child : job.children) RETURN_IF_ERROR(Insert(transaction, child, stands).status());
  return stands;
}

// When the queue's retry budget lets this one begin.
StatusOr<int64_t> JobRows::RetryAt(Transaction& transaction, const Job& job, Moment now) const {
  const Allowance budget = settings_->Of(job.queue).retry.budget;
  if (budget.amount <= 0) return now.mono_ms;
  ASSIGN_OR_RETURN(Pace pace, transaction.jobs().PaceOf(job.queue));
  if (pace.boot != BootId()) pace = {.boot = BootId()};
  const int64_t at_ms = PaceRetry(budget, now.mono_ms, &pace.retry_us);
  RETURN_IF_ERROR(transaction.jobs().PutPace(job.queue, pace));
  return at_ms;
}

// True when the job is done and there is nothing more to it. Its end by the long way comes to the same.
StatusOr<bool> JobRows::FinishPlain(Transaction& transaction, const Id& id, uint64_t fence,
                                    const Outcome& outcome) const {
  if (outcome.kind != Outcome::kDone || !outcome.result_blob.empty()) return false;
  const std::optional<ClaimedJob> claim = held_->Plain(id, fence);
  if (!claim || settings_->Of(claim->queue).events) return false;
  ASSIGN_OR_RETURN(const bool ended,
                   transaction.jobs().EndClaimed(*claim, outcome.result_json, clock_->WallMs()));
  if (!ended) return false;
  transaction.FreedSlot(claim->queue);
  held_->MarkFinished(id, fence, outcome.kind);
  return true;
}

// Money was spent, so what its worker knows in the end is worth more than the order of things. True when the
// job was one of those and is over now.
StatusOr<bool> JobRows::FinishLate(Transaction& transaction, const Id& id, uint64_t fence,
                                   const Outcome& outcome) const {
  const bool says =
      outcome.kind == Outcome::kDone || (outcome.kind == Outcome::kDiscard && !SaysUnknown(outcome.reason));
  if (!says || !late_end_) return false;
  ASSIGN_OR_RETURN(std::optional<Job> job, transaction.jobs().Find(id));
  if (!job || job->fence != fence || !IsPaid(*job) || job->state != JobState::kDead ||
      !SaysUnknown(job->error_json))
    return false;
  ApplyOutcome(outcome, settings_->Of(job->queue).retry, Moment::Of(clock_), random_, &*job);
  RETURN_IF_ERROR(moves_->Write(transaction, *job, fence, JobState::kDead));
  transaction.WakeQueues();
  RETURN_IF_ERROR(late_end_(transaction, *job));
  return true;
}

Status JobRows::Finish(Transaction& transaction, const Id& id, uint64_t fence, const Outcome& outcome) const {
  ASSIGN_OR_RETURN(const bool ended, FinishPlain(transaction, id, fence, outcome));
  if (ended) return OkStatus();
  StatusOr<Job> held = FindHeld(transaction.jobs(), id, fence);
  if (CodeOf(held.status()) == Code::kStaleFence) {
    ASSIGN_OR_RETURN(const bool taken, FinishLate(transaction, id, fence, outcome));
    if (taken) return OkStatus();
  }
  RETURN_IF_ERROR(held.status());
  Job job = *std::move(held);
  const JobState before = job.state;
  const Moment now = Moment::Of(clock_);
  JobState left_in = ApplyOutcome(outcome, settings_->Of(job.queue).retry, now, random_, &job);
  if (outcome.kind == Outcome::kRetry && !IsEnded(left_in)) {
    ASSIGN_OR_RETURN(const int64_t at_ms, RetryAt(transaction, job, now));
    WaitUntil(at_ms, now, &job);
    left_in = job.state;
  }
  RETURN_IF_ERROR(moves_->Write(transaction, job, fence, before));
  // Others may wait for the slot, or must set a timer.
  if (left_in == JobState::kReady || left_in == JobState::kScheduled || IsAwaited(job))
    transaction.WakeQueues();
  transaction.FreedSlot(job.queue);
  held_->MarkFinished(id, fence, outcome.kind);
  return OkStatus();
}

Status JobRows::Heartbeat(Transaction& transaction, const Id& id, uint64_t fence) const {
  return Touch(transaction, id, fence, clock_, [](Job*) {});
}

// A job that is a share of its parent's work has done as much of it as its "current" says.
Status JobRows::Progress(Transaction& transaction, const Id& id, uint64_t fence,
                         std::string_view progress_json) const {
  ASSIGN_OR_RETURN(Job job, FindHeld(transaction.jobs(), id, fence));
  job.progress_json = progress_json;
  job.alive_mono = clock_->MonotonicMs();
  int64_t further = 0;
  if (!job.parent.empty() && job.units > 1) {
    const Json progress = Json::parse(progress_json, nullptr, false);
    if (progress.is_object() && progress.contains("current") && progress["current"].is_number_integer()) {
      further = std::clamp<int64_t>(progress["current"].get<int64_t>(), 0, job.units) - job.units_done;
      job.units_done += further;
    }
  }
  RETURN_IF_ERROR(transaction.jobs().Update(job, fence));
  RETURN_IF_ERROR(moves_->Advance(transaction, job, further));
  return settings_->Of(job.queue).events ? moves_->Tell(transaction, "job.progress", job) : OkStatus();
}

Status JobRows::Checkpoint(Transaction& transaction, const Id& id, uint64_t fence,
                           std::string_view checkpoint_json) const {
  return Touch(transaction, id, fence, clock_, [&](Job* job) { job->checkpoint_json = checkpoint_json; });
}

Status JobRows::Log(Transaction& transaction, const Id& id, uint64_t fence, std::string_view level,
                    std::string_view message) const {
  RETURN_IF_ERROR(Heartbeat(transaction, id, fence));
  return transaction.jobs().AppendLog(id, clock_->WallMs(), level, message, kLogLines);
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
  if (job.state == JobState::kCanceled) return true;
  if (!IsEnded(job.state)) return moves_->Cancel(transaction, std::move(job));
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
  return moves_->Retry(transaction, std::move(job));
}

StatusOr<bool> JobRows::RetryDead(Transaction& transaction, const std::string& queue, const std::string& kind,
                                  int limit, Id* after, Queues::Retried* counts) const {
  ASSIGN_OR_RETURN(std::vector<Job> dead, transaction.jobs().List(queue, JobState::kDead, *after, limit));
  for (Job& job : dead) {
    *after = job.id;
    if (!kind.empty() && job.kind != kind) continue;
    const Status retried = moves_->Retry(transaction, std::move(job));
    if (CodeOf(retried) == Code::kConflict) {
      ++counts->in_conflict;
      continue;
    }
    RETURN_IF_ERROR(retried);
    ++counts->retried;
  }
  return dead.size() == static_cast<size_t>(limit);
}

Status JobRows::HandBack(Transaction& transaction, const Id& worker) const {
  JobStore& jobs = transaction.jobs();
  ASSIGN_OR_RETURN(std::vector<Job> held, jobs.HeldBy(worker));
  for (Job& job : held) {
    const JobState before = job.state;
    ApplyLeft(Moment::Of(clock_), &job);
    RETURN_IF_ERROR(moves_->Write(transaction, job, job.fence, before));
  }
  RETURN_IF_ERROR(jobs.RemoveWorker(worker));
  transaction.WakeQueues();  // the jobs, or at least the slots
  return OkStatus();
}

}  // namespace mediagen
