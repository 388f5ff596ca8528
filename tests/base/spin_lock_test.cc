#include "base/spin_lock.h"

#include <doctest/doctest.h>

#include <latch>
#include <mutex>
#include <thread>
#include <vector>

using namespace mediagen;

TEST_CASE("one thread at a time is between lock and unlock, with more threads than cores") {
  constexpr int kThreads = 24, kTurns = 5'000;
  SpinLock lock;
  std::latch start(kThreads);
  int64_t turns = 0;  // not atomic: the lock is what keeps it right
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (int turn = 0; turn < kTurns; ++turn) {
        std::lock_guard guard(lock);
        ++turns;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(turns == int64_t{kThreads} * kTurns);
}

TEST_CASE("a lock that is held is not taken by trying") {
  SpinLock lock;
  CHECK(lock.try_lock());
  CHECK_FALSE(lock.try_lock());
  lock.unlock();
  CHECK(lock.try_lock());
  lock.unlock();
}
