// FaultVfs: SQLite's own unix VFS, except that a test says which write or sync fails, and may step in between
// two moves of a checkpoint.
//
//   FaultVfs vfs;                                  // registered under vfs.name() for as long as it lives
//   vfs.Fail(FaultVfs::kWalWrite, SQLITE_FULL, 3);  // the third write to a WAL from now on, once
//   vfs.FailAlways(FaultVfs::kWalSync, SQLITE_IOERR_FSYNC);
//   vfs.Heal();
//
// Thread-safe. Must outlive every connection that was opened through it.
#pragma once

#include <sqlite3.h>

#include <array>
#include <climits>
#include <functional>
#include <mutex>
#include <string>

namespace mediagen::testing {

class FaultVfs {
 public:
  enum Op { kWalWrite, kWalSync, kDatabaseRead, kDatabaseWrite, kDatabaseSync, kOpen, kOpCount };

  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }
  // The `nth` operation of this kind from now (1: the next) answers `result`, and so do the `times - 1` after
  // it. A failed write writes nothing.
  void Fail(Op op, int result, int nth = 1, int times = 1);
  void FailAlways(Op op, int result) { Fail(op, result, 1, INT_MAX); }
  void Heal();
  // How often it was asked for, failures included.
  long Count(Op op);

  // Called once, when the next checkpoint has read the state of the WAL and is about to act on it (SQLite
  // drops its mappings of the database file there), if other connections have committed since this one last
  // looked.
  void OnCheckpointHasRead(std::function<void()> step_in);

 private:
  friend struct FaultFile;
  struct State {
    long seen = 0, first = 0, last = 0;
    int result = SQLITE_OK;
  };
  int Check(Op op);
  void CheckpointHasRead();
  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags);

  sqlite3_vfs* real_;
  sqlite3_vfs shim_;
  std::string name_;
  std::mutex mutex_;
  std::array<State, kOpCount> states_;
  std::function<void()> step_in_;
};

}  // namespace mediagen::testing
