#include <algorithm>

#include "fmt/format.h"
#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

constexpr JobState kStates[] = {JobState::kScheduled, JobState::kReady,   JobState::kWaiting,
                                JobState::kRunning,   JobState::kParked,  JobState::kDone,
                                JobState::kDead,      JobState::kCanceled};

#define LIST "SELECT " JOB_COLUMNS " FROM job INDEXED BY "
#define PAGE " AND id > ?2 ORDER BY id LIMIT ?3"

// Seeks job_rest(queue, rest, id, finished_ms).
constexpr char kListRest[] = LIST "job_rest WHERE queue = ?1 AND rest = ?4" PAGE;
// The hot states stand in no index that is ordered by id: SQLite reads the queue's entries of job_ready, or
// all held jobs, and keeps the first ones.
constexpr char kListReady[] = LIST "job_ready WHERE queue = ?1 AND sort_ms IS NOT NULL AND state = ?4" PAGE;
constexpr char kListHeld[] = LIST "job_held WHERE queue = ?1 AND worker IS NOT NULL AND state = ?4" PAGE;

const char* ListOfState(JobState state) {
  if (state == JobState::kReady) return kListReady;
  return state == JobState::kRunning || state == JobState::kParked ? kListHeld : kListRest;
}

// Both seek the primary key. A listing of one state over all queues reads past the rows of the others.
constexpr char kListAll[] = "SELECT " JOB_COLUMNS " FROM job WHERE id > ?1 ORDER BY id LIMIT ?2";
constexpr char kListAllOfState[] =
    "SELECT " JOB_COLUMNS " FROM job WHERE id > ?1 AND +state = ?3 ORDER BY id LIMIT ?2";

// Seeks the primary key (queue, state).
constexpr char kCounts[] = "SELECT state, jobs FROM queue_state WHERE queue = ?";
// Reads the whole table: one row a queue and state.
constexpr char kAllCounts[] = "SELECT queue, state, jobs FROM queue_state ORDER BY queue";

// Reads entries of job_rest(queue, rest, id, finished_ms) and no row.
constexpr char kLookAt[] = R"sql(SELECT id, finished_ms FROM job INDEXED BY job_rest
WHERE queue = ? AND rest = ? AND id > ? ORDER BY id LIMIT ?)sql";
constexpr int kLooks = 2000;  // half a millisecond
// Each seeks the primary key.
constexpr char kLastWords[] = "SELECT user, result_blob FROM job WHERE id = ?";
constexpr char kDelete[] = "DELETE FROM job WHERE id = ?";
constexpr char kDeleteLog[] = "DELETE FROM job_log WHERE job = ?";
constexpr char kDeleteFamily[] = "DELETE FROM job_family WHERE parent = ?";

#define WORKER_COLUMNS "id, boot_id, lease_until_mono, started_ms, host"
constexpr auto kVisitWorker = [](auto& w, const auto& visit) {
  visit(w.id), visit(w.boot_id), visit(w.lease_until_mono), visit(w.started_ms), visit(w.host);
};
constexpr char kPutWorker[] = "INSERT INTO worker (" WORKER_COLUMNS R"sql() VALUES (?,?,?,?,?)
ON CONFLICT (id) DO UPDATE SET boot_id = excluded.boot_id, lease_until_mono = excluded.lease_until_mono,
  started_ms = excluded.started_ms, host = excluded.host)sql";
constexpr char kWorkers[] = "SELECT " WORKER_COLUMNS " FROM worker ORDER BY id";
constexpr char kRemoveWorker[] = "DELETE FROM worker WHERE id = ?";

}  // namespace

