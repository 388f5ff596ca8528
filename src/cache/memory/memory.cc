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

// Each shard is a cache of its own, so a small budget in many parts keeps the wrong entries: as few as
// contention allows.
uint64_t ShardsFor(uint64_t budget, uint64_t largest_entry) {
  uint64_t shards = budget < (32 << 20) ? 1 : budget < (128 << 20) ? 2 : 4;
  while (shards > 1 && largest_entry > budget / shards / 2) shards /= 2;
  return shards;
}

uint64_t LargestEntry(const MemoryCacheOptions& options) {
  if (!(options.largest_entry > 0)) return 0;
  if (options.largest_entry >= 1) return options.budget_bytes;
  return static_cast<uint64_t>(static_cast<double>(options.budget_bytes) * options.largest_entry);
}

class MemoryCache final : public Cache {
 public:
  MemoryCache(Clock* clock, const MemoryCacheOptions& options)
      : seed_((options.random ? options.random : SystemRandom())->Next()) {
    const uint64_t budget = options.budget_bytes;
    const uint64_t largest = LargestEntry(options);
    const uint64_t count = ShardsFor(budget, largest);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t share = budget / count + (i < budget % count ? 1 : 0);
      shards_.push_back(std::make_unique<Shard>(clock, &log_, i, count, share, std::min(largest, share)));
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
  void Clear() override {
    for (auto& shard : shards_) shard->Clear();
  }

  Lookup GetOrLoad(std::string_view key, int64_t load_timeout_ms, Waiter waiter) override {
    HashedKey hashed = Hash(key);
    return ShardOf(hashed).GetOrLoad(hashed, load_timeout_ms, std::move(waiter));
  }
  Status Fill(uint64_t token, BufferRef value, const EntryOptions& options) override {
    return ShardOf(token).Fill(token, std::move(value), options);
  }
  Status Fail(uint64_t token, Status error) override { return ShardOf(token).Fail(token, std::move(error)); }
  void Forget(uint64_t wait_token) override { ShardOf(wait_token).Forget(wait_token); }
  int64_t Sweep() override {
    int64_t next_ms = memory_cache::kNever;
    for (auto& shard : shards_) next_ms = std::min(next_ms, shard->Sweep());
    return next_ms;
  }

  CacheStats Stats() const override {
    CacheStats stats;
    for (const auto& shard : shards_) shard->AddStats(&stats);
    return stats;
  }

 private:
  HashedKey Hash(std::string_view key) const { return {key, Xxh3(key, seed_)}; }
  // By bits that neither the table nor the sketch depends on alone.
  Shard& ShardOf(HashedKey key) { return *shards_[(key.hash >> 48) % shards_.size()]; }
  Shard& ShardOf(uint64_t token) { return *shards_[token % shards_.size()]; }

  const uint64_t seed_;
  InvalidationLog log_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace

std::unique_ptr<Cache> NewMemoryCache(Clock* clock, const MemoryCacheOptions& options) {
  return std::make_unique<MemoryCache>(clock, options);
}

}  // namespace mediagen
