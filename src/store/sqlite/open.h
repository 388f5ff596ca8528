// The store as one SQLite database file of mediagen's own (architecture.md rule 7: several processes of one
// machine may open it).
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "base/landmarks.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/store.h"

namespace mediagen {

struct SqliteOptions {
  std::string dir;                     // holds mediagen.db, write.lock, gate.lock, open.lock, wake
  bool threaded = true;                // a writer thread and a watcher; false: RunOnce drives
  bool relaxed = false;                // durability: synchronous=NORMAL instead of FULL
  uint64_t reserve_bytes = 64u << 20;  // submits are refused below this much free space
  int readers = 4;                     // read connections kept
  std::string vfs;                     // SQLite VFS name; "" : SQLite's own (tests shim it)
  Landmarks* landmarks = nullptr;      // null: nobody is told
  int checkpoint_pages = 4000;         // of the WAL, 4 KiB each: the writer copies them and begins anew
  bool lock_writes = true;             // only the WAL-reset reproduction turns our lock off
};

// Errors: kInvalid (a network file system, by name, with what to do), kUnavailable (unreadable), kUnsupported
// (a newer schema: names both versions), kCorrupt, kStorageFull. Everything in the options must outlive the
// store.
StatusOr<std::unique_ptr<Store>> OpenSqliteStore(Clock* clock, FileSystem* files, Metrics* metrics,
                                                 LogSink* log, const SqliteOptions& options);

// The schema version that this build writes, and the oldest build's that may still open it.
int SqliteSchemaVersion();

}  // namespace mediagen
