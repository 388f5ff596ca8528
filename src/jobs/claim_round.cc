#include "jobs/claim_round.h"

#include <algorithm>

#include "jobs/transition.h"

namespace mediagen {
namespace {

constexpr int kPromoteLimit = 1000;  // a round stays in the order of 20 ms; what is left is due at once again
constexpr int kClaimLimit = 200;     // for the same reason, a queue and round

int Missing(const ClaimRequest& request) { return request.max - static_cast<int>(request.jobs.size()); }

bool Wants(const ClaimRequest& request, const std::string& queue) {
  return Missing(request) > 0 &&
         std::find(request.queues.begin(), request.queues.end(), queue) != request.queues.end();
}

}  // namespace

bool ClaimRound::changed() const {
  return promoted > 0 || swept > 0 ||
         std::any_of(requests.begin(), requests.end(), [](const ClaimRequest& r) { return !r.jobs.empty(); });
}

Status ClaimRound::Run(Transaction& transaction, const Parts& parts) {
  promoted = swept = 0;
  for (ClaimRequest& request : requests) request.jobs.clear();
  JobStore& jobs = transaction.jobs();
  if (sweep) RETURN_IF_ERROR(Sweep(jobs, parts));
  if (promote) {
    Moment now = Moment::Of(parts.clock);
    ASSIGN_OR_RETURN(promoted, jobs.PromoteDue(now.wall_ms, now.mono_ms, BootId(), kPromoteLimit));
  }
  if (promoted + swept > 0) transaction.WakeQueues();

  std::set<std::string> queues;
  for (const ClaimRequest& request : requests) queues.insert(request.queues.begin(), request.queues.end());
  for (const std::string& queue : queues) {
    if (promoted + swept > 0 || ready.contains(queue)) RETURN_IF_ERROR(ClaimFrom(queue, jobs, parts));
  }
  return OkStatus();
}

Status ClaimRound::Sweep(JobStore& jobs, const Parts& parts) {
  ASSIGN_OR_RETURN(std::vector<Job> rows, jobs.HeldBy(parts.worker));
  for (Job& job : rows) {
    if (parts.held->Has(job.id, job.fence)) continue;
    ApplyReturn(&job);
    RETURN_IF_ERROR(jobs.Update(job, job.fence));
    ++swept;
  }
  return OkStatus();
}

Status ClaimRound::ClaimFrom(const std::string& queue, JobStore& jobs, const Parts& parts) {
  int wanted = 0;
  for (const ClaimRequest& request : requests) {
    if (Wants(request, queue))
      wanted = std::min(kClaimLimit, wanted + std::min(kClaimLimit, Missing(request)));
  }
  if (wanted == 0) return OkStatus();
  ASSIGN_OR_RETURN(std::vector<Job> claimed, jobs.Claim(queue, wanted, parts.settings->LimitsOf(queue),
                                                        parts.worker, parts.clock->MonotonicMs()));
  auto next = claimed.begin();
  for (ClaimRequest& request : requests) {
    while (next != claimed.end() && Wants(request, queue)) request.jobs.push_back(std::move(*next++));
  }
  return OkStatus();
}

}  // namespace mediagen
