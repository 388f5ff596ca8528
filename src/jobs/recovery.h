// Recovery: finds workers that are dead or frozen and gives their jobs back.
//
// Rules, in the order in which they are tried (all for one machine: monotonic times and flocks are its
// kernel's):
// 1. A worker file whose lock can be taken belongs to nobody alive. Its row's running jobs go to ready with
// one try burnt, its parked ones without (nothing of
//    theirs was executing), the row is removed in the same transaction, and the file is unlinked while its
//    lock is held.
// 2. A worker row without a file, or of another boot, is dead as well. Rows are read before files are listed:
// a new worker makes its file first.
// 3. A row whose lease ran out while its file is still locked belongs to a frozen process. Its jobs go back;
// the process finds its row gone when it thaws.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "jobs/move.h"
#include "jobs/settings.h"
#include "store/store.h"

namespace mediagen {

// Called by one thread at a time. Any number of processes may scan at once.
class Recovery {
 public:
  Recovery(Store* store, Clock* clock, FileSystem* files, Metrics* metrics, LogSink* log,
           const SettingsTable* settings, const Moves* moves, std::string dir, Id self);

  // Whether something was recovered. What fails is logged and tried again by the next scan.
  bool Scan();

 private:
  enum class Cause { kDead, kFrozen };
  StatusOr<bool> RecoverAll();
  StatusOr<bool> RecoverFile(const Id& worker, const Worker* row);
  Status Return(const Id& worker, Cause cause);

  Store* const store_;
  Clock* const clock_;
  FileSystem* const files_;
  LogSink* const log_;
  const SettingsTable* const settings_;
  const Moves* const moves_;
  const std::string dir_;
  const Id self_;
  Counter dead_, frozen_;
  std::string last_error_;
};

}  // namespace mediagen
