// FastClock: monotonic time passes kRate times as fast as it does, in every process of the machine alike, so
// that a lease of half a minute is over in about a second. Wall time is the machine's.
#pragma once

#include <time.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace mediagen::crash {

class FastClock final : public Clock {
 public:
  static constexpr int64_t kRate = 25;

  // Lives as long as its process.
  FastClock() {
    std::thread([this] {
      while (true) {
        std::this_thread::sleep_for(std::chrono::milliseconds(4));
        Wake();
      }
    }).detach();
  }
  int64_t WallMs() override { return SystemClock()->WallMs(); }
  int64_t MonotonicMs() override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return int64_t{now.tv_sec} * 1000 * kRate + now.tv_nsec * kRate / 1'000'000;
  }
  // Who waits does so for the next tick: real time would be too slow.
  bool real() const override { return false; }
  void OnAdvance(std::function<void()> wake) override {
    std::lock_guard lock(mutex_);
    wakes_.push_back(std::move(wake));
  }

 private:
  void Wake() {
    std::lock_guard lock(mutex_);
    for (const auto& wake : wakes_) wake();
  }

  std::mutex mutex_;
  std::vector<std::function<void()>> wakes_;
};

}  // namespace mediagen::crash
