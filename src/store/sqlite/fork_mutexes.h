// fork(2) and SQLite: a child that is forked while another thread is inside SQLite inherits SQLite's own
// mutexes locked, and its first allocation waits for ever.
#pragma once

namespace mediagen {

// From now on a fork waits until no thread holds one of SQLite's mutexes that are shared by the whole
// process, and holds them itself, so that the child finds them free. Idempotent, thread-safe. The connections
// of the parent stay unusable in the child.
void HoldSqliteMutexesOverFork();

}  // namespace mediagen
