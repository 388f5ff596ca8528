#include "base/clock.h"
#include "fmt/format.h"
#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

constexpr char kInsert[] = "INSERT INTO job (" JOB_COLUMNS R"sql(, due_boot, sort_ms)
VALUES (?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?, ?,?))sql";
// Seeks the primary key; ?1 is the id. Of the identity nothing is written, so job_list moves only with the
// state.
constexpr char kUpdate[] = "UPDATE job SET (" JOB_MUTABLE R"sql(, due_boot, sort_ms) =
(?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19, ?20,?21) WHERE id = ?1)sql";
// Both seek the primary key.
constexpr char kFind[] = "SELECT " JOB_COLUMNS " FROM job WHERE id = ?";
constexpr char kFindPlace[] =
    "SELECT queue, user, created_ms, fence, provider_key, priority, state FROM job WHERE id = ?";
// Seeks job_unique(queue, unique_key).
constexpr char kHolder[] = "SELECT id FROM job WHERE queue = ? AND unique_key = ? AND unique_key <> ''";
// Both seek job_held(worker, cancel_requested).
constexpr char kHeldBy[] = "SELECT " JOB_COLUMNS R"sql( FROM job INDEXED BY job_held
WHERE worker = ? AND state IN ('running', 'parked'))sql";
constexpr char kCancelRequested[] = R"sql(
SELECT id FROM job INDEXED BY job_held WHERE worker = ? AND cancel_requested = 1 AND state IN ('running', 'parked'))sql";

bool Finished(JobState state) {
  return state == JobState::kDone || state == JobState::kDead || state == JobState::kCanceled;
}

// Monotonic times mean nothing in another boot, so the row says in which one its due_mono was written.
std::string_view DueBoot(const Job& job) { return job.due_mono >= 0 ? std::string_view(BootId()) : ""; }

int64_t SortMs(const Job& job, int64_t created_ms) { return job.run_at_ms >= 0 ? job.run_at_ms : created_ms; }

Lanes::Place PlaceOf(const Job& job) { return {job.provider_key, job.priority, job.state}; }

}  // namespace

StatusOr<std::optional<Id>> SqliteJobs::HolderOf(const std::string& queue,
                                                 const std::string& unique_key) const {
  std::optional<Id> holder;
  if (unique_key.empty()) return holder;
  Query query(connection_, kHolder);
  query.Bind(queue, unique_key);
  if (query.Step()) holder = query.TakeId();
  RETURN_IF_ERROR(query.status());
  return holder;
}

StatusOr<Id> SqliteJobs::Insert(const Job& job) {
  if (Finished(job.state) && !job.unique_key.empty()) {
    return Error(Code::kInvalid, fmt::format("job {} cannot be made finished and unique.", job.id.text()));
  }
  ASSIGN_OR_RETURN(std::optional<Id> holder, HolderOf(job.queue, job.unique_key));
  if (holder) return *holder;
  Query query(connection_, kInsert);
  kVisitJob(job, Binder{query});
  query.Bind(DueBoot(job), SortMs(job, job.created_ms));
  Status status = query.Run();
  if (CodeOf(status) == Code::kConflict) {
    return Error(Code::kConflict, fmt::format("there is a job {} already.", job.id.text()),
                 {.object = job.id.text()});
  }
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(lanes_.Moved(job.queue, job.user, std::nullopt, PlaceOf(job)));
  return job.id;
}

StatusOr<std::optional<Job>> SqliteJobs::Find(const Id& id) const {
  Query query(connection_, kFind);
  query.Bind(id);
  return FirstRow<Job>(query, kVisitJob);
}

Status SqliteJobs::Update(const Job& job, uint64_t fence) {
  std::string queue, user;
  int64_t created_ms;
  Lanes::Place before;
  {
    Query query(connection_, kFindPlace);
    query.Bind(job.id);
    if (!query.Step()) {
      RETURN_IF_ERROR(query.status());
      return Error(Code::kNotFound, fmt::format("there is no job {}.", job.id.text()),
                   {.object = job.id.text()});
    }
    Taker take{query};
    uint64_t stands = 0;
    take(queue), take(user), take(created_ms), take(stands), take(before.provider_key), take(before.priority);
    take(before.state);
    RETURN_IF_ERROR(query.status());
    if (stands != fence) {
      return Error(
          Code::kStaleFence,
          fmt::format("job {} was claimed again: its fence is {}, not {}.", job.id.text(), stands, fence),
          {.hint = "Drop this claim's work; another holder has the job.", .object = job.id.text()});
    }
  }
  Job written = job;
  if (Finished(job.state)) written.unique_key.clear();  // free for the next one
  Query query(connection_, kUpdate);
  query.Bind(written.id);
  VisitJobMutable(written, Binder{query});
  query.Bind(DueBoot(written), SortMs(written, created_ms));
  Status status = query.Run();
  if (CodeOf(status) == Code::kConflict) {
    ASSIGN_OR_RETURN(std::optional<Id> holder, HolderOf(queue, written.unique_key));
    std::string holder_text = holder ? holder->text() : "another job";
    return Error(Code::kConflict,
                 fmt::format("the unique key of job {} is held by job {}.", job.id.text(), holder_text),
                 {.object = holder_text});
  }
  RETURN_IF_ERROR(status);
  return lanes_.Moved(queue, user, before, PlaceOf(written));
}

StatusOr<std::vector<Job>> SqliteJobs::HeldBy(const Id& worker) const {
  Query query(connection_, kHeldBy);
  query.Bind(worker);
  return AllRows<Job>(query, kVisitJob);
}

StatusOr<std::vector<Id>> SqliteJobs::CancelRequested(const Id& worker) const {
  Query query(connection_, kCancelRequested);
  query.Bind(worker);
  std::vector<Id> ids;
  while (query.Step()) ids.push_back(query.TakeId());
  RETURN_IF_ERROR(query.status());
  return ids;
}

}  // namespace mediagen
