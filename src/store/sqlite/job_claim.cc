// A claim looks first and writes then: each job that was chosen is one row read and written, and the lanes
// are written once.
#include "store/sqlite/job_choice.h"
#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

// Seeks lane_next(queue, provider_key, …): one entry read for an empty queue.
constexpr char kHasReady[] = "SELECT 1 FROM lane INDEXED BY lane_next WHERE queue = ? AND ready > 0 LIMIT 1";

// Both seek the row itself.
constexpr char kClaim[] = R"sql(
UPDATE job SET state = 'running', fence = ?2, worker = ?3, alive_mono = ?4, sort_ms = NULL WHERE rowid = ?1)sql";
constexpr char kGiveUpKey[] = "UPDATE job SET unique_held = NULL WHERE rowid = ?";

Status Take(Connection& connection, const Id& worker, int64_t now_mono, Job* job) {
  job->state = JobState::kRunning;
  ++job->fence;
  job->worker = worker;
  job->alive_mono = now_mono;
  RETURN_IF_ERROR(Query(connection, kClaim).Bind(job->row, job->fence, worker, now_mono).Run());
  if (!job->unique_key.empty() && (job->unique_states & StateBit(JobState::kRunning)) == 0)
    RETURN_IF_ERROR(Query(connection, kGiveUpKey).Bind(job->row).Run());
  return OkStatus();
}

}  // namespace

StatusOr<bool> SqliteJobs::HasReady(std::string_view queue) const {
  RETURN_IF_ERROR(lanes_.Flush());
  Query query(connection_, kHasReady);
  query.Bind(queue);
  bool ready = query.Step();
  RETURN_IF_ERROR(query.status());
  return ready;
}

StatusOr<std::vector<Job>> SqliteJobs::Claim(std::string_view queue_name, int max, const ClaimLimits& limits,
                                             const Id& worker, int64_t now_mono, int64_t* too_dear) {
  const std::string queue(queue_name);
  if (too_dear != nullptr) *too_dear = 0;
  std::vector<Job> claimed;
  RETURN_IF_ERROR(lanes_.Flush());
  ASSIGN_OR_RETURN(const int64_t turn, lanes_.LastTurn(queue));
  ASSIGN_OR_RETURN(JobChoice choice, ChooseJobs(connection_, queue, limits, max, turn));
  if (too_dear != nullptr) *too_dear = choice.too_dear;
  found_.reset();
  claimed.reserve(choice.jobs.size());
  for (Job& job : choice.jobs) {
    const Lanes::Place ready{job.provider_key, job.model_key, job.priority, job.state};
    RETURN_IF_ERROR(Take(connection_, worker, now_mono, &job));
    Lanes::Place running = ready;
    running.state = JobState::kRunning;
    lanes_.Moved(queue, job.user, ready, running);
    claimed.push_back(std::move(job));
  }
  if (claimed.empty()) return claimed;
  RETURN_IF_ERROR(lanes_.SetLastTurn(queue, turn + static_cast<int64_t>(claimed.size())));
  for (const auto& [user, last] : choice.served) RETURN_IF_ERROR(lanes_.WriteTurn(queue, user, last));
  return claimed;
}

}  // namespace mediagen
