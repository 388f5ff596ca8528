// Pace: how fast a queue's jobs may start, and how many of them may be retried, counted over all processes of
// the machine in rows that the claims and finishes of the same transaction write.
//
// Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/queue.h"
#include "store/job_store.h"

namespace mediagen {

// A queue's rate: never more than `amount` in any span of per_ms, wherever it begins. Costs are remembered in
// 64ths of the span, and one of those is over when its last instant is: that is where a span loses 1/64.
class RateWindow {
 public:
  // `state` is what state() gave before, "" nothing; times are monotonic ms. Nonsense counts as nothing.
  RateWindow(const Allowance& rate, std::string_view state, int64_t now_ms);

  int64_t left() const { return left_; }
  void Spend(int64_t cost);
  // When `cost` (at most the whole amount) will fit.
  int64_t FreeAt(int64_t cost) const;
  std::string state() const;

 private:
  struct Slice {
    int64_t end_ms = 0, cost = 0;  // spent at or before end_ms
  };

  const Allowance rate_;
  const int64_t now_ms_;
  int64_t left_ = 0;
  std::vector<Slice> slices_;  // by time
};

// The earliest moment at which one more retry may start, and the bucket after it: retries beyond the budget
// are spread at its rate (a leaky bucket, Turner 1986, in the virtual scheduling form of ITU-T I.371).
// Monotonic ms.
int64_t PaceRetry(const Allowance& budget, int64_t now_ms, int64_t* retry_us);

}  // namespace mediagen
