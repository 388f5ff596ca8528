#include "jobs/transition.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "fmt/format.h"
#include "jobs/backoff.h"
#include "jobs/provider_jobs.h"

namespace mediagen {
namespace {

// Nobody's any more. The fence stays: the next claim raises it, and a row that is not held refuses the old
// one.
void LetGo(Job* job) {
  job->worker = Id{};
  job->alive_mono = -1;
}

// How many failures the job survives.
int TriesOf(const Job& job, const RetryPolicy& policy) {
  return job.max_tries >= 0 ? job.max_tries : policy.tries;
}

// A wait on the monotonic clock alone: once due_mono is set, the user's run time, which has passed, counts no
// more.
void WaitFor(int64_t wait_ms, Moment now, Job* job) {
  LetGo(job);
  wait_ms = std::min(wait_ms, kLongestWaitMs);
  job->state = wait_ms > 0 ? JobState::kScheduled : JobState::kReady;
  job->due_mono = wait_ms > 0 ? now.mono_ms + wait_ms : -1;
}

// A reason is a sentence, or an error document that somebody has already made.
std::string ErrorFrom(const std::string& reason) {
  if (reason.starts_with('{')) {
    StatusOr<Json> parsed = ParseJson(reason, "job error");
    if (parsed.ok() && parsed->is_object()) return reason;
  }
  return ErrorJson(Error(Code::kInternal, reason.empty() ? "The job failed and gave no reason." : reason));
}

}  // namespace

StatusOr<Job> FindHeld(const JobStore& jobs, const Id& id, uint64_t fence) {
  ASSIGN_OR_RETURN(std::optional<Job> job, jobs.Find(id));
  if (job && IsHeld(*job) && job->fence == fence) return *std::move(job);
  std::string now =
      !job ? "it is gone" : fmt::format("it is {} with fence {}", JobStateName(job->state), job->fence);
  return Error(
      Code::kStaleFence,
      fmt::format("Job {} is not held by the claim with fence {}: {}.", id.text(), fence, now),
      {.hint = "Drop the work: the job was taken away and may be running elsewhere.", .object = id.text()});
}

JobState ApplyOutcome(const Outcome& outcome, const RetryPolicy& policy, Moment now, Random* random,
                      Job* job) {
  switch (outcome.kind) {
    case Outcome::kDone:
      ApplyEnd(JobState::kDone, now, job);
      job->result_json = outcome.result_json;
      job->result_blob = outcome.result_blob;
      job->error_json.clear();
      break;
    case Outcome::kRetry:
      job->error_json = ErrorFrom(outcome.reason);
      if (++job->tries > TriesOf(*job, policy)) {
        ApplyEnd(JobState::kDead, now, job);
      } else {
        WaitFor(BackoffMs(policy, job->tries, outcome.after_ms, random), now, job);
      }
      break;
    case Outcome::kDefer:
      if (!outcome.reason.empty()) job->error_json = ErrorFrom(outcome.reason);
      WaitFor(outcome.after_ms, now, job);
      break;
    case Outcome::kDiscard:
      job->error_json = ErrorFrom(outcome.reason);
      ApplyEnd(JobState::kDead, now, job);
      break;
    case Outcome::kCancel:
      ApplyEnd(JobState::kCanceled, now, job);
      break;
  }
  return job->state;
}

bool SaysUnknown(const std::string& error_json) {
  const Json error = Json::parse(error_json, nullptr, false);
  return error.is_object() && error.value("code", Json()) == CodeName(Code::kUnknownOutcome);
}

JobState ApplyCrash(const Status& why, const RetryPolicy& policy, Moment now, Job* job) {
  if (IsPaid(*job)) {
    job->error_json = ErrorJson(Error(
        Code::kUnknownOutcome, fmt::format("it was claimed and not finished: {}", InfoOf(why).message)));
    ApplyEnd(JobState::kDead, now, job);
  } else if (++job->tries > TriesOf(*job, policy)) {
    job->error_json = ErrorJson(why);
    ApplyEnd(JobState::kDead, now, job);
  } else {
    ApplyReturn(job);
  }
  return job->state;
}

void WaitUntil(int64_t mono_ms, Moment now, Job* job) {
  if (IsEnded(job->state) || mono_ms <= std::max(now.mono_ms, job->due_mono)) return;
  WaitFor(mono_ms - now.mono_ms, now, job);
}

void ApplyEnd(JobState state, Moment now, Job* job) {
  LetGo(job);
  job->state = state;
  job->finished_ms = now.wall_ms;
}

void ApplyReturn(Job* job) {
  LetGo(job);
  job->state = JobState::kReady;
  job->due_mono = -1;
}

void ApplyLeft(Moment now, Job* job) {
  if (!IsPaid(*job) || job->state != JobState::kRunning) return ApplyReturn(job);
  ApplyCrash(Error(Code::kUnavailable, "its worker left."), {}, now, job);
}

void ApplyCancel(Moment now, Job* job) {
  job->cancel_requested = true;
  job->due_mono = -1;
  ApplyEnd(JobState::kCanceled, now, job);
}

void ApplyRetry(Job* job) {
  ApplyReturn(job);
  job->tries = 0;
  job->finished_ms = -1;
  job->cancel_requested = false;
  job->error_json.clear();
  job->progress_json.clear();
}

std::string_view OutcomeName(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::kDone:
      return "done";
    case Outcome::kRetry:
      return "retry";
    case Outcome::kDefer:
      return "defer";
    case Outcome::kDiscard:
      return "discard";
    case Outcome::kCancel:
      return "cancel";
  }
  return "unknown";
}

}  // namespace mediagen
