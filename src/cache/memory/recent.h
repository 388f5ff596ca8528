// RecentCounts: hits and misses of the last minutes, from counters that only grow.
//
// Not thread-safe: the shard's lock guards it.
#pragma once

#include <array>
#include <cstdint>

namespace mediagen::memory_cache {

class RecentCounts {
 public:
  struct Counts {
    uint64_t hits = 0, misses = 0;
  };

  // To be called now and then with the counters as they are. What happened between two calls counts as of
  // the time of the earlier one's minute.
  void Note(int64_t now_ms, Counts counts) {
    const int64_t minute = now_ms / 60'000;
    if (minute == minute_) return;
    const int64_t passed = minute_ < 0 ? kMinutes : minute - minute_;
    for (int64_t i = 0; i < passed && i < kMinutes; ++i)
      began_[static_cast<size_t>((minute - i) % kMinutes)] = counts;
    if (minute_ < 0) began_.fill({});
    minute_ = minute;
  }
  // Of this minute and the four before it.
  Counts Recent(Counts counts) const {
    const Counts& begin = began_[static_cast<size_t>((minute_ + 1) % kMinutes)];
    return {counts.hits - begin.hits, counts.misses - begin.misses};
  }

 private:
  static constexpr int64_t kMinutes = 5;
  std::array<Counts, kMinutes> began_{};  // the counters at the begin of each minute, by minute % kMinutes
  int64_t minute_ = -1;
};

}  // namespace mediagen::memory_cache
