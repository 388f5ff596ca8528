// The cache with a second level: memory in front, Redis behind, shared by every process of a namespace.
//
//  - Get answers from memory alone. GetOrLoad that finds nothing there waits (kWait) while Redis is asked,
//    once for all who ask for the key; then its waiter has the value, or is promoted and loads. A Redis that
//    is slow or away promotes at once.
//  - Fill and Put write through behind the caller's back; what the second level keeps longest is ttl_ms, and
//    memory keeps nothing longer than Redis does. Values of more than 1 KiB are compressed where it pays.
//  - An invalidation holds here at once and in other processes when they hear of it, usually within a few ms.
//    A process that does not hear does not answer from memory (but for versioned entries) until it has caught
//    up: nothing is served that was invalidated longer ago than a lease (2.5 s), and nothing at all after
//    the connection was lost. What could not be sent is kept, and sent before anything else.
//  - Options that say `local` mean memory alone.
//
// See scripts.h for how Redis decides what is out of date, and docs/cache-redis.md.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cache/cache.h"
#include "redis/client.h"

namespace mediagen {

struct TieredCacheOptions {
  std::string name = "default";        // the namespace: caches of one name share their values
  int64_t ttl_ms = 2 * 3'600'000;      // of values without one, and the longest
  int64_t timeout_ms = 150;            // for an answer of Redis: a caller waits for it before it loads
  uint64_t max_value_bytes = 8 << 20;  // larger ones stay in memory alone
  LogSink* log = nullptr;
  Random* random = nullptr;  // null: SystemRandom()
  // For tests. How long what was heard is good for, and who is told when hearing begins and ends.
  int64_t lease_ms = 2'500;
  std::function<void(bool hearing)> on_hearing;
};

// What "redis://host:6379/0?ttlMs=7200000&namespace=default&timeoutMs=150" says: the options, taken out of
// the URL. kInvalid names the parameter.
StatusOr<TieredCacheOptions> TakeTieredCacheOptions(RedisUrl* url);

class TieredCache : public Cache {
 public:
  // Waits until Redis has answered all that it was asked and told, or until the time is over; whether it has.
  virtual bool Settle(int64_t timeout_ms) = 0;
  // Waits until Redis has heard what was invalidated, for timeout_ms at most, then ends the connections and
  // their thread. Waits for Redis go on until the cache itself ends; nothing new is asked. Idempotent.
  virtual void Stop() = 0;
};

// Connects, and starts its thread, with the first operation that needs Redis. `clock` must outlive the cache.
// Its end is a Stop, too.
StatusOr<std::unique_ptr<TieredCache>> NewTieredCache(Clock* clock, std::unique_ptr<Cache> memory,
                                                      const RedisUrl& url, const TieredCacheOptions& options);

}  // namespace mediagen
