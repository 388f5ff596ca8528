#include "base/spin_lock.h"

#include <sched.h>
#include <time.h>

#include <algorithm>

namespace mediagen {
namespace {

// Each look takes the lock's line from the holder's core, and it, and what the lock guards, come back more
// slowly than a section runs. So the looks become rarer: meanwhile the holder, which comes back soon where a
// lock is contended at all, runs its next sections from its own cache.
constexpr int kLooks = 9;        // after 1, 2, 4 … pauses, 255 together: some microseconds
constexpr int kMostPauses = 64;  // between two of them
constexpr int kYields = 20;      // then somebody else's turn
constexpr long kSleepNs = 50'000;

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace

void SpinLock::Wait() {
  int pauses = 1;
  for (int looks = 0;; ++looks) {
    if (looks < kLooks) {
      for (int i = 0; i < pauses; ++i) Pause();
      pauses = std::min(pauses * 2, kMostPauses);
    } else if (looks < kLooks + kYields) {
      sched_yield();
    } else {
      const timespec nap{0, kSleepNs};
      nanosleep(&nap, nullptr);
    }
    if (try_lock()) return;
  }
}

}  // namespace mediagen
