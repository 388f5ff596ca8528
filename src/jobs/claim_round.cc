#include "jobs/claim_round.h"

#include <algorithm>

#include "jobs/pace.h"
#include "jobs/transition.h"

namespace mediagen {
namespace {

constexpr int kPromoteLimit = 1000;  // a round stays in the order of 20 ms; what is left is due at once again
constexpr int kClaimLimit = 200;     // for the same reason, a queue and round

int Missing(const ClaimRequest& request) { return request.max - static_cast<int>(request.claims.size()); }

bool Wants(const ClaimRequest& request, const std::string& queue) {
  return Missing(request) > 0 &&
         std::find(request.queues.begin(), request.queues.end(), queue) != request.queues.end();
}

}  // namespace

bool ClaimRound::changed() const {
  return promoted > 0 || swept > 0 ||
         std::any_of(requests.begin(), requests.end(),
                     [](const ClaimRequest& r) { return !r.claims.empty(); });
}

Status ClaimRound::Run(Transaction& transaction, const Parts& parts) {
  promoted = swept = 0;
  held_back.clear();
  for (ClaimRequest& request : requests) request.claims.clear();
  JobStore& jobs = transaction.jobs();
  if (sweep) RETURN_IF_ERROR(Sweep(transaction, parts));
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
  for (const ClaimRequest& request : requests) {
    for (const Claim& claim : request.claims)
      transaction.Mark({"claim", claim.job.user, claim.id(), claim.fence()});
  }
  return OkStatus();
}

Status ClaimRound::Sweep(Transaction& transaction, const Parts& parts) {
  ASSIGN_OR_RETURN(std::vector<Job> rows, transaction.jobs().HeldBy(parts.worker));
  for (Job& job : rows) {
    if (parts.held->Has(job.id, job.fence)) continue;
    const JobState before = job.state;
    ApplyLeft(Moment::Of(parts.clock), &job);
    RETURN_IF_ERROR(parts.moves->Write(transaction, job, job.fence, before));
    ++swept;
  }
  return OkStatus();
}

int ClaimRound::WantedOf(const std::string& queue) const {
  int wanted = 0;
  for (const ClaimRequest& request : requests) {
    if (Wants(request, queue))
      wanted = std::min(kClaimLimit, wanted + std::min(kClaimLimit, Missing(request)));
  }
  return wanted;
}

Status ClaimRound::ClaimFrom(const std::string& queue, JobStore& jobs, const Parts& parts) {
  const int wanted = WantedOf(queue);
  if (wanted == 0) return OkStatus();
  const int64_t now_mono = parts.clock->MonotonicMs();
  const Allowance rate = parts.settings->Of(queue).rate;
  ClaimLimits limits = parts.settings->LimitsOf(queue);
  Pace pace;
  if (rate.amount > 0) {
    ASSIGN_OR_RETURN(pace, jobs.PaceOf(queue));
    if (pace.boot != BootId()) pace = {.boot = BootId()};
  }
  RateWindow window(rate, pace.claims, now_mono);
  if (rate.amount > 0) limits.cost_left = window.left(), limits.cost_cap = rate.amount;
  int64_t too_dear = 0;
  ASSIGN_OR_RETURN(std::vector<Job> claimed,
                   jobs.Claim(queue, wanted, limits, parts.worker, now_mono, &too_dear));
  if (rate.amount > 0 && !claimed.empty()) {
    for (const Job& job : claimed) window.Spend(job.cost);
    pace.claims = window.state();
    RETURN_IF_ERROR(jobs.PutPace(queue, pace));
  }
  if (too_dear > 0) held_back[queue] = window.FreeAt(too_dear);
  auto next = claimed.begin();
  for (ClaimRequest& request : requests) {
    request.claims.reserve(std::min<size_t>(kClaimLimit, static_cast<size_t>(claimed.end() - next)));
    while (next != claimed.end() && Wants(request, queue)) request.claims.push_back({std::move(*next++)});
  }
  return OkStatus();
}

}  // namespace mediagen
