#include "base/clock.h"
#include "fmt/format.h"
#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

constexpr char kInsert[] =
    "INSERT INTO job (" JOB_COLUMNS R"sql(, sort_ms, due_boot, due_ms, rest, unique_held)
VALUES (?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?))sql";
// Seeks the primary key; ?1 is the id.
constexpr char kUpdate[] =
    "UPDATE job SET (" JOB_MUTABLE R"sql(, sort_ms, due_boot, due_ms, rest, unique_held) =
(?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22, ?23,?24,?25,?26,?27) WHERE id = ?1)sql";
// The same where a held job ends: the indexes of the other columns are not looked at.
constexpr char kUpdateEnd[] = R"sql(
UPDATE job SET (state, tries, result, error, worker, alive_mono, finished_ms, rest) = (?2,?3,nullif(?4,''),nullif(?5,''),NULL,?6,?7,?8)
WHERE id = ?1)sql";
// Seeks the row itself. What the lanes and the indexes of the other columns say of it stands in the
// condition.
constexpr char kEndClaimed[] = R"sql(
UPDATE job SET (state, result, error, worker, alive_mono, finished_ms, rest) = ('done',nullif(?2,''),NULL,NULL,-1,?3,'done')
WHERE rowid = ?9 AND id = ?1 AND fence = ?4 AND worker = ?5 AND state = 'running' AND provider_key = ?6 AND model_key = ?7
  AND priority = ?8 AND parent IS NULL AND unique_held IS NULL)sql";
// Both seek the primary key.
constexpr char kFind[] = "SELECT " JOB_COLUMNS " FROM job WHERE id = ?";
constexpr char kFindPlace[] =
    "SELECT queue, user, created_ms, fence, provider_key, model_key, priority, state FROM job WHERE id = ?";
// Seeks job_unique(queue, unique_held).
constexpr char kHolder[] = "SELECT id FROM job WHERE queue = ? AND unique_held = ?";
// Both seek job_held(worker, cancel_requested).
constexpr char kHeldBy[] = "SELECT " JOB_COLUMNS R"sql( FROM job INDEXED BY job_held
WHERE worker = ? AND state IN ('running', 'parked'))sql";
constexpr char kCancelRequested[] = R"sql(
SELECT id FROM job INDEXED BY job_held WHERE worker = ? AND cancel_requested = 1 AND state IN ('running', 'parked'))sql";

bool Held(JobState state) { return state == JobState::kRunning || state == JobState::kParked; }

bool HoldsKey(const Job& job) {
  return !job.unique_key.empty() && (job.unique_states & StateBit(job.state)) != 0;
}

// The columns that only the indexes read.
void BindDerived(const Job& job, int64_t created_ms, Query& query) {
  const bool scheduled = job.state == JobState::kScheduled;
  const bool by_mono = job.due_mono >= 0;
  auto bind = [&](bool holds, const auto& value) { holds ? query.Add(value) : query.AddNull(); };
  bind(job.state == JobState::kReady, job.run_at_ms >= 0 ? job.run_at_ms : created_ms);
  // Monotonic times mean nothing in another boot, so the row says in which one its due_mono was written.
  bind(scheduled && by_mono, std::string_view(BootId()));
  bind(scheduled && !by_mono, job.run_at_ms);
  bind(job.state != JobState::kReady && !Held(job.state), JobStateName(job.state));
  bind(HoldsKey(job), job.unique_key);
}

// Whether kUpdateEnd writes all that is different.
bool OnlyEnds(const Job& a, const Job& b) {
  return Held(a.state) && IsEnded(b.state) && b.worker.empty() && a.fence == b.fence &&
         a.due_mono == b.due_mono && a.provider_key == b.provider_key && a.model_key == b.model_key &&
         a.priority == b.priority && a.run_at_ms == b.run_at_ms && a.timeout_ms == b.timeout_ms &&
         a.unique_key == b.unique_key && HoldsKey(a) == HoldsKey(b) && a.units_done == b.units_done &&
         b.result_blob.empty() && a.cancel_requested == b.cancel_requested &&
         a.payload_json == b.payload_json && a.progress_json == b.progress_json &&
         a.checkpoint_json == b.checkpoint_json;
}

