// Executor: where work runs, and when. Everything that may block, decode or wait is posted here, so a test or
// a serverless host can run the whole engine on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"

namespace mediagen {

using Task = std::function<void()>;
using TimerId = uint64_t;

// Thread-safe. Tasks must not throw. After Stop() nothing new is taken (Post returns false, the task is
// dropped) and due timers are forgotten; tasks already taken are run before Stop returns. Stop is not for a
// task to call: it waits for the tasks.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` soon. False when stopped.
  virtual bool Post(Task task) = 0;
  // Runs `task` once the clock's monotonic time has reached `monotonic_ms`. The id is never 0.
  virtual TimerId PostAt(int64_t monotonic_ms, Task task) = 0;
  // Whether the timer was taken back before it began to run.
  virtual bool Cancel(TimerId timer) = 0;
  virtual void Stop() = 0;

  // Runs, on the caller's thread, one task that is ready or due; false when there is none. Works on every
  // executor: it is how `workers: "manual"` and waiting inside a task make progress.
  virtual bool RunOne() = 0;
  // The monotonic ms of the next timer, or INT64_MAX.
  virtual int64_t NextDue() = 0;
  // Whether it has threads of its own.
  virtual bool threaded() const = 0;
};

// `threads` >= 1 worker threads, all signals blocked.
std::unique_ptr<Executor> NewThreadExecutor(Clock* clock, int threads, const char* name);
// No threads: somebody calls RunOne().
std::unique_ptr<Executor> NewManualExecutor(Clock* clock);

// Starts a std::thread whose signals are all blocked and whose name is `name` (at most 15 characters).
class Thread {
 public:
  Thread();
  Thread(const char* name, Task body);
  ~Thread();
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;
  bool joinable() const;
  void Join();
  // Lets the thread end by itself: for a thread that drops its own handle.
  void Detach();
  // Forgets the thread without joining: only in a forked child, where it does not exist.
  void Abandon();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mediagen
