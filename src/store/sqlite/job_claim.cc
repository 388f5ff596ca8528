// A claim looks first and writes then: the jobs that were chosen are written, and the lanes once.
#include <algorithm>
#include <functional>
#include <vector>

#include "store/sqlite/job_choice.h"
#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

// Seeks lane_next(queue, provider_key, …): one entry read for an empty queue.
constexpr char kHasReady[] = "SELECT 1 FROM lane INDEXED BY lane_next WHERE queue = ? AND ready > 0 LIMIT 1";

// Seeks the first row. Of neighbours, all at once: SQLite opens and closes its cursors and memory cells for
// every statement, about a quarter of what a claimed row costs alone.
constexpr char kClaim[] = R"sql(
UPDATE job SET state = 'running', fence = fence + 1, worker = ?3, alive_mono = ?4, sort_ms = NULL
WHERE rowid BETWEEN ?1 AND ?2)sql";
// Seeks the row itself.
constexpr char kGiveUpKey[] = "UPDATE job SET unique_held = NULL WHERE rowid = ?";

// As kClaim writes them.
void MakeRunning(const Id& worker, int64_t now_mono, Job* job) {
  job->state = JobState::kRunning;
  ++job->fence;
  job->worker = worker;
  job->alive_mono = now_mono;
}

// Calls `each` with the first and the last of every run of neighbouring rows.
Status ForEachRun(std::vector<int64_t> rows, const std::function<Status(int64_t, int64_t)>& each) {
  std::sort(rows.begin(), rows.end());
  for (size_t first = 0, next = 0; first < rows.size(); first = next) {
    for (next = first + 1; next < rows.size() && rows[next] == rows[next - 1] + 1;) ++next;
    RETURN_IF_ERROR(each(rows[first], rows[next - 1]));
  }
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
  RETURN_IF_ERROR(lanes_.Flush());
  ASSIGN_OR_RETURN(const int64_t turn, lanes_.LastTurn(queue));
  ASSIGN_OR_RETURN(JobChoice choice, ChooseJobs(connection_, queue, limits, max, turn));
  if (too_dear != nullptr) *too_dear = choice.too_dear;
  found_.reset();
  if (choice.jobs.empty()) return std::move(choice.jobs);
  std::vector<int64_t> rows;
  for (Job& job : choice.jobs) {
    const Lanes::Place ready{job.provider_key, job.model_key, job.priority, job.state};
    MakeRunning(worker, now_mono, &job);
    Lanes::Place running = ready;
    running.state = JobState::kRunning;
    lanes_.Moved(queue, job.user, ready, running);
    rows.push_back(job.row);
    if (!job.unique_key.empty() && (job.unique_states & StateBit(JobState::kRunning)) == 0)
      RETURN_IF_ERROR(Query(connection_, kGiveUpKey).Bind(job.row).Run());
  }
  RETURN_IF_ERROR(ForEachRun(std::move(rows), [&](int64_t first, int64_t last) {
    return Query(connection_, kClaim).Bind(first, last, worker, now_mono).Run();
  }));
  RETURN_IF_ERROR(lanes_.SetLastTurn(queue, turn + static_cast<int64_t>(choice.jobs.size())));
  for (const auto& [user, last] : choice.served) RETURN_IF_ERROR(lanes_.WriteTurn(queue, user, last));
  return std::move(choice.jobs);
}

}  // namespace mediagen
