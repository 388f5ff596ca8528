#include "cache/memory/expiry.h"

namespace mediagen::memory_cache {
namespace {

constexpr int kBucketBits = 10;

int64_t BucketEnd(int64_t bucket) {
  constexpr int64_t kLastBucket = kNever >> kBucketBits;
  return bucket >= kLastBucket ? kNever : (bucket + 1) << kBucketBits;
}

}  // namespace

void ExpiryIndex::Add(Entry* entry) {
  if (entry->expires_ms == kNever) return;
  Entry*& first = buckets_[entry->expires_ms >> kBucketBits];
  entry->expiry_prev = nullptr;
  entry->expiry_next = first;
  if (first) first->expiry_prev = entry;
  first = entry;
}

void ExpiryIndex::Remove(Entry* entry) {
  if (entry->expires_ms == kNever) return;
  if (entry->expiry_next) entry->expiry_next->expiry_prev = entry->expiry_prev;
  if (entry->expiry_prev) {
    entry->expiry_prev->expiry_next = entry->expiry_next;
    return;
  }
  auto bucket = buckets_.find(entry->expires_ms >> kBucketBits);
  if (entry->expiry_next) {
    bucket->second = entry->expiry_next;
  } else {
    buckets_.erase(bucket);
  }
}

Entry* ExpiryIndex::Due(int64_t now_ms) const {
  return NextDue() <= now_ms ? buckets_.begin()->second : nullptr;
}

int64_t ExpiryIndex::NextDue() const {
  return buckets_.empty() ? kNever : BucketEnd(buckets_.begin()->first);
}

}  // namespace mediagen::memory_cache
