#include "cache/memory/memory.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "cache/memory/shard.h"

namespace mediagen {
namespace {

using memory_cache::HashedKey;
using memory_cache::InvalidationLog;
using memory_cache::Shard;

constexpr uint64_t kLeastEntries = 4096;    // of a part
constexpr uint64_t kLeastBytes = 32 << 20;  // of what is parted once more
constexpr uint64_t kMostShards = 16;
constexpr uint64_t kLargestByDefault = 16 << 20;  // a picture of 16 MiB is a rare one

// Each shard is a cache of its own, so a small budget in many parts keeps the wrong entries: as few as
// contention allows.
uint64_t ShardsFor(const MemoryCacheOptions& options, uint64_t largest_entry) {
  const uint64_t budget = options.budget_bytes;
  uint64_t shards = 1;
  while (shards < kMostShards && budget / shards >= kLeastBytes) shards *= 2;
  auto too_many = [&] {
    return largest_entry > budget / shards / 2 ||
           (options.max_entries != 0 && options.max_entries / shards < kLeastEntries);
  };
  while (shards > 1 && too_many()) shards /= 2;
  return shards;
}

auto PolicyOf(CachePolicy policy) {
  switch (policy) {
    case CachePolicy::kLru:
      return memory_cache::NewLru;
    case CachePolicy::kS3Fifo:
      return memory_cache::NewS3Fifo;
    case CachePolicy::kTinyLfu:
      break;
  }
  return memory_cache::NewTinyLfu;
}

uint64_t LargestEntry(const MemoryCacheOptions& options) {
  if (!options.largest_entry) return std::min(options.budget_bytes / 8, kLargestByDefault);
  const double share = *options.largest_entry;
  if (!(share > 0)) return 0;
  if (share >= 1) return options.budget_bytes;
  return static_cast<uint64_t>(static_cast<double>(options.budget_bytes) * share);
}

class MemoryCache final : public Cache {
 public:
  MemoryCache(Clock* clock, const MemoryCacheOptions& options)
      : seed_((options.random ? options.random : SystemRandom())->Next()), max_entries_(options.max_entries) {
    const uint64_t budget = options.budget_bytes, entries = options.max_entries;
    const uint64_t largest = LargestEntry(options);
    const uint64_t count = ShardsFor(options, largest);
    for (uint64_t i = 0; i < count; ++i) {
      memory_cache::ShardOptions part{.index = i, .shards = count, .seed = seed_ + i};
      const uint64_t bytes = budget / count + (i < budget % count ? 1 : 0);
      if (options.policy == CachePolicy::kTinyLfu) part.policy_bytes = memory_cache::TinyLfuOwnBytes(bytes);
      part.room.bytes = bytes - part.policy_bytes;
      if (entries != 0) part.room.entries = entries / count + (i < entries % count ? 1 : 0);
      part.largest_entry = std::min(largest, part.room.bytes);
      part.negative_ttl_ms = std::max<int64_t>(1, options.negative_ttl_ms);
      shards_.push_back(std::make_unique<Shard>(clock, &log_, PolicyOf(options.policy), part));
    }
  }

  BufferRef Get(std::string_view key) override {
    HashedKey hashed = Hash(key);
    return ShardOf(hashed).Get(hashed);
  }
  Admission Put(std::string_view key, BufferRef value, const EntryOptions& options) override {
    HashedKey hashed = Hash(key);
    return ShardOf(hashed).Put(hashed, std::move(value), options);
  }
  bool Remove(std::string_view key) override {
    HashedKey hashed = Hash(key);
    return ShardOf(hashed).Remove(hashed);
  }
  void Invalidate(std::string_view tag) override {
    log_.Invalidate(tag);  // first: a load that ends between the two is either refused or dropped
    for (auto& shard : shards_) shard->DropTagged(tag);
  }
  void InvalidatePrefix(std::string_view prefix) override {
    for (auto& shard : shards_) shard->DropPrefixed(prefix);
  }
  void Clear() override {
    for (auto& shard : shards_) shard->Clear();
  }

  Lookup GetOrLoad(std::string_view key, const LoadOptions& options, Waiter waiter) override {
    HashedKey hashed = Hash(key);
    return ShardOf(hashed).GetOrLoad(hashed, options, std::move(waiter));
  }
  Status Reserve(uint64_t token, uint64_t bytes) override { return ShardOf(token).Reserve(token, bytes); }
  Status Fill(uint64_t token, BufferRef value, const EntryOptions& options) override {
    return ShardOf(token).Fill(token, std::move(value), options);
  }
  Status Fail(uint64_t token, Status error) override { return ShardOf(token).Fail(token, std::move(error)); }
  Status Abandon(uint64_t token) override { return ShardOf(token).Abandon(token); }
  void Forget(uint64_t wait_token) override { ShardOf(wait_token).Forget(wait_token); }
  int64_t Sweep() override {
    int64_t next_ms = memory_cache::kNever;
    for (auto& shard : shards_) next_ms = std::min(next_ms, shard->Sweep());
    return next_ms;
  }

  CacheStats Stats() const override {
    CacheStats stats;
    stats.max_entries = max_entries_;
    for (const auto& shard : shards_) shard->AddStats(&stats);
    return stats;
  }

 private:
  HashedKey Hash(std::string_view key) const { return {key, Xxh3(key, seed_)}; }
  // By bits that neither an entry's home in its table nor the slot's mark comes from.
  Shard& ShardOf(HashedKey key) { return *shards_[key.hash >> 16 & (shards_.size() - 1)]; }  // a power of two
  Shard& ShardOf(uint64_t token) { return *shards_[token % shards_.size()]; }

  const uint64_t seed_, max_entries_;
  InvalidationLog log_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace

std::unique_ptr<Cache> NewMemoryCache(Clock* clock, const MemoryCacheOptions& options) {
  return std::make_unique<MemoryCache>(clock, options);
}

}  // namespace mediagen
