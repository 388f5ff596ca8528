#include "jobs/pace.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kSlices = 64;  // of a span

}  // namespace

RateWindow::RateWindow(const Allowance& rate, std::string_view state, int64_t now_ms)
    : rate_(rate), now_ms_(now_ms), left_(rate.amount) {
  const char* next = state.data();
  const char* const end = next + state.size();
  while (next < end) {
    Slice slice;
    auto time = std::from_chars(next, end, slice.end_ms);
    if (time.ec != std::errc() || time.ptr == end || *time.ptr != ':') break;
    auto cost = std::from_chars(time.ptr + 1, end, slice.cost);
    if (cost.ec != std::errc() || slice.cost < 0) break;
    next = cost.ptr == end ? end : cost.ptr + 1;
    if (slice.end_ms + rate_.per_ms <= now_ms_) continue;
    slices_.push_back(slice);
    left_ -= std::min(slice.cost, rate_.amount);
  }
  left_ = std::max<int64_t>(left_, 0);
}

void RateWindow::Spend(int64_t cost) {
  cost = std::min(cost, rate_.amount);
  left_ = std::max<int64_t>(left_ - cost, 0);
  const int64_t width = std::max<int64_t>(rate_.per_ms / kSlices, 1);
  if (slices_.empty() || slices_.back().end_ms < now_ms_) slices_.push_back({now_ms_ + width - 1, 0});
  slices_.back().cost += cost;
}

int64_t RateWindow::FreeAt(int64_t cost) const {
  int64_t missing = std::min(cost, rate_.amount) - left_;
  for (const Slice& slice : slices_) {
    if (missing <= 0) break;
    missing -= slice.cost;
    if (missing <= 0) return slice.end_ms + rate_.per_ms;
  }
  return now_ms_;
}

std::string RateWindow::state() const {
  std::string out;
  for (const Slice& slice : slices_)
    fmt::format_to(std::back_inserter(out), "{}{}:{}", out.empty() ? "" : ",", slice.end_ms, slice.cost);
  return out;
}

int64_t PaceRetry(const Allowance& budget, int64_t now_ms, int64_t* retry_us) {
  if (budget.amount <= 0) return now_ms;
  const int64_t now_us = now_ms * 1000;
  const int64_t interval_us = std::max<int64_t>(budget.per_ms * 1000 / budget.amount, 1);
  const int64_t start_us = std::max(*retry_us, now_us) + interval_us - budget.per_ms * 1000;
  *retry_us = std::max(*retry_us, now_us) + interval_us;
  return std::max(now_ms, (start_us + 999) / 1000);
}

}  // namespace mediagen
