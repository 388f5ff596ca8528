#include "base/call.h"

#include <algorithm>
#include <chrono>

namespace mediagen {

StatusOr<std::shared_ptr<Inbox>> Inbox::New() {
  ASSIGN_OR_RETURN(auto pipe, WakeupPipe::New());
  return std::shared_ptr<Inbox>(new Inbox(std::move(pipe)));
}

Inbox::Notice Inbox::Next() {
  std::lock_guard lock(mutex_);
  if (entries_.empty()) {
    pipe_->Drain();  // the host may have read the byte itself
    armed_ = true;
    return {};
  }
  Notice notice = std::move(entries_.front().notice);
  entries_.pop_front();
  return notice;
}

void Inbox::Post(const Call* source, uint64_t tag, NoticeKind kind, BufferRef event) {
  std::lock_guard lock(mutex_);
  entries_.push_back({source, {tag, kind, std::move(event)}});
  if (armed_) pipe_->Wake();
  armed_ = false;
}

void Inbox::Forget(const Call* source) {
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.source == source; });
}

Call::Call(std::shared_ptr<Inbox> inbox, uint64_t tag, Drive drive) : inbox_(std::move(inbox)), tag_(tag), drive_(std::move(drive)) {}

void Call::Complete(Status status, BufferRef result) {
  std::function<void()> dropped;
  std::lock_guard lock(mutex_);
  if (result_) return;
  result_ = Result{std::move(status), std::move(result)};
  dropped = std::move(on_cancel_);
  on_cancel_ = nullptr;
  done_cv_.notify_all();
  if (begun_ && !released_ && inbox_) inbox_->Post(this, tag_, NoticeKind::kDone);
}

void Call::CompleteWithLoad(uint64_t token) {
  std::lock_guard lock(mutex_);
  if (result_) return;
  result_ = Result{OkStatus(), nullptr, token};
  done_cv_.notify_all();
  if (begun_ && !released_ && inbox_) inbox_->Post(this, tag_, NoticeKind::kDone);
}

bool Call::Begun() {
  std::lock_guard lock(mutex_);
  begun_ = true;
  return result_.has_value();
}

bool Call::done() const {
  std::lock_guard lock(mutex_);
  return result_.has_value();
}

bool Call::released() const {
  std::lock_guard lock(mutex_);
  return released_;
}

std::optional<Call::Result> Call::result() const {
  std::lock_guard lock(mutex_);
  return result_;
}

Call::WaitResult Call::Wait(int64_t timeout_ms) {
  using Steady = std::chrono::steady_clock;
  // Past a year a wait is for ever; the bound keeps the time points from overflowing.
  const bool forever = timeout_ms < 0 || timeout_ms > int64_t{365} * 86'400'000;
  const auto deadline = Steady::now() + std::chrono::milliseconds(forever ? 0 : timeout_ms);
  if (drive_ == nullptr) {
    std::unique_lock lock(mutex_);
    if (forever) {
      done_cv_.wait(lock, [&] { return result_.has_value(); });
      return WaitResult::kDone;
    }
    return done_cv_.wait_until(lock, deadline, [&] { return result_.has_value(); }) ? WaitResult::kDone : WaitResult::kTimeout;
  }
  while (!done()) {
    int64_t left = forever ? 50 : std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now()).count();
    if (left <= 0) return WaitResult::kTimeout;
    if (!drive_(std::min<int64_t>(left, 50))) return done() ? WaitResult::kDone : WaitResult::kAbandoned;
  }
  return WaitResult::kDone;
}

void Call::OnCancel(std::function<void()> cancel) {
  std::lock_guard lock(mutex_);
  if (!result_) on_cancel_ = std::move(cancel);
}

void Call::Cancel() {
  std::function<void()> cancel;
  {
    std::lock_guard lock(mutex_);
    if (result_) return;
    cancel = std::move(on_cancel_);
    on_cancel_ = nullptr;
  }
  if (cancel) cancel();
  Complete(Error(Code::kCanceled, "The call was canceled by its host.", {.hint = "What it had begun goes on; ask for the record."}));
}

void Call::Release() {
  {
    std::lock_guard lock(mutex_);
    released_ = true;
  }
  Cancel();
  if (inbox_) inbox_->Forget(this);
}

void Call::Notify(NoticeKind kind, BufferRef event) {
  std::lock_guard lock(mutex_);
  if (!released_ && inbox_) inbox_->Post(this, tag_, kind, std::move(event));
}

}  // namespace mediagen
