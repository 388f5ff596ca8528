#include "cache/memory/shard.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace mediagen::memory_cache {
namespace {

constexpr size_t kPinnedLooks = 8;  // pinned values that each Store looks at: more than one Store can add
constexpr size_t kWalkStep = 64;  // places of the table that each Store walks while prefixes are outstanding

uint64_t ChargeOf(HashedKey key, const BufferRef& value, const EntryOptions& options, bool detailed) {
  uint64_t charge = kEntryOverhead + key.text.size() + value.size();
  if (value.size() > kMostEmbedded) charge += kSharedOverhead;
  if (detailed) charge += sizeof(Details) + kExpiryOverhead;
  for (const std::string& tag : options.tags) charge += kTagOverhead + 2 * tag.size();
  return charge;
}

double CostOf(double cost) {
  if (!(cost > 0)) return 1;  // NaN, too
  return std::clamp(cost, 1e-9, 1e9);
}

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

Shard::Shard(Clock* clock, InvalidationLog* log, PolicyFactory* policy, const ShardOptions& options)
    : policy_(policy(this, options.policy_bytes)),
      clock_(clock),
      log_(log),
      options_(options),
      tokens_(options.index) {}

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
  for (size_t slot = 0; slot < table_.capacity(); ++slot) {
    if (Entry* entry = table_.at(slot)) Entry::Retire(entry);
  }
}

double Shard::Cost(const Node& node) const {
  const Details* details = static_cast<const Entry&>(node).details();
  return details ? details->cost : 1;
}

// What is small is copied into its entry, so it does not matter who else has it.
Shard::SoleValue Shard::MakeSole(BufferRef value) {
  if (!value || value.size() <= kMostEmbedded || !value->shared()) return {std::move(value), 0};
  std::string_view bytes = value.view();
  return {BufferRef::Alias(bytes, std::make_shared<const BufferRef>(std::move(value))), kWrapOverhead};
}

int64_t Shard::Jittered(int64_t ms, const EntryOptions& options, uint64_t hash, int64_t now_ms) const {
  if (!(options.jitter > 0)) return ms;
  const double random =
      static_cast<double>(Mix(options_.seed ^ hash ^ static_cast<uint64_t>(now_ms)) >> 11) * 0x1p-53;
  const double kept = 1 - std::min(options.jitter, 1.0) * random;
  return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(ms) * kept));
}

Shard::NewEntry Shard::Make(HashedKey key, SoleValue sole, const EntryOptions& options, int64_t now_ms,
                            Admission* why) const {
  *why = Admission::kRefused;
  if (options.negative && !sole.value) sole.value = BufferRef::Copy("");
  if (!sole.value || options.ttl_ms < 0 || options.soft_ttl_ms < 0) return nullptr;
  const int64_t ttl_ms = options.negative && options.ttl_ms == 0 ? options_.negative_ttl_ms : options.ttl_ms;
  const bool detailed = ttl_ms > 0 || options.soft_ttl_ms > 0 || !options.tags.empty() || options.cost != 1;
  const uint64_t charge = ChargeOf(key, sole.value, options, detailed) + sole.overhead;
  if (charge > options_.largest_entry || key.text.size() > std::numeric_limits<uint32_t>::max()) {
    *why = Admission::kTooLarge;
    return nullptr;
  }
  NewEntry entry(Entry::New(key, std::move(sole.value), detailed));
  entry->charge = charge;
  if (options.negative) entry->flags |= Entry::kNegative;
  if (options.versioned) entry->flags |= Entry::kVersioned;
  if (Details* details = entry->details()) {
    details->cost = CostOf(options.cost);
    if (ttl_ms > 0) details->expires_ms = After(now_ms, Jittered(ttl_ms, options, key.hash, now_ms));
    if (options.soft_ttl_ms > 0) {
      details->stale_at_ms = After(now_ms, Jittered(options.soft_ttl_ms, options, key.hash, now_ms));
      details->retry_ms = std::max<int64_t>(1000, options.soft_ttl_ms / 10);
    }
  }
  return entry;
}

// The entry of `key` if it can be answered without another look: it does not expire, is no negative one, and
// no prefix has been invalidated since it was looked at.
Entry* Shard::Plain(HashedKey key) const {
  constexpr uint8_t kLook = Entry::kDetailed | Entry::kNegative | Entry::kColourMask;
  Entry* entry = table_.Find(key);
  return entry && (entry->flags & kLook) == plain_ ? entry : nullptr;
}

BufferRef Shard::Get(HashedKey key) {
  {
    Lock lock(*this);
    if (Entry* entry = Plain(key)) {
      NoteHit(entry);
      return entry->value();
    }
  }
  Aftermath after;
  Lock lock(*this);
  int64_t now_ms = kNever;
  if (Entry* entry = Find(key, &now_ms, &after)) {
    const Details* details = entry->details();
    if ((entry->flags & Entry::kNegative) != 0) {
      NoteHit(entry);
      ++stats_.negative_hits;
      return nullptr;
    }
    if (!details || details->stale_at_ms == kNever || details->stale_at_ms > now_ms) {
      NoteHit(entry);
      return entry->value();
    }
  } else {
    policy_->Miss(key.hash);
  }
  ++stats_.misses;
  return nullptr;
}

// The entry of `key` that is neither expired nor invalidated, counted nowhere yet, or null. Reads the clock
// into `*now_ms` where the entry has times.
Entry* Shard::Find(HashedKey key, int64_t* now_ms, Aftermath* after) {
  Entry* entry = table_.Find(key);
  if (!entry) return nullptr;
  if (Outdated(entry)) {
    ++stats_.evictions_invalidated;
    Drop(entry, after);
    return nullptr;
  }
  const Details* details = entry->details();
  if (!details || (details->expires_ms == kNever && details->stale_at_ms == kNever)) return entry;
  *now_ms = clock_->MonotonicMs();
  if (!entry->expired(*now_ms)) return entry;
  ++stats_.evictions_expired;
  Drop(entry, after);
  return nullptr;
}

