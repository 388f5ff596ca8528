// ParallelFor: a few independent pieces of work on the threads that an executor has free.
#pragma once

#include <cstddef>
#include <functional>

#include "base/executor.h"

namespace mediagen {

// Calls each(0) … each(count − 1), once each, and returns when all have returned. The caller's own thread
// works, too, and does everything where no other thread is free: so this may be called from a task, and never
// waits for a thread that another caller has. `each` must not throw and is called on several threads at once.
void ParallelFor(Executor* executor, size_t count, const std::function<void(size_t)>& each);

}  // namespace mediagen
