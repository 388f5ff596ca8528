// The half of a shard that takes time: prefixes that are walked off, sweeps, counters and the audit.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "cache/memory/shard.h"

namespace mediagen::memory_cache {
namespace {

constexpr int64_t kPinnedLookMs = 1000;  // how often a sweep looks for pinned values whose readers are gone

}  // namespace

void Shard::DropPrefixed(std::string_view prefix) {
  Aftermath after;
  Lock lock(*this);
  flights_.DetachPrefix(prefix);
  if (table_.size() == 0) return;
  // No colour is left: the walk is finished first, once for every seven prefixes.
  if (prefixes_.size() + 1 == Entry::kColours) WalkPrefixes(SIZE_MAX, &after);
  const uint8_t colour = static_cast<uint8_t>(((plain_ >> Entry::kColourShift) + 1) % Entry::kColours);
  prefixes_.push_back({std::string(prefix), colour});
  plain_ = static_cast<uint8_t>(colour << Entry::kColourShift);
  walk_left_ = table_.size();
}

// Whether a prefix of `entry`'s key was invalidated after it was stored. If not, it gets the current colour.
bool Shard::Outdated(Entry* entry) {
  const uint8_t current = plain_ >> Entry::kColourShift;
  const size_t since = (current + Entry::kColours - entry->colour()) % Entry::kColours;
  if (since == 0) return false;
  const std::string_view key = entry->key();
  if (std::any_of(prefixes_.end() - static_cast<ptrdiff_t>(since), prefixes_.end(),
                  [key](const Prefix& prefix) { return key.substr(0, prefix.text.size()) == prefix.text; }))
    return true;
  entry->flags = static_cast<uint8_t>((entry->flags & ~Entry::kColourMask) | plain_);
  if (--walk_left_ == 0) prefixes_.clear();
  return false;
}

// Looks at the next `most` places of the table, until every entry has the current colour. Entries may move
// behind the walk when others are dropped: it goes round until it has counted them all.
void Shard::WalkPrefixes(size_t most, Aftermath* after) {
  for (; walk_left_ > 0 && most > 0; --most) {
    if (walk_slot_ >= table_.capacity()) walk_slot_ = 0;
    Entry* entry = table_.at(walk_slot_);
    if (!entry || !Outdated(entry)) {
      ++walk_slot_;
      continue;
    }
    ++stats_.evictions_invalidated;
    Drop(entry, after);  // the place stays: a follower may have moved here
  }
}

int64_t Shard::Sweep() {
  constexpr size_t kBatch = 256;  // entries or loads for each hold of the lock
  while (true) {
    Aftermath after;
    Lock lock(*this);
    const int64_t now_ms = clock_->MonotonicMs();
    NoteRecent(now_ms);
    ExpireOverdue(now_ms, kBatch, &after);
    WalkPrefixes(kBatch * 4, &after);
    size_t left = kBatch;
    for (Entry* entry; left > 0 && (entry = expiry_.Due(now_ms)); --left) {
      ++stats_.evictions_expired;
      Drop(entry, &after);
    }
    const int64_t deadline_ms = flights_.NextDeadline();
    if (left == 0 || walk_left_ > 0 || deadline_ms <= now_ms) continue;
    ReleasePinned(pinned_.size(), &after);
    const int64_t pinned_ms = pinned_.empty() ? kNever : After(now_ms, kPinnedLookMs);
    return std::min({deadline_ms, expiry_.NextDue(), pinned_ms});
  }
}

void Shard::AddStats(CacheStats* stats) {
  Aftermath after;
  Lock lock(*this);
  NoteRecent(clock_->MonotonicMs());
  ReleasePinned(pinned_.size(), &after);
  const RecentCounts::Counts recent = recent_.Recent({Hits(), stats_.misses});
  stats->hits += Hits();
  stats->misses += stats_.misses;
  stats->stale_hits += stats_.stale_hits;
  stats->negative_hits += stats_.negative_hits;
  stats->loads += stats_.loads;
  stats->load_failures += stats_.load_failures;
  stats->load_ms += stats_.load_ms;
  stats->refusals += stats_.refusals;
  stats->evictions_size += stats_.evictions_size;
  stats->evictions_expired += stats_.evictions_expired;
  stats->evictions_invalidated += stats_.evictions_invalidated;
  stats->recent_hits += recent.hits;
  stats->recent_misses += recent.misses;
  stats->bytes += policy_->bytes() + pinned_bytes_ + reserved_bytes_;
  stats->pinned_bytes += pinned_bytes_;
  stats->reserved_bytes += reserved_bytes_;
  stats->entries += table_.size();
  stats->budget_bytes += options_.room.bytes + options_.policy_bytes;
}

// Ends the process when a bound does not hold. Of a small shard everything is counted anew, of a large one
// only the sums are compared: a debug build should still be usable.
void Shard::Audit() const {
  constexpr size_t kCounted = 64;
  uint64_t bytes = policy_->bytes(), pinned = pinned_bytes_;
  if (table_.size() <= kCounted) {
    bytes = 0;
    for (size_t slot = 0; slot < table_.capacity(); ++slot) {
      if (const Entry* entry = table_.at(slot)) bytes += entry->charge;
    }
  }
  if (pinned_.size() <= kCounted) {
    pinned = 0;
    for (const Pinned& value : pinned_) pinned += value.charge;
  }
  const bool sound = bytes == policy_->bytes() && pinned == pinned_bytes_ &&
                     bytes + pinned + reserved_bytes_ <= options_.room.bytes &&
                     table_.size() == policy_->entries() && table_.size() <= options_.room.entries;
  if (sound) return;
  std::fprintf(stderr,
               "mediagen: the cache's bound does not hold: %llu bytes of %zu entries, %llu pinned, %llu "
               "reserved, of %llu bytes and %llu entries\n",
               static_cast<unsigned long long>(bytes), table_.size(), static_cast<unsigned long long>(pinned),
               static_cast<unsigned long long>(reserved_bytes_),
               static_cast<unsigned long long>(options_.room.bytes),
               static_cast<unsigned long long>(options_.room.entries));
  std::abort();
}

}  // namespace mediagen::memory_cache