void Shard::NoteHit(Entry* entry) {
  hits_[hit_count_++] = entry;
  if (hit_count_ == hits_.size()) TellHits();
}

void Shard::TellHits() {
  if (hit_count_ == 0) return;
  policy_->Hit({hits_.data(), hit_count_});
  stats_.hits += hit_count_;
  hit_count_ = 0;
}

Admission Shard::Put(HashedKey key, BufferRef value, const EntryOptions& options) {
  const int64_t now_ms = clock_->MonotonicMs();
  Admission refusal;
  NewEntry entry = Make(key, MakeSole(std::move(value)), options, now_ms, &refusal);
  Aftermath after;
  Lock lock(*this);
  flights_.Detach(key.text);
  return Store(key, std::move(entry), refusal, options, now_ms, &after);
}

// Puts `entry`, or nothing and `refusal` when it is null, in the place of what stands under `key`.
Admission Shard::Store(HashedKey key, NewEntry entry, Admission refusal, const EntryOptions& options,
                       int64_t now_ms, Aftermath* after) {
  NoteRecent(now_ms);
  TellHits();
  if (Entry* old = table_.Find(key)) Drop(old, after);
  WalkPrefixes(kWalkStep, after);
  if (entry) {
    refusal = Admission::kRefused;
    entry->flags |= plain_;
    if (Admit(entry.get(), now_ms, after)) {
      Entry* stored = entry.release();
      table_.Insert(stored);
      expiry_.Add(stored);
      tags_.Add(stored, options.tags);
      return Admission::kAdmitted;
    }
    // Its value may belong to foreign code, so it goes after the lock.
    after->dropped.push_back(Entry::Retire(entry.release()));
  }
  ++stats_.refusals;
  return refusal;
}

// What entries may charge beside what is pinned and reserved.
Room Shard::RoomLeft() const {
  return {options_.room.bytes - pinned_bytes_ - reserved_bytes_, options_.room.entries};
}

// Takes `entry` into the policy's queues. False: the policy, or the pinned and reserved bytes, leave no room.
bool Shard::Admit(Entry* entry, int64_t now_ms, Aftermath* after) {
  ReleasePinned(kPinnedLooks, after);
  if (entry->charge > RoomLeft().bytes) ReleasePinned(pinned_.size(), after);
  if (entry->charge > RoomLeft().bytes) return false;
  judged_ms_ = now_ms;
  evicted_.clear();
  policy_->Add(entry, RoomLeft(), &evicted_);
  auto refused = std::find(evicted_.begin(), evicted_.end(), entry);
  const bool admitted = refused == evicted_.end();
  if (!admitted) evicted_.erase(refused);
  DropEvicted(after);
  return admitted;
}

void Shard::DropEvicted(Aftermath* after) {
  for (Node* node : evicted_) {
    auto* victim = static_cast<Entry*>(node);
    ++(victim->expired(judged_ms_) ? stats_.evictions_expired : stats_.evictions_size);
    Drop(victim, after);
  }
}

void Shard::Drop(Entry* entry, Aftermath* after) {
  TellHits();  // while it is still in the policy's queues
  table_.Erase(entry);
  if (entry->segment != Segment::kNone) policy_->Remove(entry);
  if (entry->colour() != plain_ >> Entry::kColourShift && --walk_left_ == 0) prefixes_.clear();
  expiry_.Remove(entry);
  tags_.Remove(entry);
  const uint64_t charge = entry->charge;
  Pin(Entry::Retire(entry), charge, after);
}

// Keeps `value` charged, as its entry was, while a reader has it.
void Shard::Pin(BufferRef value, uint64_t charge, Aftermath* after) {
  if (!value->shared()) return after->dropped.push_back(std::move(value));
  pinned_bytes_ += charge;
  pinned_.push_back({std::move(value), charge});
}

void Shard::ReleasePinned(size_t most, Aftermath* after) {
  for (; most > 0 && !pinned_.empty(); --most) {
    if (pinned_hand_ >= pinned_.size()) pinned_hand_ = 0;
    Pinned& pinned = pinned_[pinned_hand_];
    if (pinned.value->shared()) {
      ++pinned_hand_;
      continue;
    }
    pinned_bytes_ -= pinned.charge;
    after->dropped.push_back(std::move(pinned.value));
    if (&pinned != &pinned_.back()) pinned = std::move(pinned_.back());
    pinned_.pop_back();
  }
}

bool Shard::Remove(HashedKey key) {
  Aftermath after;
  Lock lock(*this);
  flights_.Detach(key.text);
  int64_t now_ms;
  Entry* entry = Find(key, &now_ms, &after);
  if (!entry) return false;
  ++stats_.evictions_invalidated;
  Drop(entry, &after);
  return true;
}

void Shard::DropTagged(std::string_view tag) {
  Aftermath after;
  Lock lock(*this);
  for (Entry* entry : tags_.EntriesOf(tag)) {
    ++stats_.evictions_invalidated;
    Drop(entry, &after);
  }
}

void Shard::Clear() {
  Aftermath after;
  Lock lock(*this);
  flights_.DetachAll();
  std::vector<Entry*> all;
  for (size_t slot = 0; slot < table_.capacity(); ++slot) {
    if (Entry* entry = table_.at(slot)) all.push_back(entry);
  }
  for (Entry* entry : all) Drop(entry, &after);
  stats_.evictions_invalidated += all.size();
}

}  // namespace mediagen::memory_cache
