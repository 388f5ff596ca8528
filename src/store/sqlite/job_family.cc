// What stands beside a job's row: its children's counts and its log.
#include "store/sqlite/job_columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

#define FAMILY_COLUMNS "parent, children, pending, failed, canceled, units, units_done, fail_fast, run_after"
constexpr auto kVisitFamily = [](auto& f, const auto& visit) {
  visit(f.parent), visit(f.children), visit(f.pending), visit(f.failed), visit(f.canceled);
  visit(f.units), visit(f.units_done), visit(f.fail_fast), visit(f.run_after);
};

// Both seek the primary key.
constexpr char kPutFamily[] =
    "INSERT OR REPLACE INTO job_family (" FAMILY_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?)";
constexpr char kFindFamily[] = "SELECT " FAMILY_COLUMNS " FROM job_family WHERE parent = ?";

// Seeks job_child(parent, id).
constexpr char kChildren[] = "SELECT " JOB_COLUMNS R"sql( FROM job INDEXED BY job_child
WHERE parent = ? AND id > ? ORDER BY id LIMIT ?)sql";

// All seek the primary key (job, sequence).
constexpr char kLastLine[] = "SELECT coalesce(max(sequence), 0) FROM job_log WHERE job = ?";
constexpr char kPutLine[] = "INSERT INTO job_log (job, sequence, at_ms, level, message) VALUES (?,?,?,?,?)";
constexpr char kDropLines[] = "DELETE FROM job_log WHERE job = ? AND sequence <= ?";
constexpr char kLines[] = R"sql(SELECT sequence, at_ms, level, message FROM job_log
WHERE job = ? AND sequence > ? ORDER BY sequence LIMIT ?)sql";

}  // namespace

Status SqliteJobs::PutFamily(const Family& family) {
  Query query(connection_, kPutFamily);
  kVisitFamily(family, Binder{query});
  return query.Run();
}

StatusOr<std::optional<Family>> SqliteJobs::FindFamily(const Id& parent) const {
  Query query(connection_, kFindFamily);
  query.Bind(parent);
  return FirstRow<Family>(query, kVisitFamily);
}

StatusOr<std::vector<Job>> SqliteJobs::ChildrenOf(const Id& parent, const Id& after, int limit) const {
  Query query(connection_, kChildren);
  query.Bind(parent, AfterId(after), limit);
  return AllRows<Job>(query, kVisitJob);
}

Status SqliteJobs::AppendLog(const Id& job, int64_t at_ms, std::string_view level, std::string_view message,
                             int keep) {
  int64_t last = 0;
  {
    Query query(connection_, kLastLine);
    query.Bind(job);
    if (query.Step()) last = query.Int();
    RETURN_IF_ERROR(query.status());
  }
  RETURN_IF_ERROR(Query(connection_, kPutLine).Bind(job, last + 1, at_ms, level, message).Run());
  if (last < keep) return OkStatus();
  return Query(connection_, kDropLines).Bind(job, last + 1 - keep).Run();
}

StatusOr<std::vector<JobLogLine>> SqliteJobs::LogOf(const Id& job, int64_t after, int limit) const {
  Query query(connection_, kLines);
  query.Bind(job, after, limit);
  return AllRows<JobLogLine>(query, [](auto& line, const auto& visit) {
    visit(line.sequence), visit(line.at_ms), visit(line.level), visit(line.message);
  });
}

}  // namespace mediagen
