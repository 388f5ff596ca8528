// What is kept of a queue: its pace, and the settings that were changed at run time.
#include "store/sqlite/columns.h"
#include "store/sqlite/rows.h"

namespace mediagen {
namespace {

// All seek the primary key.
constexpr char kPace[] = "SELECT boot, claims, retry_us FROM queue_pace WHERE queue = ?";
constexpr char kPutPace[] =
    "INSERT OR REPLACE INTO queue_pace (queue, boot, claims, retry_us) VALUES (?,?,?,?)";
constexpr char kPutSettings[] =
    "INSERT OR REPLACE INTO queue_setting (queue, version, document) VALUES (?,?,?)";

// Reads one entry of queue_setting_version.
constexpr char kVersion[] =
    "SELECT coalesce(max(version), 0) FROM queue_setting INDEXED BY queue_setting_version";
constexpr char kSettings[] = "SELECT queue, document FROM queue_setting WHERE document <> '' ORDER BY queue";

}  // namespace

StatusOr<Pace> SqliteJobs::PaceOf(std::string_view queue) const {
  Query query(connection_, kPace);
  query.Bind(queue);
  Pace pace;
  if (query.Step()) query.Take(&pace.boot), query.Take(&pace.claims), query.Take(&pace.retry_us);
  RETURN_IF_ERROR(query.status());
  return pace;
}

Status SqliteJobs::PutPace(std::string_view queue, const Pace& pace) {
  return Query(connection_, kPutPace).Bind(queue, pace.boot, pace.claims, pace.retry_us).Run();
}

// A document that is taken out leaves its row, so that the version goes on rising.
Status SqliteJobs::PutSettings(const StoredSettings& settings) {
  ASSIGN_OR_RETURN(const int64_t version, SettingsVersion());
  return Query(connection_, kPutSettings).Bind(settings.queue, version + 1, settings.document_json).Run();
}

StatusOr<std::vector<StoredSettings>> SqliteJobs::Settings() const {
  Query query(connection_, kSettings);
  return AllRows<StoredSettings>(
      query, [](auto& row, const auto& visit) { visit(row.queue), visit(row.document_json); });
}

StatusOr<int64_t> SqliteJobs::SettingsVersion() const {
  Query query(connection_, kVersion);
  const int64_t version = query.Step() ? query.Int() : 0;
  RETURN_IF_ERROR(query.status());
  return version;
}

}  // namespace mediagen
