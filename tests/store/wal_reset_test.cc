// The WAL-reset bug of SQLite 3.7.0–3.51.2, with and without our lock (architecture.md, rule 7).
//
// A checkpoint reads from the wal-index how many frames there are (N), and then how many of them are copied
// already. If between the two another connection commits, and all N had been copied, that commit starts the
// WAL anew: its frames stand at 1…k. The checkpoint still believes in N, and notes that N frames are copied.
// Frames k+1…N of the new WAL, which are written next, then count as copied and never are: once the WAL
// starts anew a second time, their rows are gone.
#include <sqlite3.h>

#include <thread>

#include "sqlite_backend.h"
#include "support/fault_vfs.h"

namespace mediagen {
namespace {

constexpr int kRows = 1500;        // more frames than the stale checkpoint claims to have copied
constexpr size_t kBig = 6u << 20;  // one commit whose frames are worth a checkpoint by themselves

Status AppendRow(Transaction& t, size_t bytes) {
  return t.events().Append({.topic = "t", .type = "row", .data_json = std::string(bytes, 'x')}).status();
}

struct Outcome {
  bool stepped_in = false;
  bool locked_out = false;  // whether a checkpoint held the write lock against others
  size_t acknowledged = 0, left = 0;
};

// Two stores over one file. The second one's checkpoint is held up after it has read the state of the WAL;
// meanwhile the first one commits.
Outcome Run(bool lock_writes) {
  testing::FaultVfs vfs;
  SqliteBackend backend{{.threaded = false,
                         .relaxed = true,
                         .vfs = vfs.name(),
                         .checkpoint_pages = 1000,
                         .lock_writes = lock_writes}};
  std::unique_ptr<Store> second = backend.OpenAnother();
  Store& first = backend.store();
  Outcome outcome;
  std::thread late;
  auto append = [&](Store& store, size_t bytes) {
    outcome.acknowledged += store.Commit([&](Transaction& t) { return AppendRow(t, bytes); }).ok();
  };
  vfs.OnNext(testing::FaultVfs::kCheckpointRead, [] {});  // the one of the first store, below
  second->CommitAsync([](Transaction& t) { return AppendRow(t, kBig); },
                      [&](Status status) {
                        outcome.acknowledged += status.ok();
                        append(first, 10);  // the first store sees a long WAL and copies all of it
                        vfs.OnNext(testing::FaultVfs::kCheckpointRead, [&] {
                          outcome.stepped_in = true;
                          std::unique_ptr<FileLock> probe =
                              Must(FileLock::Open(backend.dir() + "/write.lock"));
                          outcome.locked_out = !probe->TryLockExclusive();
                          probe->Unlock();
                          // With the lock this commit has to wait for the checkpoint; without it, it is what
                          // the checkpoint does not see.
                          if (outcome.locked_out) {
                            late = std::thread([&] { append(first, 10); });
                          } else {
                            append(first, 10);
                          }
                        });
                      },
                      Purpose::kSettle);
  second->RunOnce();  // commits, and then checkpoints its long WAL
  if (late.joinable()) late.join();
  for (int i = 0; i < kRows; ++i) append(first, 3000);
  first.Stop();
  second->Stop();
  second.reset();
  // What the file holds, to whoever opens it next. Anything but rows (corruption) counts as none left.
  StatusOr<std::unique_ptr<Store>> reopened = backend.TryOpen();
  if (!reopened.ok()) return outcome;
  Status read = (*reopened)->Read([&](const Snapshot& s) -> Status {
    ASSIGN_OR_RETURN(std::vector<Event> events, s.events().After(0, 10 * kRows));
    outcome.left = events.size();
    return OkStatus();
  });
  if (!read.ok()) MESSAGE(std::string(read.message()));
  return outcome;
}

TEST_CASE("with our lock a checkpoint and a commit of another store lose no row") {
  Outcome outcome = Run(/*lock_writes=*/true);
  CHECK(outcome.stepped_in);
  CHECK(outcome.locked_out);
  CHECK(outcome.acknowledged == kRows + 3);
  CHECK(outcome.left == outcome.acknowledged);
}

TEST_CASE("without our lock an affected SQLite loses rows that were acknowledged") {
  Outcome outcome = Run(/*lock_writes=*/false);
  CHECK(outcome.stepped_in);
  CHECK_FALSE(outcome.locked_out);
  MESSAGE("SQLite " << std::string(sqlite3_libversion()) << ": " << outcome.left << " of "
                    << outcome.acknowledged << " rows left");
  if (sqlite3_libversion_number() < 3051003) {
    CHECK(outcome.left < outcome.acknowledged);
  } else {
    CHECK(outcome.left == outcome.acknowledged);
  }
}

}  // namespace
}  // namespace mediagen
