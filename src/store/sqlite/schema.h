// The schema of mediagen.db, as numbered steps.
//
// meta holds `schema` (the newest step that was applied) and `minCompatible` (the oldest build's schema that
// may still write); PRAGMA user_version repeats minCompatible, so that every group can check it for the price
// of a cached page. Additive steps keep older processes running; a breaking one needs open.lock for itself
// alone.
#pragma once

#include <string>

#include "base/status.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/locks.h"

namespace mediagen {

// Brings the database to this build's schema, or refuses: kUnsupported when its minCompatible is newer than
// this build (both versions are named), kUnavailable when a breaking step is needed while others have the
// directory open. A newer schema that is only additive is left as it is. The caller holds the write lock and,
// shared, open.lock. Not thread-safe.
Status MigrateSchema(Connection& connection, WriteLocks& locks);

// kUnsupported once the database's minCompatible has passed this build.
Status CheckCompatible(Connection& connection);

// meta's value under `key`, or "".
StatusOr<std::string> ReadMeta(Connection& connection, std::string_view key);
Status WriteMeta(Connection& connection, std::string_view key, const std::string& value);

}  // namespace mediagen
