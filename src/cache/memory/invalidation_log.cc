#include "cache/memory/invalidation_log.h"

#include <algorithm>

namespace mediagen::memory_cache {
namespace {

// Past this many tags, all loads under way are counted as invalidated: correct, bounded, and rare.
constexpr size_t kMostTags = 1 << 16;

}  // namespace

uint64_t InvalidationLog::BeginLoad() {
  std::lock_guard lock(mutex_);
  uint64_t now = generation_.load(std::memory_order_relaxed);
  ++loads_[now];
  return now;
}

void InvalidationLog::EndLoad(uint64_t begun) {
  std::lock_guard lock(mutex_);
  auto loads = loads_.find(begun);
  if (--loads->second == 0) loads_.erase(loads);
  if (loads_.empty()) latest_.clear();
}

void InvalidationLog::Invalidate(std::string_view tag) {
  std::lock_guard lock(mutex_);
  uint64_t now = generation_.load(std::memory_order_relaxed) + 1;
  generation_.store(now, std::memory_order_release);
  if (loads_.empty()) return;
  latest_[std::string(tag)] = now;
  if (latest_.size() > kMostTags) Prune();
}

void InvalidationLog::Prune() {
  uint64_t oldest = loads_.begin()->first;
  absl::erase_if(latest_, [oldest](const auto& tag) { return tag.second <= oldest; });
  if (latest_.size() <= kMostTags / 2) return;
  latest_.clear();
  all_ = generation_.load(std::memory_order_relaxed);
}

uint64_t InvalidationLog::InvalidatedSince(uint64_t begun, const std::vector<std::string>& tags) {
  std::lock_guard lock(mutex_);
  uint64_t latest = all_;
  for (const std::string& name : tags) {
    auto tag = latest_.find(name);
    if (tag != latest_.end()) latest = std::max(latest, tag->second);
  }
  return latest > begun ? latest : 0;
}

}  // namespace mediagen::memory_cache
