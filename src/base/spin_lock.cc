#include "base/spin_lock.h"

#include <sched.h>
#include <time.h>

namespace mediagen {
namespace {

constexpr int kSpins = 200;  // about a microsecond: several sections of the holder
constexpr int kYields = 20;  // then somebody else's turn
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
  for (int tries = 0;; ++tries) {
    if (try_lock()) return;
    if (tries < kSpins) {
      Pause();
    } else if (tries < kSpins + kYields) {
      sched_yield();
    } else {
      const timespec nap{0, kSleepNs};
      nanosleep(&nap, nullptr);
    }
  }
}

}  // namespace mediagen
