#include "jobs/move.h"

#include <utility>
#include <vector>

#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int kChildrenAtOnce = 200;

std::string FamilyResult(const Family& family) {
  return fmt::format(R"({{"children":{},"failed":{},"canceled":{}}})", family.children, family.failed,
                     family.canceled);
}

// Calls `each` for every child of `parent`, which it may change.
template <typename Each>
Status ForChildren(const JobStore& jobs, const Id& parent, const Each& each) {
  Id after;
  while (true) {
    ASSIGN_OR_RETURN(std::vector<Job> children, jobs.ChildrenOf(parent, after, kChildrenAtOnce));
    for (Job& child : children) RETURN_IF_ERROR(each(child));
    if (children.size() < static_cast<size_t>(kChildrenAtOnce)) return OkStatus();
    after = children.back().id;
  }
}

}  // namespace

Status Moves::Write(Transaction& transaction, Job job, uint64_t fence, JobState before) const {
  Status written = transaction.jobs().Update(job, fence);
  if (CodeOf(written) == Code::kConflict && !IsEnded(job.state)) {
    job.unique_key.clear();
    written = transaction.jobs().Update(job, fence);
  }
  RETURN_IF_ERROR(written);
  return IsEnded(job.state) && !IsEnded(before) ? Ended(transaction, job) : OkStatus();
}

Status Moves::Ended(Transaction& transaction, const Job& job) const {
  if (job.state == JobState::kDead || settings_->Of(job.queue).events)
    RETURN_IF_ERROR(Tell(transaction, fmt::format("job.{}", JobStateName(job.state)), job));
  return job.parent.empty() ? OkStatus() : ChildEnded(transaction, job);
}

Status Moves::ChildEnded(Transaction& transaction, const Job& child) const {
  JobStore& jobs = transaction.jobs();
  ASSIGN_OR_RETURN(std::optional<Family> family, jobs.FindFamily(child.parent));
  if (!family) return OkStatus();
  --family->pending;
  if (child.state == JobState::kDone) family->units_done += child.units - child.units_done;
  if (child.state == JobState::kDead) ++family->failed;
  if (child.state == JobState::kCanceled) ++family->canceled;
  RETURN_IF_ERROR(jobs.PutFamily(*family));
  const bool failed = child.state != JobState::kDone && family->fail_fast;
  if (!failed && family->pending > 0) return OkStatus();
  ASSIGN_OR_RETURN(std::optional<Job> parent, jobs.Find(child.parent));
  if (!parent || parent->state != JobState::kWaiting) return OkStatus();
  if (failed) return EndParent(transaction, *std::move(parent), child);
  return Conclude(transaction, *family, *std::move(parent));
}

// All children of a waiting parent have ended.
Status Moves::Conclude(Transaction& transaction, const Family& family, Job parent) const {
  const Moment now = Moment::Of(clock_);
  if (family.run_after) {
    ApplyReturn(&parent);
    if (parent.run_at_ms > now.wall_ms) parent.state = JobState::kScheduled;
    transaction.WakeQueues();
  } else {
    ApplyEnd(JobState::kDone, now, &parent);
    parent.result_json = FamilyResult(family);
  }
  const uint64_t fence = parent.fence;
  return Write(transaction, std::move(parent), fence, JobState::kWaiting);
}

Status Moves::EndParent(Transaction& transaction, Job parent, const Job& child) const {
  Json error = Json::parse(child.error_json, nullptr, false);
  const std::string why = error.is_object() ? error.value("message", "") : "";
  parent.error_json = ErrorJson(Error(
      Code::kInternal, fmt::format("Its child {} is {}. {}", child.id.text(), JobStateName(child.state), why),
      {.hint = "Retry this job: it takes its failed children with it.", .object = child.id.text()}));
  ApplyEnd(JobState::kDead, Moment::Of(clock_), &parent);
  const Id id = parent.id;
  const uint64_t fence = parent.fence;
  RETURN_IF_ERROR(Write(transaction, std::move(parent), fence, JobState::kWaiting));
  return CancelChildren(transaction, id);
}

StatusOr<bool> Moves::Cancel(Transaction& transaction, Job job) const {
  const JobState before = job.state;
  const uint64_t fence = job.fence;
  if (IsHeld(job)) {
    if (!job.cancel_requested) {
      job.cancel_requested = true;
      RETURN_IF_ERROR(transaction.jobs().Update(job, fence));
      transaction.WakeQueues();
    }
    return false;
  }
  ApplyCancel(Moment::Of(clock_), &job);
  RETURN_IF_ERROR(Write(transaction, job, fence, before));
  if (before == JobState::kWaiting) RETURN_IF_ERROR(CancelChildren(transaction, job.id));
  return true;
}

Status Moves::CancelChildren(Transaction& transaction, const Id& parent) const {
  return ForChildren(transaction.jobs(), parent, [&](Job& child) {
    return IsEnded(child.state) ? OkStatus() : Cancel(transaction, std::move(child)).status();
  });
}

