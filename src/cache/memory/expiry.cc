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
  Details* details = entry->details();
  if (!details || details->expires_ms == kNever) return;
  Entry*& first = buckets_[details->expires_ms >> kBucketBits];
  details->expiry_prev = nullptr;
  details->expiry_next = first;
  if (first) first->details()->expiry_prev = entry;
  first = entry;
}

void ExpiryIndex::Remove(Entry* entry) {
  const Details* details = entry->details();
  if (!details || details->expires_ms == kNever) return;
  if (details->expiry_next) details->expiry_next->details()->expiry_prev = details->expiry_prev;
  if (details->expiry_prev) {
    details->expiry_prev->details()->expiry_next = details->expiry_next;
    return;
  }
  auto bucket = buckets_.find(details->expires_ms >> kBucketBits);
  if (details->expiry_next) {
    bucket->second = details->expiry_next;
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
