// Shard: one part of the memory cache, with its own lock, budget, policy and loads. See cache.h for what its
// methods do.
//
// Thread-safe. The bound: what its entries charge and what is pinned together never exceed the budget. A
// dropped entry whose value a reader still holds leaves the value in a list of pinned ones, charged until the
// last reader is gone; the policy never drops held entries to make room. Whether a value is held is read from
// its reference count, which is exact because a value that its putter kept a reference to is wrapped in a
// Buffer of the cache's own.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "cache/cache.h"
#include "cache/memory/aftermath.h"
#include "cache/memory/entry.h"
#include "cache/memory/expiry.h"
#include "cache/memory/flight.h"
#include "cache/memory/invalidation_log.h"
#include "cache/memory/policy.h"
#include "cache/memory/tag_index.h"

namespace mediagen::memory_cache {

// A key and its hash, which the cache computes once.
struct HashedKey {
  std::string_view text;
  uint64_t hash;
};

class Shard : private Judge {
 public:
  // Tokens are `index` modulo `shards`, so that a token names its shard. `clock` and `log` must outlive it.
  Shard(Clock* clock, InvalidationLog* log, uint64_t index, uint64_t shards, uint64_t budget,
        uint64_t largest_entry);
  ~Shard() override;

  BufferRef Get(HashedKey key);
  Admission Put(HashedKey key, BufferRef value, const EntryOptions& options);
  bool Remove(HashedKey key);
  void DropTagged(std::string_view tag);
  void Clear();

  Cache::Lookup GetOrLoad(HashedKey key, int64_t load_timeout_ms, Cache::Waiter waiter);
  Status Fill(uint64_t token, BufferRef value, const EntryOptions& options);
  Status Fail(uint64_t token, Status error);
  void Forget(uint64_t wait_token);
  int64_t Sweep();

  void AddStats(CacheStats* stats);

 private:
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const Entry* entry) const { return entry->hash; }
    size_t operator()(const HashedKey& key) const { return key.hash; }
  };
  struct KeyEqual {
    using is_transparent = void;
    bool operator()(const Entry* a, const Entry* b) const { return a == b; }
    bool operator()(const Entry* a, const HashedKey& b) const {
      return a->hash == b.hash && a->key() == b.text;
    }
    bool operator()(const HashedKey& a, const Entry* b) const { return (*this)(b, a); }
  };
  // A value of which nobody but the cache has a reference, and what making it so costs.
  struct SoleValue {
    BufferRef value;
    uint64_t overhead = 0;
  };
  static SoleValue MakeSole(BufferRef value);

  bool Held(const Node& node) const override { return static_cast<const Entry&>(node).held(); }
  bool Expired(const Node& node) const override {
    return static_cast<const Entry&>(node).expired(judged_ms_);
  }
  double Cost(const Node& node) const override { return double{static_cast<const Entry&>(node).cost}; }

  // All of these are called under the lock. shard.cc:
  Entry* Find(HashedKey key, Aftermath* after);
  Admission Store(HashedKey key, SoleValue sole, const EntryOptions& options, Aftermath* after);
  Entry* Admit(HashedKey key, uint64_t charge, const EntryOptions& options, Aftermath* after);
  void Drop(Entry* entry, Aftermath* after);
  void Pin(BufferRef value, Aftermath* after);
  void ReleasePinned(size_t most, Aftermath* after);
  // shard_load.cc:
  uint64_t NewToken() { return tokens_ += shards_; }
  uint64_t StartLoad(HashedKey key, int64_t load_timeout_ms, int64_t now_ms);
  Flight* Current(uint64_t token, Aftermath* after);
  std::unique_ptr<Flight> EndLoad(Flight* flight);
  void Expire(Flight* flight, int64_t now_ms, Aftermath* after);
  void ExpireOverdue(int64_t now_ms, size_t most, Aftermath* after);
  void Restart(HashedKey key, WaitList waiting, int64_t now_ms, Aftermath* after);

  Clock* const clock_;
  InvalidationLog* const log_;
  const uint64_t shards_, budget_, largest_entry_;

  std::mutex mutex_;
  absl::flat_hash_set<Entry*, KeyHash, KeyEqual> entries_;
  std::unique_ptr<Policy> policy_;
  ExpiryIndex expiry_;
  TagIndex tags_;
  Flights flights_;
  uint64_t tokens_;
  std::vector<BufferRef> pinned_;
  size_t pinned_hand_ = 0;  // where the next look for values without readers begins
  uint64_t pinned_bytes_ = 0;
  int64_t judged_ms_ = 0;       // what Expired() compares with: the time of the Store under way
  std::vector<Node*> evicted_;  // of the Store under way; kept for its capacity
  CacheStats stats_;            // the counters only
};

// Capped at kNever.
inline int64_t After(int64_t now_ms, int64_t ms) { return ms > kNever - now_ms ? kNever : now_ms + ms; }

}  // namespace mediagen::memory_cache
