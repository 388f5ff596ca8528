// Inbox and Call: how an operation that was begun tells its host that it has ended, without ever calling into
// the host.
//
// Thread-safe. An Inbox is a queue of small notices behind one pipe; a Call is one operation under way. Both
// are held by shared_ptr: an operation that outlives its freed call completes into nothing. Locks are taken
// call first, inbox second; no function given to either is run under a lock, except where it says so.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/buffer.h"
#include "base/fork.h"
#include "base/status.h"
#include "base/wakeup.h"

namespace mediagen {

// The numbers of MEDIAGEN_KIND_* (mediagen/call.h).
enum class NoticeKind : int32_t {
  kEmpty = 0,
  kDone = 1,
  kHead = 2,
  kReadable = 3,
  kWritable = 4,
  kEvent = 5
};

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
  // The oldest notice; kEmpty re-arms the pipe. Never blocks. Runs what was attached when there is nothing.
  Notice Next();

  // Work that has no thread of its own and is done whenever the inbox is asked while it holds nothing (a
  // cache's overdue loads). `poll` must be quick and answers false when it is needed no more. One per `key`;
  // a later one replaces it.
  using Poll = std::function<bool()>;
  void Attach(const void* key, Poll poll);

  // `source` is only compared: Forget(source) takes its notices back.
  void Post(const Call* source, uint64_t tag, NoticeKind kind);
  // A host that does not read must not make its inbox grow: past `backlog` unread events of one source all of
  // them are dropped for the one that `reset` makes of the newest (under the inbox's lock: quick, and nothing
  // that takes another).
  using MakeReset = BufferRef (*)(const BufferRef& newest);
  void PostEvent(const Call* source, uint64_t tag, BufferRef event, size_t backlog, MakeReset reset);
  void Forget(const Call* source);

 private:
  struct Entry {
    const Call* source;
    Notice notice;
  };
  struct Unread {  // notices of one source
    size_t all = 0, events = 0;
  };
  explicit Inbox(std::shared_ptr<WakeupPipe> pipe) : pipe_(std::move(pipe)) {}
  void RunPolls();
  void Push(Entry entry);  // locked

  const std::shared_ptr<WakeupPipe> pipe_;
  std::mutex mutex_;
  std::deque<Entry> entries_;
  std::unordered_map<const Call*, Unread> unread_;  // so that who has none need not be looked for
  std::unordered_map<const void*, Poll> polls_;
  bool armed_ = true;  // the next Push writes a byte
};

// One operation. Derived classes add what else an operation has (an HTTP exchange its head and body).
class Call : public std::enable_shared_from_this<Call> {
 public:
  // `drive`, where there is one, does a little of the engine's work on the calling thread for at most the
  // given ms and is what Wait uses (manual mode); it must be safe to call when the engine is gone (answer
  // false: nothing will ever come).
  using Drive = std::function<bool(int64_t ms)>;
  Call(std::shared_ptr<Inbox> inbox, uint64_t tag, Drive drive = nullptr);
  virtual ~Call() = default;

  // Ends the call: the first one wins; false for every later one, whose result is dropped. Posts DONE when
  // the begin has answered PENDING already (Begun). `unread` runs when the host frees the call without ever
  // having asked for this result.
  using Unread = std::function<void()>;
  bool Complete(Status status, BufferRef result = nullptr, Unread unread = nullptr);
  // A cache waiter was promoted: ends with LOAD and a token.
  bool CompleteWithLoad(uint64_t token);
  // To be called once by the begin function, after starting: true when the call is complete already (then no
  // DONE is posted: the begin answers its result), false: DONE will come.
  bool Begun();

  bool done() const;
  // Waits for the end; timeout_ms < 0 for ever. kAbandoned: the engine that was to be driven is gone, nothing
  // will come.
  enum class WaitResult { kDone, kTimeout, kAbandoned };
  WaitResult Wait(int64_t timeout_ms);
  // What Wait does between its slices where there is no engine to drive; answers how many ms it may wait
  // until the next time. To be set before Begun.
  void OnWait(std::function<int64_t()> poll);

  // The work of this call, where a thread that waits for it may as well do it: a wait without a limit (or of
  // a second and more) runs it once, instead of waiting for another thread to wake up. It must do nothing
  // when that thread was faster. Dropped when the call ends.
  void OnWaitHelp(std::function<void()> help);

  // kOk with the buffer, or the error; nullopt while under way. `load_token` set for LOAD.
  struct Result {
    Status status;
    BufferRef buffer;
    uint64_t load_token = 0;
  };
  std::optional<Result> result() const;
  // The same, and from now on it counts as read.
  std::optional<Result> TakeResult();

  // What Cancel and the call's freeing do besides ending it. Runs at most once, on the canceling thread.
  // False (and dropped) when the call has ended already.
  bool OnCancel(std::function<void()> cancel);
  void Cancel();
  // The host freed it: cancels when still under way, takes its notices back, posts nothing from now on.
  void Release();

  void Notify(NoticeKind kind);  // HEAD, READABLE, WRITABLE
  void NotifyEvent(BufferRef event, size_t backlog, Inbox::MakeReset reset);
  bool forked() const { return guard_.forked(); }
  bool released() const;

 protected:
  // Ends an exchange whose answer is complete: HEAD and DONE together, or neither when the begin is to answer
  // OK.
  bool CompleteWithHead();

 private:
  bool End(Result result, Unread unread, bool with_head);

  ForkGuard guard_;
  std::shared_ptr<Inbox> inbox_;  // null: only Wait tells
  const uint64_t tag_;
  Drive drive_;
  std::function<int64_t()> poll_;
  mutable std::mutex mutex_;
  std::condition_variable done_cv_;
  std::optional<Result> result_;
  std::function<void()> on_cancel_, help_;
  Unread unread_;
  bool begun_ = false, released_ = false;
};

}  // namespace mediagen
