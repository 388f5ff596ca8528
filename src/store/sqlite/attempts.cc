#include <algorithm>

#include "base/json.h"
#include "fmt/format.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

#define PART_COLUMNS "generation, part, n, state, error, choice"
constexpr auto kVisitPart = [](auto& p, const auto& visit) {
  visit(p.generation), visit(p.part), visit(p.n), visit(p.state), visit(p.error_json), visit(p.choice);
};

constexpr char kInsertPart[] = "INSERT INTO part (" PART_COLUMNS ") VALUES (?,?,?,?,?,?)";
// Both seek the primary key (generation, part).
constexpr char kUpdatePart[] =
    "UPDATE part SET n = ?3, state = ?4, error = ?5, choice = ?6 WHERE generation = ?1 AND part = ?2";
constexpr char kPartsOf[] = "SELECT " PART_COLUMNS " FROM part WHERE generation = ? ORDER BY part";

#define IDENTITY "id, generation, part, try, nonce, created_ms"
#define MUTABLE                                                                                        \
  "provider, model, state, remote_id, status_url, result_url, cancel_url, spool_key, outputs, error, " \
  "cost_micros, updated_ms"
#define COLUMNS IDENTITY ", " MUTABLE

template <typename Row, typename Visitor>
void Mutable(Row& a, const Visitor& visit) {
  visit(a.provider), visit(a.model), visit(a.state), visit(a.remote_id), visit(a.status_url),
      visit(a.result_url);
  visit(a.cancel_url), visit(a.spool_key), visit(a.outputs_json), visit(a.error_json), visit(a.cost_micros);
  visit(a.updated_ms);
}
constexpr auto kVisit = [](auto& a, const auto& visit) {
  visit(a.id), visit(a.generation), visit(a.part), visit(a.attempt_try), visit(a.nonce), visit(a.created_ms);
  Mutable(a, visit);
};

constexpr char kInsert[] = "INSERT INTO attempt (" COLUMNS ") VALUES (?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?)";

// Seeks the primary key. ?1 id, ?2 nonce, ?3 the states it may leave as ",name,name,".
constexpr char kMove[] = "UPDATE attempt SET (" MUTABLE R"sql() = (?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)
WHERE id = ?1 AND nonce = ?2 AND instr(?3, ',' || state || ',') > 0)sql";

// Seeks attempt_order(generation, part, try).
constexpr char kAttemptsOf[] = "SELECT " COLUMNS " FROM attempt WHERE generation = ? ORDER BY part, try";
// Seeks the primary key.
constexpr char kFind[] = "SELECT " COLUMNS " FROM attempt WHERE id = ?";
// Seeks attempt_remote(provider, remote_id).
constexpr char kFindByRemoteId[] =
    "SELECT " COLUMNS " FROM attempt WHERE provider = ? AND remote_id = ? AND remote_id <> ''";
// Seeks attempt_remote(provider, remote_id) once an id.
constexpr char kKnownRemoteIds[] = R"sql(
SELECT attempt.remote_id FROM json_each(?2) AS asked CROSS JOIN attempt
ON attempt.provider = ?1 AND attempt.remote_id = asked.value AND attempt.remote_id <> '')sql";
// Seeks attempt_unanswered(provider, created_ms).
constexpr char kUnanswered[] = "SELECT " COLUMNS R"sql( FROM attempt INDEXED BY attempt_unanswered
WHERE provider = ? AND created_ms BETWEEN ? AND ? AND state IN ('intent', 'unknown') ORDER BY created_ms)sql";
// Reads the entries of attempt_state(state) that it counts.
constexpr char kCount[] = "SELECT count(*) FROM attempt WHERE state = ?";

Status Clash(const Attempt& attempt) {
  return Error(
      Code::kConflict,
      fmt::format("attempt {} clashes with another one of its part and try, or of remote id \"{}\" at {}.",
                  attempt.id.text(), Shorten(attempt.remote_id, 80), attempt.provider),
      {.object = attempt.id.text()});
}

Status NoGeneration(const Id& generation) {
  return Error(Code::kNotFound, fmt::format("there is no generation {}.", generation.text()),
               {.object = generation.text()});
}

}  // namespace

