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
#include <atomic>
#include <climits>
#include <functional>
#include <mutex>
#include <new>
#include <string>

namespace mediagen::testing {

class FaultVfs {
 public:
  enum Op {
    kWalWrite,
    kWalSync,
    kDatabaseRead,
    kDatabaseWrite,
    kDatabaseSync,
    kOpen,
    // A checkpoint has read the state of the WAL and is about to act on it (SQLite drops its mappings of the
    // database file there), if other connections have committed since this one last looked. Cannot fail.
    kCheckpointRead,
    kOpCount
  };

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
  // Called once, in the middle of the next operation of this kind.
  void OnNext(Op op, std::function<void()> step_in);
  // How often it was asked for, failures included.
  long Count(Op op);

 private:
  friend struct FaultFile;
  struct State {
    long seen = 0, first = 0, last = 0;
    int result = SQLITE_OK;
    std::function<void()> step_in;
  };
  int Check(Op op);
  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags);

  sqlite3_vfs* real_;
  sqlite3_vfs shim_;
  std::string name_;
  std::mutex mutex_;
  std::array<State, kOpCount> states_;
};

// What SQLite sees as its file; the real one stands behind it in the same allocation.
struct FaultFile {
  sqlite3_file base;
  FaultVfs* vfs;
  bool wal, database;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  const sqlite3_io_methods* methods() { return real()->pMethods; }

  static FaultFile* Of(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file); }

  static int Close(sqlite3_file* f) { return Of(f)->methods()->xClose(Of(f)->real()); }
  static int Read(sqlite3_file* f, void* data, int size, sqlite3_int64 at) {
    FaultFile* file = Of(f);
    int fault = file->database ? file->vfs->Check(FaultVfs::kDatabaseRead) : SQLITE_OK;
    return fault != SQLITE_OK ? fault : file->methods()->xRead(file->real(), data, size, at);
  }
  static int Write(sqlite3_file* f, const void* data, int size, sqlite3_int64 at) {
    FaultFile* file = Of(f);
    int fault = SQLITE_OK;
    if (file->wal) fault = file->vfs->Check(FaultVfs::kWalWrite);
    if (file->database) fault = file->vfs->Check(FaultVfs::kDatabaseWrite);
    return fault != SQLITE_OK ? fault : file->methods()->xWrite(file->real(), data, size, at);
  }
  static int Truncate(sqlite3_file* f, sqlite3_int64 size) {
    return Of(f)->methods()->xTruncate(Of(f)->real(), size);
  }
  static int Sync(sqlite3_file* f, int flags) {
    FaultFile* file = Of(f);
    int fault = SQLITE_OK;
    if (file->wal) fault = file->vfs->Check(FaultVfs::kWalSync);
    if (file->database) fault = file->vfs->Check(FaultVfs::kDatabaseSync);
    return fault != SQLITE_OK ? fault : file->methods()->xSync(file->real(), flags);
  }
  static int FileSize(sqlite3_file* f, sqlite3_int64* size) {
    return Of(f)->methods()->xFileSize(Of(f)->real(), size);
  }
  static int Lock(sqlite3_file* f, int level) { return Of(f)->methods()->xLock(Of(f)->real(), level); }
  static int Unlock(sqlite3_file* f, int level) { return Of(f)->methods()->xUnlock(Of(f)->real(), level); }
  static int CheckReservedLock(sqlite3_file* f, int* out) {
    return Of(f)->methods()->xCheckReservedLock(Of(f)->real(), out);
  }
  static int FileControl(sqlite3_file* f, int op, void* arg) {
    return Of(f)->methods()->xFileControl(Of(f)->real(), op, arg);
  }
  static int SectorSize(sqlite3_file* f) { return Of(f)->methods()->xSectorSize(Of(f)->real()); }
  static int DeviceCharacteristics(sqlite3_file* f) {
    return Of(f)->methods()->xDeviceCharacteristics(Of(f)->real());
  }
  static int ShmMap(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
    return Of(f)->methods()->xShmMap(Of(f)->real(), page, size, extend, out);
  }
  static int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
    return Of(f)->methods()->xShmLock(Of(f)->real(), offset, n, flags);
  }
  static void ShmBarrier(sqlite3_file* f) { Of(f)->methods()->xShmBarrier(Of(f)->real()); }
  static int ShmUnmap(sqlite3_file* f, int remove) {
    return Of(f)->methods()->xShmUnmap(Of(f)->real(), remove);
  }
  static int Fetch(sqlite3_file*, sqlite3_int64, int, void** out) {
    *out = nullptr;  // not mapped: read it
    return SQLITE_OK;
  }
  static int Unfetch(sqlite3_file* f, sqlite3_int64, void* page) {
    if (Of(f)->database && page == nullptr) Of(f)->vfs->Check(FaultVfs::kCheckpointRead);
    return SQLITE_OK;
  }
};

