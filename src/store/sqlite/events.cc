#include "store/sqlite/columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

#define COLUMNS "topic, type, object, user, visibility, data, at_ms"
template <typename Row, typename Visitor>
void Body(Row& e, const Visitor& visit) {
  visit(e.topic), visit(e.type), visit(e.object), visit(e.user), visit(e.visibility), visit(e.data_json);
  visit(e.at_ms);
}

constexpr char kAppend[] = "INSERT INTO event (" COLUMNS ") VALUES (?,?,?,?,?,?,?)";
// Seeks the primary key.
constexpr char kAfter[] =
    "SELECT sequence, " COLUMNS " FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?";
// One row a table with AUTOINCREMENT; it remembers what pruning has deleted.
constexpr char kNewest[] = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
constexpr char kOldest[] = "SELECT min(sequence) FROM event";
// The first of the oldest ?2 events that is young enough to stay: a prefix goes, so that no hole opens where
// the wall clock jumped.
constexpr char kFirstKept[] = R"sql(
SELECT min(sequence) FROM (SELECT sequence, at_ms FROM event ORDER BY sequence LIMIT ?2) WHERE at_ms >= ?1)sql";
constexpr char kPrune[] = R"sql(
DELETE FROM event WHERE sequence < ?1 AND sequence <= (SELECT max(sequence) FROM
  (SELECT sequence FROM event ORDER BY sequence LIMIT ?2)))sql";

}  // namespace

StatusOr<int64_t> SqliteEvents::Append(const Event& event) {
  Query query(connection_, kAppend);
  Body(event, Binder{query});
  RETURN_IF_ERROR(query.Run());
  appended_ = true;
  return connection_.last_insert_rowid();  // not by RETURNING, which makes a table of its rows first
}

StatusOr<std::vector<Event>> SqliteEvents::After(int64_t after, int limit) const {
  Query query(connection_, kAfter);
  query.Bind(after, limit);
  return AllRows<Event>(query, [](Event& event, const Taker& take) {
    take(event.sequence);
    Body(event, take);
  });
}

StatusOr<int64_t> SqliteEvents::Newest() const { return connection_.Value(kNewest); }

StatusOr<int64_t> SqliteEvents::Oldest() const {
  Query query(connection_, kOldest);
  int64_t oldest = query.Step() ? query.Int() : 0;  // NULL reads as 0
  RETURN_IF_ERROR(query.status());
  if (oldest > 0) return oldest;
  ASSIGN_OR_RETURN(int64_t newest, Newest());
  return newest + 1;
}

StatusOr<int> SqliteEvents::Prune(int64_t before_ms, int limit) {
  Query first_kept(connection_, kFirstKept);
  first_kept.Bind(before_ms, limit);
  int64_t boundary = INT64_MAX;
  if (first_kept.Step() && !first_kept.Null()) boundary = first_kept.Int();
  RETURN_IF_ERROR(first_kept.status());
  Query prune(connection_, kPrune);
  prune.Bind(boundary, limit);
  RETURN_IF_ERROR(prune.Run());
  return prune.changes();
}

}  // namespace mediagen
