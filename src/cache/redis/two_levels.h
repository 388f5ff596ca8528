// The tiered cache itself; see tiered.h. What invalidates and stores is in tiered.cc, what loads in
// tiered_load.cc.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "cache/redis/backplane.h"
#include "cache/redis/frame.h"
#include "cache/redis/outbox.h"
#include "cache/redis/tiered.h"
#include "cache/redis/versioned_keys.h"

namespace mediagen::tiered {

constexpr size_t kMostKeyBytes = 4 << 10;  // longer ones stay in memory alone

// A load that this process does, for the moment at which it is filled.
struct Load {
  std::string key;
  Backplane::Moment known;  // before it began
  int64_t begun_ms, until_ms;
};

class TwoLevels final : public TieredCache, private Backplane::Listener {
 public:
  TwoLevels(Clock* clock, std::unique_ptr<Cache> memory, const TieredCacheOptions& options)
      : clock_(clock),
        options_(options),
        random_(options.random ? options.random : SystemRandom()),
        names_(options.name),
        versioned_(random_->Next()),
        memory_(std::move(memory)) {}
  ~TwoLevels() override;
  Status Connect(const RedisUrl& url);

  BufferRef Get(std::string_view key) override { return MayServe(key) ? memory_->Get(key) : nullptr; }
  Admission Put(std::string_view key, BufferRef value, const EntryOptions& options) override;
  bool Remove(std::string_view key) override;
  void Invalidate(std::string_view tag) override;
  void InvalidateLocal(std::string_view tag) override { memory_->Invalidate(tag); }
  void InvalidatePrefix(std::string_view prefix) override;
  void Clear() override;
  Lookup GetOrLoad(std::string_view key, const LoadOptions& options, Waiter waiter) override;
  Status Reserve(uint64_t token, uint64_t bytes) override { return memory_->Reserve(token, bytes); }
  Status Fill(uint64_t token, BufferRef value, const EntryOptions& options) override;
  Status Fail(uint64_t token, Status error) override;
  Status Abandon(uint64_t token) override;
  void Forget(uint64_t wait_token) override { memory_->Forget(wait_token); }
  int64_t Sweep() override;
  CacheStats Stats() const override;
  bool Settle(int64_t timeout_ms) override;
  void Stop() override;

 private:
  // Backplane::Listener
  void Apply(Kind kind, std::string_view name) override;
  void Forget() override { memory_->Clear(); }
  void Ready(bool at_once) override { outbox_->Send(at_once); }
  void Hearing(bool hearing) override {
    if (options_.on_hearing) options_.on_hearing(hearing);
  }

  bool MayServe(std::string_view key) const {
    return backplane_->hearing(clock_->MonotonicMs()) || versioned_.Has(key);
  }
  bool SecondLevel() const { return backplane_->usable() && outbox_->clean(); }
  Waiter Wrap(std::string_view key, const LoadOptions& options, const Waiter& waiter);
  Lookup Remembered(std::string_view key, const LoadOptions& options, Lookup found);
  void Remember(uint64_t token, std::string_view key, const LoadOptions& options);
  std::optional<Load> Take(uint64_t token);
  void Ask(std::string_view key, uint64_t token);
  void GiveBack(uint64_t token);
  void OnAnswer(StatusOr<RedisReply> reply, const std::string& key, uint64_t token, uint64_t session,
                uint64_t added);
  std::optional<Kept> Believed(const StatusOr<RedisReply>& reply, const std::string& key, uint64_t session,
                               uint64_t added);
  EntryOptions Limited(EntryOptions options) const;
  std::optional<std::string> Frame(std::string_view key, const BufferRef& value, const EntryOptions& options);
  void Store(const Load& load, std::string frame, int64_t ttl_ms);
  void Begun() { ++asking_; }
  void Ended();

  Clock* const clock_;
  const TieredCacheOptions options_;
  Random* const random_;
  const Names names_;
  VersionedKeys versioned_;
  std::unique_ptr<Cache> memory_;
  std::unique_ptr<RedisClient> client_;
  std::unique_ptr<Backplane> backplane_;
  std::unique_ptr<Outbox> outbox_;

  std::atomic<bool> stopped_{false};
  std::mutex loads_mutex_;
  std::unordered_map<uint64_t, Load> loads_;

  mutable std::mutex settle_mutex_;
  std::condition_variable settled_;
  std::atomic<uint64_t> asking_{0};  // reads and stores under way

  std::atomic<uint64_t> asked_{0}, given_back_{0}, hits_{0}, misses_{0}, errors_{0}, read_{0}, written_{0};
};

}  // namespace mediagen::tiered
