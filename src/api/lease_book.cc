#include "api/lease_book.h"

#include <algorithm>
#include <utility>

namespace mediagen {
namespace {

constexpr size_t kMostFailed = 256;  // fail while the answer to their request is on its way

}  // namespace

void LeaseBook::Keep(const std::string& generation, LimitLease lease) {
  if (lease.parts.empty()) return;
  {
    std::lock_guard lock(mutex_);
    const auto failed = std::find(failed_.begin(), failed_.end(), generation);
    if (failed == failed_.end()) return Remember(generation, std::move(lease));
    failed_.erase(failed);
  }
  GiveBack(lease);
}

void LeaseBook::KeepRetry(const std::string& generation, LimitLease lease) {
  if (lease.parts.empty()) return;
  std::lock_guard lock(mutex_);
  leases_.erase(generation);
  Remember(generation, std::move(lease));
}

void LeaseBook::Remember(const std::string& generation, LimitLease lease) {
  leases_[generation] = std::move(lease);
  order_.push_back(generation);
  // Those that ended have left their place in the order.
  while (order_.size() > kMost || (!order_.empty() && !leases_.contains(order_.front()))) {
    leases_.erase(order_.front());
    order_.pop_front();
  }
}

void LeaseBook::GiveBack(const LimitLease& lease) {
  // Best effort: what can't be given back now stays charged, as everybody else's is.
  if (limiter_ != nullptr) limiter_->RefundLeaseAsync(lease, [](StatusOr<bool>) {});
}

void LeaseBook::Failed(const std::string& generation, bool counts) {
  LimitLease lease;
  {
    std::lock_guard lock(mutex_);
    const auto found = leases_.find(generation);
    if (found == leases_.end()) {
      if (counts) return;
      failed_.push_back(generation);
      if (failed_.size() > kMostFailed) failed_.pop_front();
      return;
    }
    lease = std::move(found->second);
    leases_.erase(found);
  }
  if (!counts) GiveBack(lease);
}

void LeaseBook::Ended(const std::string& generation) {
  std::lock_guard lock(mutex_);
  leases_.erase(generation);
}

void LeaseBook::Clear() {
  std::lock_guard lock(mutex_);
  leases_.clear();
  order_.clear();
  failed_.clear();
}

}  // namespace mediagen
