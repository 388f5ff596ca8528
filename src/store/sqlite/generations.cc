#include <algorithm>

#include "fmt/format.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

constexpr int64_t kIdempotencyMs = 24 * 3'600'000;

// What never changes stands first, so that an update leaves its indexes alone.
#define IDENTITY "id, user, external_id, created_ms"
#define MUTABLE                                                                                         \
  "project, session, status, stage, provider, model, kind, prompt, n, seed, request, progress, error, " \
  "cost_micros, "                                                                                       \
  "cost_source, attempts, visibility, metadata, likes, shares, started_ms, completed_ms, deadline_ms, " \
  "cancel_requested, job"
#define COLUMNS IDENTITY ", " MUTABLE ", version"

template <typename Row, typename Visitor>
void Identity(Row& g, const Visitor& visit) {
  visit(g.id), visit(g.user), visit(g.external_id), visit(g.created_ms);
}
template <typename Row, typename Visitor>
void Mutable(Row& g, const Visitor& visit) {
  visit(g.project), visit(g.session), visit(g.status), visit(g.stage), visit(g.provider), visit(g.model);
  visit(g.kind), visit(g.prompt), visit(g.n), visit(g.seed), visit(g.request_json), visit(g.progress_json);
  visit(g.error_json), visit(g.cost_micros), visit(g.cost_source), visit(g.attempts), visit(g.visibility);
  visit(g.metadata_json), visit(g.likes), visit(g.shares), visit(g.started_ms), visit(g.completed_ms);
  visit(g.deadline_ms), visit(g.cancel_requested), visit(g.job);
}
constexpr auto kVisit = [](auto& g, const auto& visit) {
  Identity(g, visit);
  Mutable(g, visit);
  visit(g.version);
};

constexpr char kInsert[] = "INSERT INTO generation (" COLUMNS R"sql()
VALUES (?,?,?,?, ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?, ?))sql";

// Seeks the primary key; ?1 is the id.
constexpr char kUpdate[] = "UPDATE generation SET (" MUTABLE R"sql(, version) =
(?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26, version + 1) WHERE id = ?1)sql";

// Seeks the primary key.
constexpr char kFind[] = "SELECT " COLUMNS " FROM generation WHERE id = ?";

// Seeks generation_external(user, external_id).
constexpr char kFindExternal[] =
    "SELECT " COLUMNS " FROM generation WHERE user = ? AND external_id = ? AND external_id <> ''";

// Pages seek the index that is named and read only what they return, but for the filters that the index does
// not hold: those are few values of many rows (a user within a session), or statuses that the index is
// partial on. ?1, ?2: the last row seen; ?3: limit; ?4: statuses as
// ",name,name,", '' for any; ?5 user; ?6 session; ?7 project, NULL for any.
#define PAGE(index, terms)                                                                           \
  "SELECT " COLUMNS " FROM generation INDEXED BY " index " WHERE " terms                             \
  "(created_ms, id) < (?1, ?2) AND (?4 = '' OR instr(?4, ',' || status || ',') > 0) "                \
  "AND (?5 IS NULL OR user = ?5) AND (?6 IS NULL OR session = ?6) AND (?7 IS NULL OR project = ?7) " \
  "ORDER BY created_ms DESC, id DESC LIMIT ?3"
#define ACTIVE "status IN ('pending', 'processing') AND "
#define TROUBLED "(status = 'failed' OR status = 'canceled' OR status = 'unknown') AND "

constexpr char kPageAll[] = PAGE("generation_all", "");
constexpr char kPageUser[] = PAGE("generation_user", "user = ?5 AND ");
constexpr char kPageSession[] = PAGE("generation_session", "session = ?6 AND ");
constexpr char kPageProject[] = PAGE("generation_project", "project = ?7 AND ");
constexpr char kPageActive[] = PAGE("generation_active", ACTIVE);
constexpr char kPageActiveUser[] = PAGE("generation_active_user", ACTIVE "user = ?5 AND ");
constexpr char kPageTroubled[] = PAGE("generation_troubled", TROUBLED);
constexpr char kPageTroubledUser[] = PAGE("generation_troubled_user", TROUBLED "user = ?5 AND ");

// Seeks the primary key (user, key).
constexpr char kFindKey[] =
    "SELECT generation, body_sha256 FROM idempotency WHERE user = ? AND key = ? AND created_ms > ?";
constexpr char kPutKey[] = R"sql(
INSERT INTO idempotency (user, key, body_sha256, generation, created_ms) VALUES (?,?,?,?,?)
ON CONFLICT (user, key) DO UPDATE SET
  body_sha256 = excluded.body_sha256, generation = excluded.generation, created_ms = excluded.created_ms)sql";
