// Outbox: what this process has invalidated, on its way to Redis and so to the others.
//
// In order, one batch under way at a time. What did not arrive, or of which nobody knows, is kept and sent
// again; past kMostWaiting of them, or kMostNameBytes, all of the namespace is invalidated in their place. A
// value that was put goes with its key's invalidation, and is dropped when that has to be sent again.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "cache/redis/backplane.h"

namespace mediagen::tiered {

class Outbox {
 public:
  struct Item {
    Kind kind;
    std::string name;
    // Of a key that was put; an empty frame: there is none.
    std::string frame;
    Backplane::Moment known;
    int64_t ttl_ms = 0;
  };

  Outbox(Clock* clock, RedisClient* client, Backplane* backplane, const Names* names)
      : clock_(clock), client_(client), backplane_(backplane), names_(names) {}

  void Add(Item item);
  // How many were ever added, and whether all of those have arrived.
  uint64_t added() const { return added_.load(); }
  bool Arrived(uint64_t added) const { return arrived_.load() >= added; }
  // Nothing waits for its second try: whatever is asked on the client's first connection comes after it.
  bool clean() const { return !failed_.load(); }

  // Sends what waits, when Redis is there and nothing is under way. What has failed a moment ago waits a
  // little longer, unless `at_once`.
  void Send(bool at_once = false);

  std::atomic<uint64_t> errors{0}, bytes_written{0};

 private:
  static constexpr size_t kMostWaiting = 65'536, kMostNameBytes = 8 << 20;
  static constexpr size_t kMostBatch = 256;
  static constexpr size_t kMostBytes = 16 << 20;      // of frames that wait
  static constexpr size_t kMostBatchBytes = 4 << 20;  // of one batch's frames

  void DropLast();  // under the lock
  void SendBatch(size_t count, const Backplane::Session& session);
  void OnSent(StatusOr<RedisReply> reply, size_t count, const Backplane::Session& session);

  Clock* const clock_;
  RedisClient* const client_;
  Backplane* const backplane_;
  const Names* const names_;

  std::atomic<uint64_t> added_{0}, arrived_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::deque<Item> waiting_;    // the first `sending_` of them are under way
  std::deque<uint64_t> up_to_;  // for each of them, what `added` was with it
  size_t sending_ = 0, bytes_ = 0, name_bytes_ = 0;
  int64_t retry_ms_ = 0;  // when `failed_`
};

}  // namespace mediagen::tiered
