#include "jobs/beat.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/wakeup.h"

namespace mediagen {

struct Beat::State : Sleeper, std::enable_shared_from_this<Beat::State> {
  explicit State(Clock* from) : clock(from) {}

  void Kick() {
    {
      std::lock_guard lock(mutex);
      if (std::exchange(kicked, true)) return;  // it is awake, or will be
    }
    WakeSoon(shared_from_this());
  }
  void Wake() override { wake.notify_all(); }

  void Run(const std::function<int64_t(bool)>& body) {
    std::unique_lock lock(mutex);
    int64_t due = 0;
    while (!stopping) {
      int64_t now = clock->MonotonicMs();
      if (kicked || due <= now) {
        bool was_kicked = std::exchange(kicked, false);
        lock.unlock();
        due = body(was_kicked);
        lock.lock();
      } else if (due == INT64_MAX || !clock->real()) {
        wake.wait(lock);
      } else {
        wake.wait_for(lock, std::chrono::milliseconds(due - now));
      }
    }
  }

  Clock* const clock;
  std::mutex mutex;
  std::condition_variable wake;
  bool kicked = false, stopping = false;
};

Beat::Beat(Clock* clock) : state_(std::make_shared<State>(clock)) {
  // The clock may outlive us, so its wake-up holds the state and not this object.
  clock->OnAdvance([state = state_] {
    std::lock_guard lock(state->mutex);
    state->wake.notify_all();
  });
}

Beat::~Beat() { Stop(); }

void Beat::Start(const char* thread_name, std::function<int64_t(bool)> body) {
  thread_.emplace(thread_name, [state = state_, body = std::move(body)] { state->Run(body); });
}

void Beat::Kick() { state_->Kick(); }

std::function<void()> Beat::Kicker() const {
  return [state = state_] { state->Kick(); };
}

bool Beat::kicked() const {
  std::lock_guard lock(state_->mutex);
  return state_->kicked;
}

bool Beat::TakeKick() {
  std::lock_guard lock(state_->mutex);
  return std::exchange(state_->kicked, false);
}

void Beat::Stop() {
  if (!thread_) return;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->wake.notify_all();
  }
  thread_.reset();
}

void Beat::Abandon() {
  if (!thread_) return;
  thread_->Abandon();
  // A condition variable whose waiter was lost in a fork must not be destroyed: glibc would wait for it.
  new std::shared_ptr<State>(state_);
}

}  // namespace mediagen
