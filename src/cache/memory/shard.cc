#include "cache/memory/shard.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace mediagen::memory_cache {
namespace {

constexpr size_t kPinnedLooks = 8;  // pinned values that each Store looks at: more than one Store can add
constexpr int64_t kPinnedLookMs = 1000;  // how often a sweep looks for pinned values whose readers are gone

uint64_t ChargeOf(HashedKey key, const BufferRef& value, const EntryOptions& options) {
  uint64_t charge = kEntryOverhead + key.text.size() + value.size();
  if (options.ttl_ms != 0) charge += kExpiryOverhead;
  for (const std::string& tag : options.tags) charge += kTagOverhead + 2 * tag.size();
  return charge;
}

float CostOf(double cost) {
  if (!(cost > 0)) return 1;  // NaN, too
  return static_cast<float>(std::min(std::max(cost, 1e-9), 1e9));
}

}  // namespace

Shard::Shard(Clock* clock, InvalidationLog* log, uint64_t index, uint64_t shards, uint64_t budget,
             uint64_t largest_entry)
    : clock_(clock),
      log_(log),
      shards_(shards),
      budget_(budget),
      largest_entry_(largest_entry),
      policy_(NewTinyLfu(this)),
      tokens_(index) {}

Shard::~Shard() {
  Aftermath after;
  while (Flight* flight = flights_.Earliest()) {
    std::unique_ptr<Flight> ended = EndLoad(flight);
    for (auto& [token, waiting] : ended->waiting) {
      after.outcomes.emplace_back(
          std::move(waiting.waiter),
          Cache::Outcome{Error(Code::kClosed, "The cache was closed during the load.")});
    }
  }
  for (Entry* entry : entries_) Entry::Delete(entry);
}

Shard::SoleValue Shard::MakeSole(BufferRef value) {
  if (!value || !value->shared()) return {std::move(value), 0};
  std::string_view bytes = value.view();
  return {BufferRef::Alias(bytes, std::make_shared<const BufferRef>(std::move(value))), kWrapOverhead};
}

BufferRef Shard::Get(HashedKey key) {
  Aftermath after;
  std::lock_guard lock(mutex_);
  if (Entry* entry = Find(key, &after)) return entry->value;
  return nullptr;
}

// The fresh entry of `key`, counted as a hit, or null, counted as a miss.
Entry* Shard::Find(HashedKey key, Aftermath* after) {
  auto found = entries_.find(key);
  if (found != entries_.end()) {
    Entry* entry = *found;
    if (entry->expires_ms == kNever || !entry->expired(clock_->MonotonicMs())) {
      ++stats_.hits;
      Node* const hit = entry;
      policy_->Hit({&hit, 1});
      return entry;
    }
    ++stats_.evictions_expired;
    Drop(entry, after);
  }
  ++stats_.misses;
  policy_->Miss(key.hash);
  return nullptr;
}

Admission Shard::Put(HashedKey key, BufferRef value, const EntryOptions& options) {
  SoleValue sole = MakeSole(std::move(value));
  Aftermath after;
  std::lock_guard lock(mutex_);
  flights_.Detach(key.text);
  return Store(key, std::move(sole), options, &after);
}

Admission Shard::Store(HashedKey key, SoleValue sole, const EntryOptions& options, Aftermath* after) {
  if (auto old = entries_.find(key); old != entries_.end()) Drop(*old, after);
  Admission answer = Admission::kTooLarge;
  const uint64_t charge = ChargeOf(key, sole.value, options) + sole.overhead;
  if (charge <= largest_entry_ && key.text.size() <= std::numeric_limits<uint32_t>::max()) {
    Entry* entry = sole.value && options.ttl_ms >= 0 ? Admit(key, charge, options, after) : nullptr;
    if (entry) {
      entry->value = std::move(sole.value);
      return Admission::kAdmitted;
    }
    answer = Admission::kRefused;
  }
  ++stats_.refusals;
  after->dropped.push_back(std::move(sole.value));
  return answer;
}

// A new entry of `key`, still without its value, or null when the policy or the pinned bytes leave no room
// for it.
Entry* Shard::Admit(HashedKey key, uint64_t charge, const EntryOptions& options, Aftermath* after) {
  ReleasePinned(kPinnedLooks, after);
  if (charge > budget_ - pinned_bytes_) ReleasePinned(pinned_.size(), after);
  if (charge > budget_ - pinned_bytes_) return nullptr;

  const int64_t now_ms = clock_->MonotonicMs();
  Entry* entry = Entry::New(key.text, key.hash);
  entry->charge = charge;
  entry->cost = CostOf(options.cost);
  if (options.ttl_ms > 0) entry->expires_ms = After(now_ms, options.ttl_ms);
  evicted_.clear();
  judged_ms_ = now_ms;
  policy_->Add(entry, {.bytes = budget_ - pinned_bytes_}, &evicted_);
  bool admitted = true;
  for (Node* node : evicted_) {
    if (node == entry) {
      admitted = false;
      continue;
    }
    auto* victim = static_cast<Entry*>(node);
    ++(victim->expired(now_ms) ? stats_.evictions_expired : stats_.evictions_size);
    Drop(victim, after);
  }
  if (!admitted) {
    Entry::Delete(entry);
    return nullptr;
  }
  entries_.insert(entry);
  expiry_.Add(entry);
  tags_.Add(entry, options.tags);
  return entry;
}

