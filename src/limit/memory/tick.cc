#include "limit/memory/tick.h"

#include <time.h>

#include <algorithm>

namespace mediagen::limit {
namespace {

constexpr int64_t kMs = 1'000'000;
// Long enough for the rate to be exact to some millionths, short enough to follow a machine that was moved.
constexpr int64_t kMeasureNs = 20 * kMs, kMeasureAgainNs = 2'000 * kMs;

}  // namespace

int64_t Tick::Ask(uint64_t counter) {
  if (!system_) return now_ms_ = std::max(now_ms_, clock_->MonotonicMs());
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);  // what SystemClock() reads, with its ns
  const int64_t ns = int64_t{now.tv_sec} * 1'000 * kMs + now.tv_nsec;
  if (then_ns_ == 0 || ns - then_ns_ > kMeasureAgainNs || (counts_a_ns_ == 0 && ns - then_ns_ > kMeasureNs)) {
    counts_a_ns_ = then_ns_ == 0 || counter < then_counter_
                       ? 0
                       : static_cast<double>(counter - then_counter_) / static_cast<double>(ns - then_ns_);
    then_counter_ = counter;
    then_ns_ = ns;
  }
  from_ = counter;
  length_ = 0;
  // Counters of 0.01 to 100 GHz are believed. The counter was read before the clock, so the end comes early.
  if (counts_a_ns_ > 0.01 && counts_a_ns_ < 100) {
    length_ = static_cast<uint64_t>(static_cast<double>(kMs - ns % kMs) * counts_a_ns_);
  }
  if (ns / kMs < now_ms_) length_ = 0;  // AtLeast was ahead
  return now_ms_ = std::max(now_ms_, ns / kMs);
}

}  // namespace mediagen::limit
