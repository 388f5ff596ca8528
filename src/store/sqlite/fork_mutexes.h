// fork(2) and SQLite: a child that is forked while another thread is inside SQLite inherits SQLite's own
// mutexes locked, and its first allocation waits for ever.
#pragma once

#include <mutex>

namespace mediagen {

// From now on a fork waits until no thread holds one of SQLite's mutexes that are shared by the whole
// process, and holds them itself, so that the child finds them free. Idempotent, thread-safe. The connections
// of the parent stay unusable in the child.
void HoldSqliteMutexesOverFork();

// A fork also waits for `driving`, which a writer holds while it writes: SQLite keeps file locks by process,
// and a child that inherits one in memory takes the database for locked, for ever. Thread-safe; to be
// forgotten before it goes, by a thread that does not hold it.
void HoldOverFork(std::mutex* driving);
void ForgetOverFork(std::mutex* driving);

}  // namespace mediagen