Status SqliteRecords::InsertPart(const Part& part) {
  Query query(connection_, kInsertPart);
  kVisitPart(part, Binder{query});
  Status status = query.Run();
  if (CodeOf(status) == Code::kNotFound) return NoGeneration(part.generation);
  if (CodeOf(status) != Code::kConflict) return status;
  return Error(Code::kConflict,
               fmt::format("generation {} has a part {} already.", part.generation.text(), part.part),
               {.object = part.generation.text()});
}

Status SqliteRecords::UpdatePart(const Part& part) {
  Query query(connection_, kUpdatePart);
  kVisitPart(part, Binder{query});
  RETURN_IF_ERROR(query.Run());
  if (query.changes() == 1) return OkStatus();
  return Error(Code::kNotFound,
               fmt::format("generation {} has no part {}.", part.generation.text(), part.part),
               {.object = part.generation.text()});
}

StatusOr<std::vector<Part>> SqliteRecords::PartsOf(const Id& generation) const {
  Query query(connection_, kPartsOf);
  query.Bind(generation);
  return AllRows<Part>(query, kVisitPart);
}

Status SqliteRecords::InsertAttempt(const Attempt& attempt) {
  Query query(connection_, kInsert);
  kVisit(attempt, Binder{query});
  Status status = query.Run();
  if (CodeOf(status) == Code::kNotFound) return NoGeneration(attempt.generation);
  return CodeOf(status) == Code::kConflict ? Clash(attempt) : status;
}

StatusOr<bool> SqliteRecords::MoveAttempt(const Attempt& attempt, std::span<const AttemptState> from) {
  std::string states = ",";
  for (AttemptState state : from) states += fmt::format("{},", AttemptStateName(state));
  Query query(connection_, kMove);
  query.Bind(attempt.id, attempt.nonce, states);
  Mutable(attempt, Binder{query});
  Status status = query.Run();
  if (CodeOf(status) == Code::kConflict) return Clash(attempt);
  RETURN_IF_ERROR(status);
  return query.changes() == 1;
}

StatusOr<std::vector<Attempt>> SqliteRecords::AttemptsOf(const Id& generation) const {
  Query query(connection_, kAttemptsOf);
  query.Bind(generation);
  return AllRows<Attempt>(query, kVisit);
}

StatusOr<std::optional<Attempt>> SqliteRecords::FindAttempt(const Id& id) const {
  Query query(connection_, kFind);
  query.Bind(id);
  return FirstRow<Attempt>(query, kVisit);
}

StatusOr<std::optional<Attempt>> SqliteRecords::FindAttemptByRemoteId(std::string_view provider,
                                                                      std::string_view remote_id) const {
  Query query(connection_, kFindByRemoteId);
  query.Bind(provider, remote_id);
  return FirstRow<Attempt>(query, kVisit);
}

StatusOr<std::vector<std::string>> SqliteRecords::KnownRemoteIds(
    std::string_view provider, std::span<const std::string> remote_ids) const {
  std::string asked = "[";
  for (const std::string& remote_id : remote_ids) {
    if (asked.size() > 1) asked += ',';
    AppendJsonString(remote_id, &asked);
  }
  asked += ']';
  Query query(connection_, kKnownRemoteIds);
  query.Bind(provider, asked);
  std::vector<std::string> known;
  while (query.Step()) known.push_back(query.Text());
  RETURN_IF_ERROR(query.status());
  return known;
}

StatusOr<std::vector<Attempt>> SqliteRecords::UnansweredAttempts(std::string_view provider, int64_t after_ms,
                                                                 int64_t before_ms) const {
  Query query(connection_, kUnanswered);
  query.Bind(provider, after_ms, before_ms);
  return AllRows<Attempt>(query, kVisit);
}

StatusOr<int64_t> SqliteRecords::CountAttempts(AttemptState state) const {
  Query query(connection_, kCount);
  query.Bind(AttemptStateName(state));
  int64_t count = query.Step() ? query.Int() : 0;
  RETURN_IF_ERROR(query.status());
  return count;
}

}  // namespace mediagen