Status Moves::Retry(Transaction& transaction, Job job, TakenKey taken) const {
  JobStore& jobs = transaction.jobs();
  const JobState before = job.state;
  ApplyRetry(&job);
  ASSIGN_OR_RETURN(std::optional<Family> family, jobs.FindFamily(job.id));
  // A canceled one takes back what was canceled with it.
  const bool bad_children = family && family->failed + family->canceled > 0;
  const bool again = family && (family->pending > 0 ||
                                (bad_children && (family->fail_fast || before == JobState::kCanceled)));
  const bool over = family && !again && !family->run_after;  // a batch, all of whose items have ended
  if (again || over) job.state = JobState::kWaiting;
  Status written = jobs.Update(job, job.fence);
  if (CodeOf(written) == Code::kConflict && taken == TakenKey::kGiveUp) {
    job.unique_key.clear();
    written = jobs.Update(job, job.fence);
  }
  RETURN_IF_ERROR(written);
  transaction.WakeQueues();
  if (!job.parent.empty()) RETURN_IF_ERROR(ChildCame(transaction, job, before));
  if (again) return RetryChildren(transaction, *std::move(family));
  if (!over) return OkStatus();
  ApplyEnd(JobState::kDone, Moment::Of(clock_), &job);
  job.result_json = FamilyResult(*family);
  const uint64_t fence = job.fence;
  return Write(transaction, std::move(job), fence, JobState::kWaiting);
}

// One of them may end again at once: the parent counts as having another one until all were asked.
Status Moves::RetryChildren(Transaction& transaction, Family family) const {
  JobStore& jobs = transaction.jobs();
  ++family.pending;
  RETURN_IF_ERROR(jobs.PutFamily(family));
  RETURN_IF_ERROR(ForChildren(jobs, family.parent, [&](Job& child) {
    const bool ended_badly = child.state == JobState::kDead || child.state == JobState::kCanceled;
    return ended_badly ? Retry(transaction, std::move(child), TakenKey::kGiveUp) : OkStatus();
  }));
  ASSIGN_OR_RETURN(std::optional<Family> now, jobs.FindFamily(family.parent));
  if (!now) return OkStatus();
  --now->pending;
  RETURN_IF_ERROR(jobs.PutFamily(*now));
  ASSIGN_OR_RETURN(std::optional<Job> parent, jobs.Find(family.parent));
  const bool all_ended = now->pending == 0 && parent && parent->state == JobState::kWaiting;
  return all_ended ? Conclude(transaction, *now, *std::move(parent)) : OkStatus();
}

// A child that had ended waits again. So does its parent, when that is dead or has not begun; but a dead one
// not while others stand that ended it: with those, it would run on without what it waited for.
Status Moves::ChildCame(Transaction& transaction, const Job& child, JobState before) const {
  JobStore& jobs = transaction.jobs();
  ASSIGN_OR_RETURN(std::optional<Family> family, jobs.FindFamily(child.parent));
  if (!family) return OkStatus();
  ++family->pending;
  if (before == JobState::kDead) --family->failed;
  if (before == JobState::kCanceled) --family->canceled;
  RETURN_IF_ERROR(jobs.PutFamily(*family));
  ASSIGN_OR_RETURN(std::optional<Job> parent, jobs.Find(child.parent));
  if (!parent) return OkStatus();
  const JobState was = parent->state;
  const bool dead = was == JobState::kDead;
  const bool not_begun = (was == JobState::kReady || was == JobState::kScheduled) && parent->fence == 0;
  if (!dead && !not_begun) return OkStatus();
  if (dead && family->fail_fast && family->failed + family->canceled > 0) return OkStatus();
  if (dead) ApplyRetry(&*parent);
  parent->state = JobState::kWaiting;
  RETURN_IF_ERROR(jobs.Update(*parent, parent->fence));
  return dead && !parent->parent.empty() ? ChildCame(transaction, *parent, was) : OkStatus();
}

Status Moves::Join(Transaction& transaction, const Job& child) const {
  JobStore& jobs = transaction.jobs();
  ASSIGN_OR_RETURN(std::optional<Family> family, jobs.FindFamily(child.parent));
  ASSIGN_OR_RETURN(std::optional<Job> parent, jobs.Find(child.parent));
  if (!family || !parent || parent->state != JobState::kWaiting) {
    return Error(Code::kConflict,
                 fmt::format("Job {} does not wait for children: it {}.", child.parent.text(),
                             !parent   ? "is not there"
                             : !family ? "was made without any"
                                       : fmt::format("is {}", JobStateName(parent->state))),
                 {.hint = "Add children while their parent waits.", .object = child.parent.text()});
  }
  ++family->children, ++family->pending;
  family->units += child.units;
  return jobs.PutFamily(*family);
}

Status Moves::Advance(Transaction& transaction, const Job& child, int64_t by_units) const {
  if (by_units == 0 || child.parent.empty()) return OkStatus();
  ASSIGN_OR_RETURN(std::optional<Family> family, transaction.jobs().FindFamily(child.parent));
  if (!family) return OkStatus();
  family->units_done += by_units;
  return transaction.jobs().PutFamily(*family);
}

Status Moves::Tell(Transaction& transaction, std::string_view type, const Job& job) const {
  Event event;
  event.topic = "jobs";
  event.type = type;
  event.object = job.id.text();
  event.user = job.user;
  event.data_json = fmt::format(R"({{"id":"{}","queue":)", job.id.text());
  AppendJsonString(job.queue, &event.data_json);
  event.data_json += R"(,"kind":)";
  AppendJsonString(job.kind, &event.data_json);
  event.data_json +=
      fmt::format(R"(,"state":"{}","tries":{},"progress":{},"error":{}}})", JobStateName(job.state),
                  job.tries, job.progress_json.empty() ? "null" : job.progress_json,
                  job.error_json.empty() ? "null" : job.error_json);
  event.at_ms = clock_->WallMs();
  return transaction.events().Append(event).status();
}

}  // namespace mediagen
