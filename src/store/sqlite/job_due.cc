#include <algorithm>

#include "base/clock.h"
#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

#define DUE "SELECT id, queue, user, provider_key, model_key, priority FROM job INDEXED BY "

// Seeks job_run_at(due_ms). A job that has neither time (-1) is due.
constexpr char kDueByWall[] =
    DUE "job_run_at WHERE due_ms IS NOT NULL AND due_ms <= ?1 ORDER BY due_ms LIMIT ?2";
// All three seek job_due(due_boot, due_mono). A due time of another boot has no meaning any more, so it is
// over.
constexpr char kDueByMono[] = DUE R"sql(job_due WHERE due_boot = ?1
AND due_mono <= ?3 ORDER BY due_mono LIMIT ?2)sql";
constexpr char kDueBefore[] = DUE "job_due WHERE due_boot < ?1 LIMIT ?2";
constexpr char kDueBehind[] = DUE "job_due WHERE due_boot > ?1 LIMIT ?2";

constexpr char kPromote[] =
    R"sql(UPDATE job SET state = 'ready', due_mono = -1, due_boot = NULL, due_ms = NULL,
rest = NULL, sort_ms = iif(run_at_ms >= 0, run_at_ms, created_ms) WHERE id = ?)sql";

// Each reads one entry of its index.
constexpr char kFirstByWall[] = "SELECT min(due_ms) FROM job INDEXED BY job_run_at WHERE due_ms IS NOT NULL";
constexpr char kFirstByMono[] = R"sql(SELECT min(due_mono) FROM job INDEXED BY job_due
WHERE due_boot = ?1)sql";
constexpr char kAnyBefore[] = R"sql(SELECT 0 FROM job INDEXED BY job_due
WHERE due_boot < ?1 LIMIT 1)sql";
constexpr char kAnyBehind[] = R"sql(SELECT 0 FROM job INDEXED BY job_due
WHERE due_boot > ?1 LIMIT 1)sql";

struct Due {
  Id id;
  std::string queue, user;
  Lanes::Place place{.state = JobState::kScheduled};
};

Status Collect(Query& query, std::vector<Due>* due) {
  while (query.Step()) {
    Due& row = due->emplace_back();
    query.Take(&row.id), query.Take(&row.queue), query.Take(&row.user);
    query.Take(&row.place.provider_key), query.Take(&row.place.model_key);
    query.Take(&row.place.priority);
  }
  return query.status();
}

}  // namespace

StatusOr<int> SqliteJobs::PromoteDue(int64_t now_ms, int64_t now_mono, std::string_view boot_id, int limit) {
  std::vector<Due> due;
  auto room = [&] { return limit - static_cast<int>(due.size()); };
  RETURN_IF_ERROR(Collect(Query(connection_, kDueByWall).Bind(now_ms, limit), &due));
  RETURN_IF_ERROR(Collect(Query(connection_, kDueByMono).Bind(boot_id, room(), now_mono), &due));
  RETURN_IF_ERROR(Collect(Query(connection_, kDueBefore).Bind(boot_id, room()), &due));
  RETURN_IF_ERROR(Collect(Query(connection_, kDueBehind).Bind(boot_id, room()), &due));
  found_.reset();
  for (const Due& job : due) {
    RETURN_IF_ERROR(Query(connection_, kPromote).Bind(job.id).Run());
    Lanes::Place ready = job.place;
    ready.state = JobState::kReady;
    lanes_.Moved(job.queue, job.user, job.place, ready);
  }
  return static_cast<int>(due.size());
}

StatusOr<int64_t> SqliteJobs::NextDueIn(int64_t now_ms, int64_t now_mono) const {
  int64_t next = -1;
  auto consider = [&](Query& query, int64_t now) {
    if (!query.Step() || query.Null()) return query.status();
    int64_t in = std::max<int64_t>(query.Int() - now, 0);
    next = next < 0 ? in : std::min(next, in);
    return query.status();
  };
  RETURN_IF_ERROR(consider(Query(connection_, kFirstByWall).Bind(), now_ms));
  RETURN_IF_ERROR(consider(Query(connection_, kFirstByMono).Bind(BootId()), now_mono));
  RETURN_IF_ERROR(consider(Query(connection_, kAnyBefore).Bind(BootId()), 0));
  RETURN_IF_ERROR(consider(Query(connection_, kAnyBehind).Bind(BootId()), 0));
  return next;
}

}  // namespace mediagen
