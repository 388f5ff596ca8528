// A claim looks first and writes then: each job that was chosen is one row read and written, and the lanes
// are written once.
#include "store/sqlite/job_choice.h"
#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

// Seeks lane_next(queue, provider_key, …): one entry read for an empty queue.
constexpr char kHasReady[] = "SELECT 1 FROM lane INDEXED BY lane_next WHERE queue = ? AND ready > 0 LIMIT 1";

// All three seek the row itself.
constexpr char kClaim[] = R"sql(
UPDATE job SET state = 'running', fence = ?2, worker = ?3, alive_mono = ?4, sort_ms = NULL WHERE rowid = ?1)sql";
constexpr char kGiveUpKey[] = "UPDATE job SET unique_held = NULL WHERE rowid = ?";
constexpr char kReadyJob[] = "SELECT " JOB_COLUMNS " FROM job WHERE rowid = ? AND state = 'ready'";

StatusOr<Job> TakeReady(Connection& connection, int64_t rowid, const Id& worker, int64_t now_mono) {
  Query ready(connection, kReadyJob);
  ready.Bind(rowid);
  ASSIGN_OR_RETURN(std::optional<Job> job, FirstRow<Job>(ready, kVisitJob));
  if (!job) return Error(Code::kCorrupt, "an index holds a ready job that is not there.");
  job->state = JobState::kRunning;
  ++job->fence;
  job->worker = worker;
  job->alive_mono = now_mono;
  RETURN_IF_ERROR(Query(connection, kClaim).Bind(rowid, job->fence, worker, now_mono).Run());
  if (!job->unique_key.empty() && (job->unique_states & StateBit(JobState::kRunning)) == 0)
    RETURN_IF_ERROR(Query(connection, kGiveUpKey).Bind(rowid).Run());
  return *std::move(job);
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
  ASSIGN_OR_RETURN(const JobChoice choice, ChooseJobs(connection_, queue, limits, max, turn));
  if (too_dear != nullptr) *too_dear = choice.too_dear;
  found_.reset();
  claimed.reserve(choice.picks.size());
  for (const JobChoice::Pick& pick : choice.picks) {
    ASSIGN_OR_RETURN(Job job, TakeReady(connection_, pick.rowid, worker, now_mono));
    claimed.push_back(std::move(job));
    Lanes::Place running = pick.place;
    running.state = JobState::kRunning;
    lanes_.Moved(queue, pick.user, pick.place, running);
  }
  if (claimed.empty()) return claimed;
  RETURN_IF_ERROR(lanes_.SetLastTurn(queue, turn + static_cast<int64_t>(claimed.size())));
  for (const auto& [user, last] : choice.served) RETURN_IF_ERROR(lanes_.WriteTurn(queue, user, last));
  return claimed;
}

}  // namespace mediagen