inline constexpr sqlite3_io_methods kFaultMethods = {3,
                                                     FaultFile::Close,
                                                     FaultFile::Read,
                                                     FaultFile::Write,
                                                     FaultFile::Truncate,
                                                     FaultFile::Sync,
                                                     FaultFile::FileSize,
                                                     FaultFile::Lock,
                                                     FaultFile::Unlock,
                                                     FaultFile::CheckReservedLock,
                                                     FaultFile::FileControl,
                                                     FaultFile::SectorSize,
                                                     FaultFile::DeviceCharacteristics,
                                                     FaultFile::ShmMap,
                                                     FaultFile::ShmLock,
                                                     FaultFile::ShmBarrier,
                                                     FaultFile::ShmUnmap,
                                                     FaultFile::Fetch,
                                                     FaultFile::Unfetch};

inline FaultVfs::FaultVfs() : real_(sqlite3_vfs_find(nullptr)), shim_(*real_) {
  static std::atomic<int> number{0};
  name_ = "fault-" + std::to_string(++number);
  shim_.zName = name_.c_str();
  shim_.pNext = nullptr;
  shim_.szOsFile = static_cast<int>(sizeof(FaultFile)) + real_->szOsFile;
  shim_.pAppData = this;
  shim_.xOpen = &FaultVfs::Open;
  // The unix VFS keeps its finder of locking methods in pAppData, and only xOpen reads it: the other methods
  // may be called with either.
  sqlite3_vfs_register(&shim_, 0);
}

inline FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&shim_); }

inline int FaultVfs::Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto* self = static_cast<FaultVfs*>(vfs->pAppData);
  auto* shim = new (file) FaultFile;
  shim->base.pMethods = nullptr;
  shim->vfs = self;
  shim->wal = (flags & SQLITE_OPEN_WAL) != 0;
  shim->database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  if (int fault = self->Check(kOpen); fault != SQLITE_OK) return fault;
  int result = self->real_->xOpen(self->real_, path, shim->real(), flags, out_flags);
  if (shim->real()->pMethods != nullptr) shim->base.pMethods = &kFaultMethods;
  return result;
}

inline void FaultVfs::Fail(Op op, int result, int nth, int times) {
  std::lock_guard lock(mutex_);
  State& state = states_[op];
  state.result = result;
  state.first = state.seen + nth;
  state.last = times == INT_MAX ? LONG_MAX : state.first + times - 1;
}

inline void FaultVfs::Heal() {
  std::lock_guard lock(mutex_);
  for (State& state : states_) state.result = SQLITE_OK;
}

inline long FaultVfs::Count(Op op) {
  std::lock_guard lock(mutex_);
  return states_[op].seen;
}

inline void FaultVfs::OnNext(Op op, std::function<void()> step_in) {
  std::lock_guard lock(mutex_);
  states_[op].step_in = std::move(step_in);
}

inline int FaultVfs::Check(Op op) {
  std::function<void()> step_in;
  std::unique_lock lock(mutex_);
  State& state = states_[op];
  ++state.seen;
  step_in.swap(state.step_in);
  if (step_in) {
    lock.unlock();
    step_in();
    lock.lock();
  }
  return state.seen >= state.first && state.seen <= state.last ? state.result : SQLITE_OK;
}

}  // namespace mediagen::testing
