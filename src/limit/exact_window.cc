#include "limit/formula.h"

namespace mediagen::limit {

size_t ExactWindow::FirstLive(std::span<const uint32_t> ages, int64_t newest_ms, int64_t now_ms) const {
  const int64_t oldest_live = window_ms_ - (now_ms - newest_ms);  // ages below it live
  size_t first = 0;
  while (first < ages.size() && ages[first] >= oldest_live) ++first;
  return first;
}

Standing ExactWindow::Decide(std::span<const uint32_t> ages, int64_t newest_ms, int64_t now_ms,
                             int64_t cost) const {
  const size_t first = FirstLive(ages, newest_ms, now_ms);
  const auto limit = static_cast<int64_t>(ages.size());
  const int64_t live = limit - static_cast<int64_t>(first);
  const int64_t since_newest = now_ms - newest_ms;
  Standing standing{.allowed = live + cost <= limit};
  if (standing.allowed) {
    standing.remaining = limit - live - cost;
    standing.reset_after_ms = cost > 0 ? window_ms_ : live > 0 ? window_ms_ - since_newest - ages.back() : 0;
  } else {
    const size_t last_in_the_way = first + static_cast<size_t>(live + cost - limit) - 1;
    standing.remaining = limit - live;
    standing.reset_after_ms = window_ms_ - since_newest - ages.back();
    standing.retry_after_ms = window_ms_ - since_newest - ages[last_in_the_way];
  }
  return standing;
}

void ExactWindow::Charge(std::span<uint32_t> ages, int64_t newest_ms, int64_t now_ms, int64_t cost) const {
  const size_t first = FirstLive(ages, newest_ms, now_ms);
  const auto more = static_cast<size_t>(cost);
  const size_t kept_from = ages.size() - more;  // where the kept units end
  for (size_t i = 0; i < ages.size(); ++i) {
    if (i >= kept_from) {
      ages[i] = 0;
    } else {
      ages[i] = i + more < first ? kNoUnit : ages[i + more] + static_cast<uint32_t>(now_ms - newest_ms);
    }
  }
}

bool ExactWindow::Refund(std::span<uint32_t> ages, int64_t newest_ms, int64_t now_ms, int64_t cost) const {
  const size_t first = FirstLive(ages, newest_ms, now_ms);
  const size_t end = std::min(ages.size(), first + static_cast<size_t>(cost));
  for (size_t i = first; i < end; ++i) ages[i] = kNoUnit;
  return end < ages.size();
}

int64_t ExactWindow::RefundLease(std::span<uint32_t> ages, int64_t newest_ms, int64_t now_ms, int64_t cost,
                                 int64_t moment_ms) const {
  const size_t first = FirstLive(ages, newest_ms, now_ms);
  size_t kept = ages.size();  // what is kept moves to the end, in its order
  for (size_t i = ages.size(); i > first; --i) {
    const uint32_t age = ages[i - 1];
    if (cost > 0 && newest_ms - age == moment_ms) {
      --cost;
    } else {
      ages[--kept] = age;
    }
  }
  std::fill(ages.begin(), ages.begin() + static_cast<std::ptrdiff_t>(kept), kNoUnit);
  if (kept == ages.size()) return kNoMoment;
  const uint32_t newest_age = ages.back();
  for (size_t i = kept; i < ages.size(); ++i) ages[i] -= newest_age;
  return newest_ms - newest_age;
}

}  // namespace mediagen::limit