void Shard::Drop(Entry* entry, Aftermath* after) {
  entries_.erase(entry);
  if (entry->segment != Segment::kNone) policy_->Remove(entry);
  expiry_.Remove(entry);
  tags_.Remove(entry);
  Pin(std::move(entry->value), after);
  Entry::Delete(entry);
}

// Keeps `value` charged while a reader has it.
void Shard::Pin(BufferRef value, Aftermath* after) {
  if (!value->shared()) return after->dropped.push_back(std::move(value));
  pinned_bytes_ += value.size() + kPinnedOverhead;
  pinned_.push_back(std::move(value));
}

void Shard::ReleasePinned(size_t most, Aftermath* after) {
  for (; most > 0 && !pinned_.empty(); --most) {
    if (pinned_hand_ >= pinned_.size()) pinned_hand_ = 0;
    BufferRef& value = pinned_[pinned_hand_];
    if (value->shared()) {
      ++pinned_hand_;
      continue;
    }
    pinned_bytes_ -= value.size() + kPinnedOverhead;
    after->dropped.push_back(std::move(value));
    value = std::move(pinned_.back());
    pinned_.pop_back();
  }
}

bool Shard::Remove(HashedKey key) {
  Aftermath after;
  std::lock_guard lock(mutex_);
  flights_.Detach(key.text);
  auto found = entries_.find(key);
  if (found == entries_.end()) return false;
  Entry* entry = *found;
  const bool fresh = entry->expires_ms == kNever || !entry->expired(clock_->MonotonicMs());
  ++(fresh ? stats_.evictions_invalidated : stats_.evictions_expired);
  Drop(entry, &after);
  return fresh;
}

void Shard::DropTagged(std::string_view tag) {
  Aftermath after;
  std::lock_guard lock(mutex_);
  for (Entry* entry : tags_.EntriesOf(tag)) {
    ++stats_.evictions_invalidated;
    Drop(entry, &after);
  }
}

void Shard::Clear() {
  Aftermath after;
  std::lock_guard lock(mutex_);
  flights_.DetachAll();
  std::vector<Entry*> all(entries_.begin(), entries_.end());
  for (Entry* entry : all) Drop(entry, &after);
  stats_.evictions_invalidated += all.size();
}

void Shard::AddStats(CacheStats* stats) {
  Aftermath after;
  std::lock_guard lock(mutex_);
  ReleasePinned(pinned_.size(), &after);
  stats->hits += stats_.hits;
  stats->misses += stats_.misses;
  stats->loads += stats_.loads;
  stats->load_failures += stats_.load_failures;
  stats->refusals += stats_.refusals;
  stats->evictions_size += stats_.evictions_size;
  stats->evictions_expired += stats_.evictions_expired;
  stats->evictions_invalidated += stats_.evictions_invalidated;
  stats->bytes += policy_->bytes() + pinned_bytes_;
  stats->pinned_bytes += pinned_bytes_;
  stats->entries += entries_.size();
  stats->budget_bytes += budget_;
}

int64_t Shard::Sweep() {
  constexpr size_t kBatch = 256;  // entries or loads for each hold of the lock
  while (true) {
    Aftermath after;
    std::lock_guard lock(mutex_);
    const int64_t now_ms = clock_->MonotonicMs();
    ExpireOverdue(now_ms, kBatch, &after);
    size_t left = kBatch;
    for (Entry* entry; left > 0 && (entry = expiry_.Due(now_ms)); --left) {
      ++stats_.evictions_expired;
      Drop(entry, &after);
    }
    Flight* earliest = flights_.Earliest();
    const int64_t deadline_ms = earliest ? earliest->deadline_ms : kNever;
    if (left == 0 || deadline_ms <= now_ms) continue;
    ReleasePinned(pinned_.size(), &after);
    const int64_t pinned_ms = pinned_.empty() ? kNever : After(now_ms, kPinnedLookMs);
    return std::min({deadline_ms, expiry_.NextDue(), pinned_ms});
  }
}

}  // namespace mediagen::memory_cache
