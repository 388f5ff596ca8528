// Inbox and Call: how an operation that was begun tells its host that it has ended, without ever calling into the host.
//
// Thread-safe. An Inbox is a queue of small notices behind one pipe; a Call is one operation under way. Both are held by shared_ptr: an operation that
// outlives its freed call completes into nothing.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/buffer.h"
#include "base/fork.h"
#include "base/status.h"
#include "base/wakeup.h"

namespace mediagen {

// The numbers of MEDIAGEN_KIND_* (mediagen/call.h).
enum class NoticeKind : int32_t { kEmpty = 0, kDone = 1, kHead = 2, kReadable = 3, kWritable = 4, kEvent = 5 };

class Call;

class Inbox {
 public:
  static StatusOr<std::shared_ptr<Inbox>> New();
  int fd() const { return pipe_->fd(); }

  struct Notice {
    uint64_t tag = 0;
    NoticeKind kind = NoticeKind::kEmpty;
    BufferRef event;
  };
  // The oldest notice; kEmpty re-arms the pipe. Never blocks.
  Notice Next();
  // `source` is only compared: Forget(source) takes its notices back.
  void Post(const Call* source, uint64_t tag, NoticeKind kind, BufferRef event = nullptr);
  void Forget(const Call* source);

 private:
  struct Entry {
    const Call* source;
    Notice notice;
  };
  explicit Inbox(std::unique_ptr<WakeupPipe> pipe) : pipe_(std::move(pipe)) {}
  std::unique_ptr<WakeupPipe> pipe_;
  std::mutex mutex_;
  std::deque<Entry> entries_;
  bool armed_ = true;  // the next Post writes a byte
};

// One operation. Derived classes add what else an operation has (an HTTP exchange its head and body).
class Call : public std::enable_shared_from_this<Call> {
 public:
  // `drive`, where there is one, does a little of the engine's work on the calling thread for at most the given ms and is what Wait uses (manual mode); it must be safe to call
  // when the engine is gone (answer false: nothing will ever come).
  using Drive = std::function<bool(int64_t ms)>;
  Call(std::shared_ptr<Inbox> inbox, uint64_t tag, Drive drive = nullptr);
  virtual ~Call() = default;

  // Ends the call: the first one wins, later ones are dropped. Posts DONE when the begin has answered PENDING already (Begun).
  void Complete(Status status, BufferRef result = nullptr);
  // A cache waiter was promoted: ends with LOAD and a token.
  void CompleteWithLoad(uint64_t token);
  // To be called once by the begin function, after starting: true when the call is complete already (then no DONE is posted: the begin answers its result), false: DONE
  // will come.
  bool Begun();

  bool done() const;
  enum class WaitResult { kDone, kTimeout, kAbandoned };
  WaitResult Wait(int64_t timeout_ms);
  // kOk with the buffer, or the error; nullopt while under way. `token` set for LOAD.
  struct Result {
    Status status;
    BufferRef buffer;
    uint64_t load_token = 0;
  };
  std::optional<Result> result() const;

  // What Cancel and the call's freeing do besides ending it; set before Begun. Runs at most once, on the canceling thread.
  void OnCancel(std::function<void()> cancel);
  void Cancel();
  // The host freed it: cancels when still under way, takes its notices back, posts nothing from now on.
  void Release();

  void Notify(NoticeKind kind, BufferRef event = nullptr);  // HEAD, READABLE, WRITABLE, EVENT
  bool forked() const { return guard_.forked(); }
  bool released() const;

 private:
  ForkGuard guard_;
  std::shared_ptr<Inbox> inbox_;  // null: only Wait tells
  const uint64_t tag_;
  Drive drive_;
  mutable std::mutex mutex_;
  std::condition_variable done_cv_;
  std::optional<Result> result_;
  std::function<void()> on_cancel_;
  bool begun_ = false, released_ = false;
};

}  // namespace mediagen
