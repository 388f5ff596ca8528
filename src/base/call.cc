#include "base/call.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace mediagen {

StatusOr<std::shared_ptr<Inbox>> Inbox::New() {
  ASSIGN_OR_RETURN(auto pipe, WakeupPipe::New());
  return std::shared_ptr<Inbox>(new Inbox(std::move(pipe)));
}

Inbox::Notice Inbox::Next() {
  std::unique_lock lock(mutex_);
  if (entries_.empty() && !polls_.empty()) {
    lock.unlock();
    RunPolls();
    lock.lock();
  }
  if (entries_.empty()) {
    pipe_->Drain();  // the host may have read the byte itself
    armed_ = true;
    return {};
  }
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  auto unread = unread_.find(entry.source);
  if (entry.notice.kind == NoticeKind::kEvent) --unread->second.events;
  if (--unread->second.all == 0) unread_.erase(unread);
  return std::move(entry.notice);
}

void Inbox::RunPolls() {
  std::vector<std::pair<const void*, Poll>> polls;
  {
    std::lock_guard lock(mutex_);
    polls.assign(polls_.begin(), polls_.end());
  }
  for (auto& [key, poll] : polls) {
    if (poll()) continue;
    Poll dropped;  // what it captured goes outside the lock
    std::lock_guard lock(mutex_);
    auto it = polls_.find(key);
    if (it == polls_.end()) continue;
    dropped = std::move(it->second);
    polls_.erase(it);
  }
}

void Inbox::Attach(const void* key, Poll poll) {
  std::lock_guard lock(mutex_);
  std::swap(polls_[key], poll);
}

void Inbox::Push(Entry entry) {
  Unread& unread = unread_[entry.source];
  ++unread.all;
  if (entry.notice.kind == NoticeKind::kEvent) ++unread.events;
  entries_.push_back(std::move(entry));
  if (std::exchange(armed_, false)) WakeSoon(pipe_);
}

void Inbox::Post(const Call* source, uint64_t tag, NoticeKind kind) {
  std::lock_guard lock(mutex_);
  Push({source, {tag, kind, nullptr}});
}

void Inbox::PostEvent(const Call* source, uint64_t tag, BufferRef event, size_t backlog, MakeReset reset) {
  std::lock_guard lock(mutex_);
  Unread& unread = unread_[source];
  if (unread.events >= backlog) {
    event = reset(event);
    std::erase_if(entries_, [&](const Entry& entry) {
      return entry.source == source && entry.notice.kind == NoticeKind::kEvent;
    });
    unread.all -= std::exchange(unread.events, 0);
  }
  Push({source, {tag, NoticeKind::kEvent, std::move(event)}});
}

void Inbox::Forget(const Call* source) {
  std::lock_guard lock(mutex_);
  if (unread_.erase(source) > 0)
    std::erase_if(entries_, [&](const Entry& entry) { return entry.source == source; });
}

Call::Call(std::shared_ptr<Inbox> inbox, uint64_t tag, Drive drive)
    : inbox_(std::move(inbox)), tag_(tag), drive_(std::move(drive)) {}

bool Call::End(Result result, Unread unread, bool with_head) {
  std::function<void()> dropped, no_help;  // declared first: what they captured goes after the lock
  std::lock_guard lock(mutex_);
  if (result_) return false;
  result_ = std::move(result);
  unread_ = std::move(unread);
  dropped = std::exchange(on_cancel_, nullptr);
  no_help = std::exchange(help_, nullptr);
  done_cv_.notify_all();
  if (begun_ && !released_ && inbox_) {
    if (with_head) inbox_->Post(this, tag_, NoticeKind::kHead);
    inbox_->Post(this, tag_, NoticeKind::kDone);
  }
  return true;
}

bool Call::Complete(Status status, BufferRef result, Unread unread) {
  return End({std::move(status), std::move(result), 0}, std::move(unread), false);
}

bool Call::CompleteWithLoad(uint64_t token) { return End({OkStatus(), nullptr, token}, nullptr, false); }