// Seeks idempotency_age(created_ms). Two go for one that comes, so the table cannot grow for ever.
constexpr char kExpireKeys[] = R"sql(
DELETE FROM idempotency WHERE (user, key) IN
  (SELECT user, key FROM idempotency WHERE created_ms <= ? ORDER BY created_ms LIMIT 2))sql";

enum class StatusGroup { kAny, kActive, kTroubled };

StatusGroup GroupOf(const std::vector<GenerationStatus>& statuses) {
  bool active = !statuses.empty(), troubled = !statuses.empty();
  for (GenerationStatus status : statuses) {
    bool is_active = status == GenerationStatus::kPending || status == GenerationStatus::kProcessing;
    active &= is_active;
    troubled &= !is_active && status != GenerationStatus::kCompleted;
  }
  return active ? StatusGroup::kActive : troubled ? StatusGroup::kTroubled : StatusGroup::kAny;
}

const char* PageFor(const GenerationFilter& filter) {
  if (filter.session) return kPageSession;
  StatusGroup group = GroupOf(filter.statuses);
  if (group == StatusGroup::kActive) return filter.user ? kPageActiveUser : kPageActive;
  if (filter.project) return kPageProject;
  if (group == StatusGroup::kTroubled) return filter.user ? kPageTroubledUser : kPageTroubled;
  return filter.user ? kPageUser : kPageAll;
}

}  // namespace

Status SqliteRecords::InsertGeneration(const Generation& generation) {
  Query query(connection_, kInsert);
  kVisit(generation, Binder{query});
  Status status = query.Run();
  if (CodeOf(status) != Code::kConflict) return status;
  ASSIGN_OR_RETURN(auto holder, FindGenerationByExternalId(generation.user, generation.external_id));
  Id taken = holder ? holder->id : generation.id;
  std::string what =
      holder ? fmt::format("the externalId \"{}\" is taken by", generation.external_id) : "there is already";
  return Error(Code::kConflict, fmt::format("{} generation {}.", what, taken.text()),
               {.object = taken.text()});
}

Status SqliteRecords::UpdateGeneration(const Generation& generation) {
  Query query(connection_, kUpdate);
  query.Bind(generation.id);
  Mutable(generation, Binder{query});
  RETURN_IF_ERROR(query.Run());
  if (query.changes() == 1) return OkStatus();
  return Error(Code::kNotFound, fmt::format("there is no generation {}.", generation.id.text()),
               {.object = generation.id.text()});
}

StatusOr<std::optional<Generation>> SqliteRecords::FindGeneration(const Id& id) const {
  Query query(connection_, kFind);
  query.Bind(id);
  return FirstRow<Generation>(query, kVisit);
}

StatusOr<std::optional<Generation>> SqliteRecords::FindGenerationByExternalId(
    std::string_view user, std::string_view external_id) const {
  Query query(connection_, kFindExternal);
  query.Bind(user, external_id);
  return FirstRow<Generation>(query, kVisit);
}

StatusOr<std::vector<Generation>> SqliteRecords::ListGenerations(const GenerationFilter& filter,
                                                                 const std::optional<PageKey>& after,
                                                                 int limit) const {
  std::string statuses;
  for (GenerationStatus status : filter.statuses) statuses += fmt::format("{},", StatusName(status));
  if (!statuses.empty()) statuses = fmt::format(",{}", statuses);
  Id last;
  last.bytes.fill(0xFF);

  Query query(connection_, PageFor(filter));
  query.Bind(after ? after->created_ms : INT64_MAX);
  query.Bind(after ? after->id : last, limit, statuses);
  filter.user ? query.Add(*filter.user) : query.AddNull();
  query.Bind(filter.session.value_or(Id{}), filter.project.value_or(Id{}));
  return AllRows<Generation>(query, kVisit, static_cast<size_t>(std::clamp(limit, 0, 1000)));
}

StatusOr<std::optional<Records::IdempotencyHolder>> SqliteRecords::TakeIdempotencyKey(
    std::string_view user, std::string_view key, std::string_view body_sha256, const Id& generation,
    int64_t now_ms) {
  int64_t expired_ms = now_ms - kIdempotencyMs;
  Query find(connection_, kFindKey);
  find.Bind(user, key, expired_ms);
  if (find.Step()) {
    std::optional<IdempotencyHolder> holder(IdempotencyHolder{find.TakeId(), find.Text()});
    RETURN_IF_ERROR(find.status());
    return holder;
  }
  RETURN_IF_ERROR(find.status());
  RETURN_IF_ERROR(Query(connection_, kExpireKeys).Bind(expired_ms).Run());
  RETURN_IF_ERROR(Query(connection_, kPutKey).Bind(user, key, body_sha256, generation, now_ms).Run());
  return std::optional<IdempotencyHolder>();
}

}  // namespace mediagen
