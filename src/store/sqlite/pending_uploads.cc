// Uploads that were allowed and are not complete.
#include "store/sqlite/columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

#define COLUMNS \
  "id, user, visibility, reuse, media_type, max_bytes, expires_ms, tries, blob_key, brought, output"
constexpr auto kVisit = [](auto& u, const auto& visit) {
  visit(u.id), visit(u.user), visit(u.visibility), visit(u.reuse), visit(u.media_type), visit(u.max_bytes);
  visit(u.expires_ms), visit(u.tries), visit(u.blob_key), visit(u.brought_json), visit(u.output);
};

// Seek the primary key.
constexpr char kPut[] = "INSERT INTO pending_upload (" COLUMNS R"sql() VALUES (?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (id) DO UPDATE SET tries = excluded.tries, blob_key = excluded.blob_key, brought = excluded.brought,
  output = excluded.output)sql";
constexpr char kFind[] = "SELECT " COLUMNS " FROM pending_upload WHERE id = ?";
constexpr char kRemove[] = "DELETE FROM pending_upload WHERE id = ?";
// Reads pending_upload_expiry(expires_ms) from its beginning.
constexpr char kExpired[] =
    "SELECT " COLUMNS " FROM pending_upload WHERE expires_ms < ? ORDER BY expires_ms, id LIMIT ?";

}  // namespace

Status SqliteRecords::PutPendingUpload(const PendingUpload& upload) {
  Query query(connection_, kPut);
  kVisit(upload, Binder{query});
  return query.Run();
}

StatusOr<std::optional<PendingUpload>> SqliteRecords::FindPendingUpload(const Id& id) const {
  Query query(connection_, kFind);
  query.Bind(id);
  return FirstRow<PendingUpload>(query, kVisit);
}

Status SqliteRecords::RemovePendingUpload(const Id& id) { return Query(connection_, kRemove).Bind(id).Run(); }

StatusOr<std::vector<PendingUpload>> SqliteRecords::ExpiredUploads(int64_t before_ms, int limit) const {
  Query query(connection_, kExpired);
  query.Bind(before_ms, limit);
  return AllRows<PendingUpload>(query, kVisit);
}

}  // namespace mediagen
