// Window: how many paid requests one provider is given at once. It grows by one for every window's worth of
// accepted requests (additive increase) and halves when the provider is overloaded (multiplicative decrease;
// Chiu and Jain, 1989), at most once a round trip.
//
// Pure: knows no clock and no lock. Times are monotonic ms.
#pragma once

#include <cstdint>

namespace mediagen {

class Window {
 public:
  // `most`: the configured concurrency, at least 1; the window begins there.
  explicit Window(int most);

  // How many requests there may be, from 1 to `most`.
  int limit() const { return static_cast<int>(size_); }
  // Nothing is sent before this moment: the provider said when to come back.
  int64_t paused_until() const { return paused_until_; }

  // A request was accepted.
  void OnSuccess();
  // A request that left at `sent` was refused with 429 or for overload. The window halves unless it has
  // halved since that request left: that was the same overload. retry_after_ms: the provider's hint, or -1.
  void OnOverload(int64_t sent, int64_t now, int64_t retry_after_ms);

 private:
  const double most_;
  double size_;
  int64_t halved_at_ = INT64_MIN;
  int64_t paused_until_ = INT64_MIN;
};

}  // namespace mediagen
