#include "store/sqlite/schema.h"

#include <charconv>

#include "base/hash.h"
#include "fmt/format.h"
#include "store/sqlite/open.h"

namespace mediagen {

extern const char kSchemaRecords[], kSchemaJobs[], kSchemaEvents[], kSchemaLedger[], kSchemaMedia[],
    kSchemaUploads[];  // schema_*.cc

namespace {

struct Step {
  int version;
  bool breaking;  // older builds must not write any more
  std::initializer_list<const char*> sql;
};

// The first step makes it all: nothing before it was released, and what was written then is refused by name.
constexpr int kOldest = 3;
const Step kSteps[] = {
    {kOldest, false, {kSchemaRecords, kSchemaJobs, kSchemaEvents, kSchemaLedger}},
    {4, false, {kSchemaMedia}},
    {5, false, {kSchemaUploads}},
};
constexpr int kSchema = 5;
constexpr int kMinCompatible = 3;  // the oldest build that may write what this one writes

constexpr char kCreateMeta[] = R"sql(
CREATE TABLE IF NOT EXISTS meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID)sql";
constexpr char kReadMeta[] = "SELECT value FROM meta WHERE key = ?";
constexpr char kWriteMeta[] =
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

Status Refuse(int64_t min_compatible) {
  return Error(Code::kUnsupported,
               fmt::format("the data directory needs schema {} or newer; this build writes schema {}.",
                           min_compatible, kSchema),
               {.hint = "Update mediagen in this process: a newer one has migrated the directory."});
}

StatusOr<int> MetaNumber(Connection& connection, std::string_view key) {
  ASSIGN_OR_RETURN(std::string text, ReadMeta(connection, key));
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Status ApplySteps(Connection& connection, int from) {
  for (const Step& step : kSteps) {
    if (step.version <= from) continue;
    for (const char* sql : step.sql) RETURN_IF_ERROR(connection.Exec(sql));
  }
  RETURN_IF_ERROR(WriteMeta(connection, "schema", fmt::format("{}", kSchema)));
  RETURN_IF_ERROR(WriteMeta(connection, "minCompatible", fmt::format("{}", kMinCompatible)));
  if (from == 0) {
    uint64_t epoch = SystemRandom()->Next();
    RETURN_IF_ERROR(WriteMeta(connection, "epoch", fmt::format("{:016x}", epoch)));
  }
  return connection.Exec(fmt::format("PRAGMA user_version = {}", kMinCompatible).c_str());
}

bool NeedsBreaking(int from) {
  for (const Step& step : kSteps) {
    if (step.version > from && step.breaking) return true;
  }
  return false;
}

Status MigrateInside(Connection& connection, WriteLocks& locks) {
  RETURN_IF_ERROR(CheckCompatible(connection));
  RETURN_IF_ERROR(connection.Exec(kCreateMeta));
  ASSIGN_OR_RETURN(int from, MetaNumber(connection, "schema"));
  if (from >= kSchema) return OkStatus();
  if (from > 0 && from < kOldest) {
    return Error(Code::kUnsupported,
                 fmt::format("the data directory has schema {}, which was never released.", from),
                 {.hint = "Move it away: a new one is made in its place."});
  }
  if (from > 0 && NeedsBreaking(from) && !locks.TryOpenAlone()) {
    return Error(
        Code::kUnavailable,
        fmt::format(
            "the data directory must be migrated from schema {} to {} and another process has it open.", from,
            kSchema),
        {.hint = "Stop the older processes, then start this one again.", .retry_after_ms = 1000});
  }
  return ApplySteps(connection, from);
}

}  // namespace

int SqliteSchemaVersion() { return kSchema; }

Status CheckCompatible(Connection& connection) {
  ASSIGN_OR_RETURN(int64_t min_compatible, connection.Value("PRAGMA user_version"));
  return min_compatible > kSchema ? Refuse(min_compatible) : OkStatus();
}

StatusOr<std::string> ReadMeta(Connection& connection, std::string_view key) {
  Query query(connection, kReadMeta);
  query.Bind(key);
  std::string value = query.Step() ? query.Text() : std::string();
  RETURN_IF_ERROR(query.status());
  return value;
}

Status WriteMeta(Connection& connection, std::string_view key, const std::string& value) {
  return Query(connection, kWriteMeta).Bind(key, value).Run();
}

Status MigrateSchema(Connection& connection, WriteLocks& locks) {
  RETURN_IF_ERROR(connection.Exec("BEGIN IMMEDIATE"));
  Status status = MigrateInside(connection, locks);
  if (status.ok()) status = connection.Exec("COMMIT");
  if (!status.ok() && connection.in_transaction()) connection.Exec("ROLLBACK").IgnoreError();
  Status shared = locks.ShareOpen();  // back to shared after a breaking step
  return status.ok() ? shared : status;
}

}  // namespace mediagen