StatusOr<std::vector<Job>> SqliteJobs::List(const std::optional<std::string>& queue,
                                            const std::optional<JobState>& state, const Id& after,
                                            int limit) const {
  if (!queue) {
    Query query(connection_, state ? kListAllOfState : kListAll);
    query.Add(AfterId(after));
    query.Bind(limit);
    if (state) query.Add(JobStateName(*state));
    return AllRows<Job>(query, kVisitJob);
  }
  std::vector<Job> rows;  // the pages of the states, merged
  for (JobState each : kStates) {
    if (state && each != *state) continue;
    Query query(connection_, ListOfState(each));
    query.Bind(*queue);
    query.Add(AfterId(after));
    query.Bind(limit, JobStateName(each));
    while (query.Step()) kVisitJob(rows.emplace_back(), Taker{query});
    RETURN_IF_ERROR(query.status());
  }
  std::sort(rows.begin(), rows.end(), [](const Job& a, const Job& b) { return a.id < b.id; });
  if (rows.size() > static_cast<size_t>(std::max(limit, 0)))
    rows.resize(static_cast<size_t>(std::max(limit, 0)));
  return rows;
}

StatusOr<std::map<JobState, int64_t>> SqliteJobs::CountByState(std::string_view queue) const {
  RETURN_IF_ERROR(lanes_.Flush());
  Query query(connection_, kCounts);
  query.Bind(queue);
  std::map<JobState, int64_t> counts;
  while (query.Step()) {
    StatusOr<JobState> state = JobStateByName(query.Text());
    int64_t jobs = query.Int();
    if (state.ok() && jobs > 0) counts[*state] = jobs;
  }
  RETURN_IF_ERROR(query.status());
  return counts;
}

StatusOr<std::map<std::string, std::map<JobState, int64_t>>> SqliteJobs::Counts() const {
  RETURN_IF_ERROR(lanes_.Flush());
  Query query(connection_, kAllCounts);
  std::map<std::string, std::map<JobState, int64_t>> all;
  while (query.Step()) {
    std::string queue = query.Text();
    StatusOr<JobState> state = JobStateByName(query.Text());
    const int64_t jobs = query.Int();
    if (state.ok() && jobs > 0) all[queue][*state] = jobs;
  }
  RETURN_IF_ERROR(query.status());
  return all;
}

StatusOr<std::vector<Id>> SqliteJobs::Prunable(std::string_view queue, JobState state, int64_t before_ms,
                                               int limit, Id* after) const {
  std::vector<Id> ids;
  Query query(connection_, kLookAt);
  query.Bind(queue, JobStateName(state));
  query.Add(AfterId(*after));
  query.Bind(kLooks);
  int looks = 0;
  while (static_cast<int>(ids.size()) < limit && query.Step()) {
    ++looks;
    *after = query.TakeId();
    const int64_t finished_ms = query.Int();
    if (finished_ms >= 0 && finished_ms < before_ms) ids.push_back(*after);
  }
  RETURN_IF_ERROR(query.status());
  if (looks < kLooks && static_cast<int>(ids.size()) < limit) *after = Id{};
  return ids;
}

StatusOr<int> SqliteJobs::Prune(std::string_view queue, JobState state, int64_t before_ms, int limit,
                                Id* after, std::vector<std::string>* blobs) {
  ASSIGN_OR_RETURN(const std::vector<Id> gone, Prunable(queue, state, before_ms, limit, after));
  const std::string queue_name(queue);
  found_.reset();
  for (const Id& id : gone) {
    std::string user, blob;
    {
      Query query(connection_, kLastWords);
      query.Bind(id);
      if (query.Step()) query.Take(&user), query.Take(&blob);
      RETURN_IF_ERROR(query.status());
    }
    for (const char* sql : {kDelete, kDeleteLog, kDeleteFamily})
      RETURN_IF_ERROR(Query(connection_, sql).Bind(id).Run());
    lanes_.Moved(queue_name, user, Lanes::Place{.state = state}, std::nullopt);
    if (!blob.empty()) blobs->push_back(std::move(blob));
  }
  return static_cast<int>(gone.size());
}

Status SqliteJobs::PutWorker(const Worker& worker) {
  Query query(connection_, kPutWorker);
  kVisitWorker(worker, Binder{query});
  return query.Run();
}

StatusOr<std::vector<Worker>> SqliteJobs::Workers() const {
  Query query(connection_, kWorkers);
  return AllRows<Worker>(query, kVisitWorker);
}

Status SqliteJobs::RemoveWorker(const Id& worker) {
  return Query(connection_, kRemoveWorker).Bind(worker).Run();
}

}  // namespace mediagen
