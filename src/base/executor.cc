#include "base/executor.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace mediagen {

struct Thread::State {
  std::thread thread;
};

Thread::Thread(const char* name, Task body) : state_(std::make_unique<State>()) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the new thread inherits the mask
  try {
    state_->thread = std::thread(std::move(body));
  } catch (...) {  // no thread to be had: the caller's mask is not ours to keep
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(state_->thread.native_handle(), name);
}

Thread::Thread() = default;
Thread::~Thread() { Join(); }
Thread::Thread(Thread&&) noexcept = default;
Thread& Thread::operator=(Thread&& other) noexcept {
  Join();
  state_ = std::move(other.state_);
  return *this;
}
bool Thread::joinable() const { return state_ && state_->thread.joinable(); }
void Thread::Join() {
  if (joinable()) state_->thread.join();
}
void Thread::Detach() {
  if (joinable()) state_->thread.detach();
}
void Thread::Abandon() { (void)state_.release(); }

namespace {

constexpr int64_t kLongestWaitMs =
    3'600'000;  // a timer "never" would overflow the condition variable's nanoseconds

class QueueExecutor final : public Executor {
 public:
  QueueExecutor(Clock* clock, int threads, const char* name) : clock_(clock), threaded_(threads > 0) {
    state_ = std::make_shared<State>();
    // The clock may outlive us, so its wake-up holds the state and not this object.
    clock_->OnAdvance([state = state_] {
      std::lock_guard lock(state->mutex);
      state->ready_cv.notify_all();
    });
    try {
      for (int i = 0; i < threads; ++i) threads_.emplace_back(name, [this] { Loop(); });
    } catch (...) {  // no destructor will run, and those that did start wait for ever
      Stop();
      throw;
    }
  }

  ~QueueExecutor() override { Stop(); }

  bool Post(Task task) override {
    std::lock_guard lock(state_->mutex);
    if (state_->stopping) return false;
    state_->ready.push_back(std::move(task));
    state_->ready_cv.notify_one();
    return true;
  }

  TimerId PostAt(int64_t monotonic_ms, Task task) override {
    std::lock_guard lock(state_->mutex);
    TimerId id = ++state_->last_timer;
    if (state_->stopping) return id;
    auto it = state_->timers.emplace(monotonic_ms, std::make_pair(id, std::move(task)));
    state_->timer_index[id] = it;
    if (it == state_->timers.begin()) state_->ready_cv.notify_one();
    return id;
  }

  bool Cancel(TimerId timer) override {
    Task dropped;
    std::lock_guard lock(state_->mutex);
    auto it = state_->timer_index.find(timer);
    if (it == state_->timer_index.end()) return false;
    dropped = std::move(it->second->second.second);
    state_->timers.erase(it->second);
    state_->timer_index.erase(it);
    return true;
  }

  void Stop() override {
    Timers forgotten;  // destroyed without the lock: a task's captures may come back to us
    {
      std::lock_guard lock(state_->mutex);
      state_->stopping = true;
      forgotten.swap(state_->timers);
      state_->timer_index.clear();
      state_->ready_cv.notify_all();
    }
    std::lock_guard lock(join_mutex_);
    for (Thread& thread : threads_) thread.Join();
    while (RunOne()) {
    }
  }

  bool RunOne() override {
    std::unique_lock lock(state_->mutex);
    TakeDue();
    if (state_->ready.empty()) return false;
    RunFront(lock);
    return true;
  }

  int64_t NextDue() override {
    std::lock_guard lock(state_->mutex);
    if (!state_->ready.empty()) return 0;
    return state_->timers.empty() ? INT64_MAX : state_->timers.begin()->first;
  }

  bool threaded() const override { return threaded_; }

 private:
  using Timers = std::multimap<int64_t, std::pair<TimerId, Task>>;
  struct State {
    std::mutex mutex;
    std::condition_variable ready_cv;
    std::deque<Task> ready;
    Timers timers;
    std::unordered_map<TimerId, Timers::iterator> timer_index;
    TimerId last_timer = 0;
    bool stopping = false;
  };

  // Moves what is due behind the ready tasks. Lock held.
  void TakeDue() {
    int64_t now = state_->timers.empty() ? 0 : clock_->MonotonicMs();
    while (!state_->timers.empty() && state_->timers.begin()->first <= now) {
      auto it = state_->timers.begin();
      state_->timer_index.erase(it->second.first);
      state_->ready.push_back(std::move(it->second.second));
      state_->timers.erase(it);
    }
  }

  void RunFront(std::unique_lock<std::mutex>& lock) {
    Task task = std::move(state_->ready.front());
    state_->ready.pop_front();
    if (!state_->ready.empty()) state_->ready_cv.notify_one();
    lock.unlock();
    task();
    task = nullptr;  // its captures go before the lock is taken again
    lock.lock();
  }

  void Loop() {
    std::unique_lock lock(state_->mutex);
    while (true) {
      TakeDue();
      if (!state_->ready.empty()) {
        RunFront(lock);
      } else if (state_->stopping) {
        return;
      } else if (state_->timers.empty() || !clock_->real()) {
        state_->ready_cv.wait(lock);
      } else {
        int64_t wait_ms = state_->timers.begin()->first - clock_->MonotonicMs();
        state_->ready_cv.wait_for(lock,
                                  std::chrono::milliseconds(std::clamp<int64_t>(wait_ms, 1, kLongestWaitMs)));
      }
    }
  }

  Clock* clock_;
  const bool threaded_;
  std::shared_ptr<State> state_;
  std::vector<Thread> threads_;
  std::mutex join_mutex_;
};

}  // namespace

std::unique_ptr<Executor> NewThreadExecutor(Clock* clock, int threads, const char* name) {
  return std::make_unique<QueueExecutor>(clock, threads < 1 ? 1 : threads, name);
}

std::unique_ptr<Executor> NewManualExecutor(Clock* clock) {
  return std::make_unique<QueueExecutor>(clock, 0, "");
}

}  // namespace mediagen
