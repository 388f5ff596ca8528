#include "store/sqlite/locks.h"

#include "base/fork.h"

namespace mediagen {

StatusOr<std::unique_ptr<WriteLocks>> WriteLocks::Open(const std::string& dir, bool enabled) {
  std::unique_ptr<WriteLocks> locks(new WriteLocks);
  locks->enabled_ = enabled;
  ASSIGN_OR_RETURN(locks->gate_, FileLock::Open(dir + "/gate.lock"));
  ASSIGN_OR_RETURN(locks->write_, FileLock::Open(dir + "/write.lock"));
  ASSIGN_OR_RETURN(locks->open_, FileLock::Open(dir + "/open.lock"));
  return locks;
}

WriteLocks::~WriteLocks() { Close(); }

WriteLocks::Hold::Hold(WriteLocks& locks) : locks_(locks), mutex_(locks.mutex_) {
  if (!locks_.enabled_) return;
  if (!locks_.write_) {
    status_ = Error(Code::kClosed, "the store is closed.");
    return;
  }
  status_ = locks_.gate_->LockExclusive();
  if (!status_.ok()) return;
  status_ = locks_.write_->LockExclusive();
  locks_.gate_->Unlock();
}

WriteLocks::Hold::~Hold() {
  if (locks_.enabled_ && status_.ok()) locks_.write_->Unlock();
}

Status WriteLocks::HoldOpen() { return open_->LockShared(); }
bool WriteLocks::TryOpenAlone() { return open_->TryLockExclusive(); }
Status WriteLocks::ShareOpen() { return open_->LockShared(); }

void WriteLocks::Close() {
  std::lock_guard lock(mutex_);
  gate_.reset();
  write_.reset();
  open_.reset();
}

void WriteLocks::Abandon() {
  for (auto* lock : {&gate_, &write_, &open_}) {
    if (*lock) (*lock)->Close();
  }
}

}  // namespace mediagen