bool Call::CompleteWithHead() { return End({OkStatus(), nullptr, 0}, nullptr, true); }

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

std::optional<Call::Result> Call::TakeResult() {
  Unread read;
  std::lock_guard lock(mutex_);
  if (result_) read = std::exchange(unread_, nullptr);
  return result_;
}

void Call::OnWait(std::function<int64_t()> poll) { poll_ = std::move(poll); }

Call::WaitResult Call::Wait(int64_t timeout_ms) {
  using Steady = std::chrono::steady_clock;
  using std::chrono::milliseconds;
  // Past a year a wait is for ever; the bound keeps the time points from overflowing.
  const bool forever = timeout_ms < 0 || timeout_ms > int64_t{365} * 86'400'000;
  const auto deadline = Steady::now() + milliseconds(forever ? int64_t{365} * 86'400'000 : timeout_ms);
  constexpr int64_t kHelpMs = 1000;  // who waits for less wants to be back in time
  if (forever || timeout_ms >= kHelpMs) {
    std::function<void()> help;
    {
      std::lock_guard lock(mutex_);
      help = std::exchange(help_, nullptr);
    }
    if (help) help();
  }
  auto left_ms = [&] { return std::chrono::ceil<milliseconds>(deadline - Steady::now()).count(); };
  constexpr int64_t kDriveMs = 50;   // another thread's drive may have ended this call: look that often
  constexpr int64_t kPollMs = 1000;  // an attached clock may jump
  while (true) {
    // Before every look at the time left, so that a timeout of 0 still does what is due.
    int64_t slice = kPollMs;
    if (drive_) {
      if (done()) return WaitResult::kDone;
      const auto before = Steady::now();
      if (!drive_(std::clamp<int64_t>(left_ms(), 0, kDriveMs))) {
        return done() ? WaitResult::kDone : WaitResult::kAbandoned;
      }
      slice = Steady::now() - before < milliseconds(1) ? 1 : 0;  // nothing was due: do not spin
    } else if (poll_) {
      slice = std::clamp<int64_t>(poll_(), 1, kPollMs);
    }
    std::unique_lock lock(mutex_);
    auto ended = [&] { return result_.has_value(); };
    if (!drive_ && !poll_ && forever) {
      done_cv_.wait(lock, ended);
      return WaitResult::kDone;
    }
    int64_t left = left_ms();
    if (done_cv_.wait_for(lock, milliseconds(std::clamp<int64_t>(left, 0, slice)), ended))
      return WaitResult::kDone;
    if (!forever && left_ms() <= 0) return WaitResult::kTimeout;
  }
}

void Call::OnWaitHelp(std::function<void()> help) {
  std::lock_guard lock(mutex_);
  if (!result_) std::swap(help_, help);
}

bool Call::OnCancel(std::function<void()> cancel) {
  std::lock_guard lock(mutex_);
  if (result_) return false;
  std::swap(on_cancel_, cancel);
  return true;
}

void Call::Cancel() {
  std::function<void()> cancel;
  {
    std::lock_guard lock(mutex_);
    if (result_) return;
    cancel = std::exchange(on_cancel_, nullptr);
  }
  if (cancel) cancel();
  Complete(Error(Code::kCanceled, "The call was canceled by its host.",
                 {.hint = "What it had begun goes on; ask for the record."}));
}

void Call::Release() {
  {
    std::lock_guard lock(mutex_);
    released_ = true;
  }
  Cancel();
  if (inbox_) inbox_->Forget(this);
  Unread unread;
  {
    std::lock_guard lock(mutex_);
    unread = std::exchange(unread_, nullptr);
  }
  if (unread) unread();
}

void Call::Notify(NoticeKind kind) {
  std::lock_guard lock(mutex_);
  if (!released_ && inbox_) inbox_->Post(this, tag_, kind);
}

void Call::NotifyEvent(BufferRef event, size_t backlog, Inbox::MakeReset reset) {
  std::lock_guard lock(mutex_);
  if (!released_ && !result_ && inbox_) inbox_->PostEvent(this, tag_, std::move(event), backlog, reset);
}

}  // namespace mediagen
