#include "base/parallel.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace mediagen {
namespace {

// Outlives the call that made it: a task may be run long after, and then finds nothing left to do.
struct Shared {
  std::function<void(size_t)> each;
  size_t count = 0;
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::condition_variable all_done;
  size_t done = 0;  // guarded by mutex

  void Work() {
    for (size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      each(i);
      std::lock_guard lock(mutex);
      if (++done == count) all_done.notify_all();
    }
  }
};

}  // namespace

void ParallelFor(Executor* executor, size_t count, const std::function<void(size_t)>& each) {
  auto shared = std::make_shared<Shared>();
  shared->each = each;
  shared->count = count;
  for (size_t helper = 1; helper < count && executor != nullptr && executor->threaded(); ++helper) {
    if (!executor->Post([shared] { shared->Work(); })) break;
  }
  shared->Work();
  // What is not done yet is being done at this moment by a thread that will come to its end.
  std::unique_lock lock(shared->mutex);
  shared->all_done.wait(lock, [&] { return shared->done == count; });
}

}  // namespace mediagen
