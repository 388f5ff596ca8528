// LeaseBook: what generations were charged under way, so that those that fail are not counted.
//
// Only for the process that took the request: whoever runs its job, the event log tells all. What is
// forgotten, by a restart for one, stays charged until it runs out of its window.
//
// Thread-safe.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "limit/limiter.h"

namespace mediagen {

class LeaseBook {
 public:
  // `limiter` may be null and must outlive it.
  explicit LeaseBook(Limiter* limiter) : limiter_(limiter) {}

  // Keeps what a new generation was charged; gives it back at once when it has failed meanwhile.
  void Keep(const std::string& generation, LimitLease lease);
  // Keeps what another try at it was charged.
  void KeepRetry(const std::string& generation, LimitLease lease);

  // What the event log tells: it failed, and `counts` all the same or is given back; it ended otherwise.
  void Failed(const std::string& generation, bool counts);
  void Ended(const std::string& generation);
  void Clear();

  static constexpr size_t kMost = 16'384;  // generations; past it the oldest stay charged

 private:
  void Remember(const std::string& generation, LimitLease lease);
  void GiveBack(const LimitLease& lease);

  Limiter* const limiter_;
  std::mutex mutex_;
  std::unordered_map<std::string, LimitLease> leases_;
  std::deque<std::string> order_;   // of leases_, oldest first, and of some that are no longer there
  std::deque<std::string> failed_;  // lately, unknown here: their request may not have been answered yet
};

}  // namespace mediagen