Lanes::Place PlaceOf(const Job& job) { return {job.provider_key, job.model_key, job.priority, job.state}; }

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
  if (HoldsKey(job)) {
    ASSIGN_OR_RETURN(std::optional<Id> holder, HolderOf(job.queue, job.unique_key));
    if (holder) return *holder;
  }
  Query query(connection_, kInsert);
  kVisitJob(job, Binder{query});
  BindDerived(job, job.created_ms, query);
  Status status = query.Run();
  if (CodeOf(status) == Code::kConflict) {
    return Error(Code::kConflict, fmt::format("there is a job {} already.", job.id.text()),
                 {.object = job.id.text()});
  }
  RETURN_IF_ERROR(status);
  lanes_.Moved(job.queue, job.user, std::nullopt, PlaceOf(job));
  return job.id;
}

StatusOr<std::optional<Job>> SqliteJobs::Find(const Id& id) const {
  Query query(connection_, kFind);
  query.Bind(id);
  ASSIGN_OR_RETURN(found_, FirstRow<Job>(query, kVisitJob));
  return found_;
}

StatusOr<SqliteJobs::Stands> SqliteJobs::StandsOf(const Id& id) const {
  if (found_ && found_->id == id)
    return Stands{found_->queue, found_->user, found_->created_ms, found_->fence, PlaceOf(*found_)};
  Query query(connection_, kFindPlace);
  query.Bind(id);
  if (!query.Step()) {
    RETURN_IF_ERROR(query.status());
    return Error(Code::kNotFound, fmt::format("there is no job {}.", id.text()), {.object = id.text()});
  }
  Stands stands;
  Taker take{query};
  take(stands.queue), take(stands.user), take(stands.created_ms), take(stands.fence);
  take(stands.place.provider_key), take(stands.place.model_key), take(stands.place.priority);
  take(stands.place.state);
  RETURN_IF_ERROR(query.status());
  return stands;
}

Status SqliteJobs::WriteRow(const Job& job, int64_t created_ms, bool end_only) {
  if (end_only) {
    const std::string_view state = JobStateName(job.state);
    return Query(connection_, kUpdateEnd)
        .Bind(job.id, state, job.tries, job.result_json, job.error_json, job.alive_mono, job.finished_ms,
              state)
        .Run();
  }
  Query query(connection_, kUpdate);
  query.Bind(job.id);
  VisitJobMutable(job, Binder{query});
  BindDerived(job, created_ms, query);
  return query.Run();
}

Status SqliteJobs::Update(const Job& job, uint64_t fence) {
  ASSIGN_OR_RETURN(Stands stands, StandsOf(job.id));
  if (stands.fence != fence) {
    return Error(
        Code::kStaleFence,
        fmt::format("job {} was claimed again: its fence is {}, not {}.", job.id.text(), stands.fence, fence),
        {.hint = "Drop this claim's work; another holder has the job.", .object = job.id.text()});
  }
  const bool end_only = found_ && found_->id == job.id && OnlyEnds(*found_, job);
  found_.reset();
  Status status = WriteRow(job, stands.created_ms, end_only);
  if (CodeOf(status) == Code::kConflict) {
    ASSIGN_OR_RETURN(std::optional<Id> holder, HolderOf(stands.queue, job.unique_key));
    std::string holder_text = holder ? holder->text() : "another job";
    return Error(Code::kConflict,
                 fmt::format("the unique key of job {} is held by job {}.", job.id.text(), holder_text),
                 {.object = holder_text});
  }
  RETURN_IF_ERROR(status);
  lanes_.Moved(stands.queue, stands.user, stands.place, PlaceOf(job));
  return OkStatus();
}

StatusOr<bool> SqliteJobs::EndClaimed(const ClaimedJob& claimed, const std::string& result_json,
                                      int64_t finished_ms) {
  found_.reset();
  Query query(connection_, kEndClaimed);
  query.Bind(claimed.id, result_json, finished_ms, claimed.fence, claimed.worker, claimed.provider_key,
             claimed.model_key, claimed.priority, claimed.row);
  RETURN_IF_ERROR(query.Run());
  if (query.changes() == 0) return false;
  const Lanes::Place running{claimed.provider_key, claimed.model_key, claimed.priority, JobState::kRunning};
  Lanes::Place done = running;
  done.state = JobState::kDone;
  lanes_.Moved(claimed.queue, claimed.user, running, done);
  return true;
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
