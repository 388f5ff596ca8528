#include "fmt/format.h"
#include "store/sqlite/columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

#define COLUMNS "token, output, user, created_ms"
constexpr auto kVisit = [](auto& s, const auto& visit) {
  visit(s.token), visit(s.output), visit(s.user), visit(s.created_ms);
};

constexpr char kInsert[] = "INSERT INTO share (" COLUMNS ") VALUES (?,?,?,?)";
// Seeks the primary key.
constexpr char kFind[] = "SELECT " COLUMNS " FROM share WHERE token = ?";
// Both seek share_output(output).
constexpr char kShareOf[] = "SELECT " COLUMNS " FROM share WHERE output = ?";
constexpr char kRemove[] = "DELETE FROM share WHERE output = ?";

}  // namespace

Status SqliteRecords::InsertShare(const ShareLink& share) {
  Query query(connection_, kInsert);
  kVisit(share, Binder{query});
  Status status = query.Run();
  const std::string id = share.output.text();
  if (CodeOf(status) == Code::kNotFound)
    return Error(Code::kNotFound, fmt::format("there is no output {}.", id), {.object = id});
  if (CodeOf(status) == Code::kConflict)
    return Error(Code::kConflict, fmt::format("output {} is shared already.", id), {.object = id});
  return status;
}

StatusOr<std::optional<ShareLink>> SqliteRecords::FindShare(std::string_view token) const {
  Query query(connection_, kFind);
  query.Bind(token);
  return FirstRow<ShareLink>(query, kVisit);
}

StatusOr<std::optional<ShareLink>> SqliteRecords::ShareOf(const Id& output) const {
  Query query(connection_, kShareOf);
  query.Bind(output);
  return FirstRow<ShareLink>(query, kVisit);
}

StatusOr<bool> SqliteRecords::RemoveShare(const Id& output) {
  Query query(connection_, kRemove);
  query.Bind(output);
  RETURN_IF_ERROR(query.Run());
  return query.changes() > 0;
}

}  // namespace mediagen
