// Shard: one part of the memory cache, with its own lock, budget, policy and loads. See cache.h for what its
// methods do.
//
// Thread-safe. The bound: what its entries charge, what is pinned and what loads have reserved together never
// exceed the budget. A dropped entry whose value a reader still holds leaves the value in a list of pinned
// ones, charged until the last reader is gone; the policy never drops held entries to make room. Whether a
// value is held is read from its reference count, which is exact because a value that its putter kept a
// reference to is wrapped in a Buffer of the cache's own.
//
// Hits are told to the policy in batches: a hit leaves its entry in `hits_`, and the policy learns of them
// when that is full and before anything is added or dropped. So a hit costs one store beside the lookup, and
// the policy's decisions are those of one that was told at once.
//
// Prefixes are invalidated by colour: each invalidation gives new entries the next of eight colours, and an
// entry of an older colour is compared with the prefixes that came since, when somebody asks for it or when
// the walk over the table meets it, which then gives it the current colour. Invalidating is O(1); the walk is
// done a bit at each Store and in sweeps.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/spin_lock.h"
#include "cache/cache.h"
#include "cache/memory/aftermath.h"
#include "cache/memory/entry.h"
#include "cache/memory/entry_table.h"
#include "cache/memory/expiry.h"
#include "cache/memory/flight.h"
#include "cache/memory/invalidation_log.h"
#include "cache/memory/policy.h"
#include "cache/memory/recent.h"
#include "cache/memory/tag_index.h"

namespace mediagen::memory_cache {

struct ShardOptions {
  uint64_t index = 0, shards = 1;  // tokens are `index` modulo `shards`, so that a token names its shard
  Room room;                       // budget, but for …
  uint64_t policy_bytes = 0;       // … what the policy has for itself
  uint64_t largest_entry = 0;
  int64_t negative_ttl_ms = 0;
  uint64_t seed = 0;  // of the jitter
};

// What a hit touches stands at the beginning, in lines of its own: with every hit on another processor than
// the last they have to come from there.
class alignas(64) Shard : private Judge {
 public:
  // `clock` and `log` must outlive it.
  Shard(Clock* clock, InvalidationLog* log, PolicyFactory* policy, const ShardOptions& options);
  ~Shard() override;

  BufferRef Get(HashedKey key);
  Admission Put(HashedKey key, BufferRef value, const EntryOptions& options);
  bool Remove(HashedKey key);
  void DropTagged(std::string_view tag);
  void DropPrefixed(std::string_view prefix);
  void Clear();

  Cache::Lookup GetOrLoad(HashedKey key, const LoadOptions& options, Cache::Waiter waiter);
  Status Reserve(uint64_t token, uint64_t bytes);
  Status Fill(uint64_t token, BufferRef value, const EntryOptions& options);
  Status Fail(uint64_t token, Status error);
  Status Abandon(uint64_t token);
  void Forget(uint64_t wait_token);
  int64_t Sweep();

  void AddStats(CacheStats* stats);

 private:
  // A value of which nobody but the cache has a reference, and what making it so costs.
  struct SoleValue {
    BufferRef value;
    uint64_t overhead = 0;
  };
  struct Pinned {
    BufferRef value;
    uint64_t charge;  // that of its entry
  };
  struct Prefix {
    std::string text;
    uint8_t colour;  // of entries stored after it
  };
  // Holds the lock; a debug build checks the bounds whenever it is given back.
  class Lock {
   public:
    explicit Lock(Shard& shard) : shard_(shard) { shard_.lock_.lock(); }
    ~Lock() {
#ifndef NDEBUG
      shard_.Audit();
#endif
      shard_.lock_.unlock();
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    Shard& shard_;
  };
  struct EntryDeleter {
    void operator()(Entry* entry) const { Entry::Retire(entry); }
  };
  using NewEntry = std::unique_ptr<Entry, EntryDeleter>;  // one that is in no structure yet

  static SoleValue MakeSole(BufferRef value);
  // An entry with its charge and times, or null and in `*why` the reason: kTooLarge or kRefused. Needs no
  // lock.
  NewEntry Make(HashedKey key, SoleValue sole, const EntryOptions& options, int64_t now_ms,
                Admission* why) const;
  int64_t Jittered(int64_t ms, const EntryOptions& options, uint64_t hash, int64_t now_ms) const;

  bool Held(const Node& node) const override { return static_cast<const Entry&>(node).held(); }
  bool Expired(const Node& node) const override {
    return static_cast<const Entry&>(node).expired(judged_ms_);
  }
  double Cost(const Node& node) const override;

  // All of these are called under the lock. shard.cc:
  Entry* Plain(HashedKey key) const;
  Entry* Find(HashedKey key, int64_t* now_ms, Aftermath* after);
  void NoteHit(Entry* entry);
  void TellHits();
  Admission Store(HashedKey key, NewEntry entry, Admission refusal, const EntryOptions& options,
                  int64_t now_ms, Aftermath* after);
  bool Admit(Entry* entry, int64_t now_ms, Aftermath* after);
  void DropEvicted(Aftermath* after);
  Room RoomLeft() const;
  void Drop(Entry* entry, Aftermath* after);
  void Pin(BufferRef value, uint64_t charge, Aftermath* after);
  void ReleasePinned(size_t most, Aftermath* after);
  uint64_t Hits() const { return stats_.hits + hit_count_; }
  void NoteRecent(int64_t now_ms) { recent_.Note(now_ms, {Hits(), stats_.misses}); }
  void Audit() const;
  // shard_upkeep.cc:
  bool Outdated(Entry* entry);
  void WalkPrefixes(size_t most, Aftermath* after);
  // shard_load.cc:
  uint64_t NewToken() { return tokens_ += options_.shards; }
  uint64_t StartLoad(HashedKey key, int64_t load_ms, int64_t now_ms);
  Flight* Current(uint64_t token, Aftermath* after);
  std::unique_ptr<Flight> EndLoad(Flight* flight);
  void Expire(Flight* flight, int64_t now_ms, Aftermath* after);
  void ExpireOverdue(int64_t now_ms, size_t most, Aftermath* after);
  void Restart(HashedKey key, WaitList waiting, int64_t now_ms, Aftermath* after);

  SpinLock lock_;
  uint8_t plain_ = 0;  // the flags, colour included, of an entry that is answered without another look
  uint32_t hit_count_ = 0;
  EntryTable table_;
  std::unique_ptr<Policy> policy_;
  std::array<Node*, 64> hits_;

  Clock* const clock_;
  InvalidationLog* const log_;
  const ShardOptions options_;
  ExpiryIndex expiry_;
  TagIndex tags_;
  Flights flights_;
  uint64_t tokens_;
  std::vector<Pinned> pinned_;
  size_t pinned_hand_ = 0;  // where the next look for values without readers begins
  uint64_t pinned_bytes_ = 0, reserved_bytes_ = 0;
  std::vector<Prefix> prefixes_;          // oldest first; fewer than there are colours
  size_t walk_slot_ = 0, walk_left_ = 0;  // of the table; entries of an older colour that it has not met
  int64_t judged_ms_ = 0;                 // what Expired() compares with: the time of the Store under way
  std::vector<Node*> evicted_;            // of the Store under way; kept for its capacity
  CacheStats stats_;                      // the counters only; hits up to the last TellHits
  RecentCounts recent_;
};

// Capped at kNever.
inline int64_t After(int64_t now_ms, int64_t ms) { return ms > kNever - now_ms ? kNever : now_ms + ms; }

}  // namespace mediagen::memory_cache
