#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

// Seeks the primary key: one row a queue and state.
constexpr char kReadyJobs[] = "SELECT jobs FROM queue_state WHERE queue = ? AND state = 'ready'";
// Seeks the primary key.
constexpr char kPlace[] = "SELECT queue, user, priority, sort_ms FROM job WHERE id = ? AND state = 'ready'";
// Reads the entries of lane_priority(queue, priority, …) above this priority.
constexpr char kAhead[] =
    "SELECT coalesce(sum(ready), 0) FROM lane INDEXED BY lane_priority WHERE queue = ? AND priority > ? AND "
    "ready > 0";
// Reads the user's entries of job_ready.
constexpr char kRank[] = R"sql(SELECT count(*) FROM job INDEXED BY job_ready WHERE queue = ? AND user = ?
AND sort_ms IS NOT NULL AND priority = ? AND (sort_ms, id) < (?, ?))sql";
// Reads the entries of lane_priority at this priority. Who stands before us in the round (an earlier turn) is
// served once more than we.
constexpr char kOthers[] = R"sql(
SELECT coalesce(sum(min(waiting, ?4 + (turn < ?5))), 0) FROM
  (SELECT sum(ready) AS waiting, min(turn) AS turn FROM lane INDEXED BY lane_priority
   WHERE queue = ?1 AND priority = ?2 AND ready > 0 AND user <> ?3 GROUP BY user))sql";
constexpr char kTurn[] = "SELECT turn FROM lane WHERE queue = ? AND user = ? LIMIT 1";

}  // namespace

StatusOr<int64_t> SqliteJobs::PositionOf(const Id& id, int64_t most_ready) const {
  RETURN_IF_ERROR(lanes_.Flush());
  Query place(connection_, kPlace);
  place.Bind(id);
  if (!place.Step()) {
    RETURN_IF_ERROR(place.status());
    return -1;
  }
  std::string queue = place.Text(), user = place.Text();
  int64_t priority = place.Int(), sort_ms = place.Int();
  RETURN_IF_ERROR(place.status());

  auto count = [&](Query& query) -> StatusOr<int64_t> {
    int64_t value = query.Step() ? query.Int() : 0;
    RETURN_IF_ERROR(query.status());
    return value;
  };
  Query ready(connection_, kReadyJobs);
  ASSIGN_OR_RETURN(int64_t ready_jobs, count(ready.Bind(queue)));
  if (ready_jobs > most_ready) return -1;
  Query ahead(connection_, kAhead), rank(connection_, kRank), turn(connection_, kTurn),
      others(connection_, kOthers);
  ASSIGN_OR_RETURN(int64_t above, count(ahead.Bind(queue, priority)));
  ASSIGN_OR_RETURN(int64_t own, count(rank.Bind(queue, user, priority, sort_ms, id)));
  ASSIGN_OR_RETURN(int64_t turn_value, count(turn.Bind(queue, user)));
  ASSIGN_OR_RETURN(int64_t beside, count(others.Bind(queue, priority, user, own, turn_value)));
  return above + own + beside;
}

}  // namespace mediagen
