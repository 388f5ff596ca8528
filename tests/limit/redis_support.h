// What the tests of the Redis limiter share: a server, limiters on it, and counting waits.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "contract/limiter_contract.h"
#include "limit/redis/redis.h"
#include "redis/client.h"
#include "support/redis_server.h"

namespace mediagen::testing {

// "redis+unix://…?onFailure=closed&timeoutMs=30000&<more>": a test waits rather than sees a mode that it did
// not ask for.
inline std::string LimiterUrl(const RedisServer& server, const std::string& more = "") {
  const bool said = more.find("onFailure") != std::string::npos;
  return server.unix_url(fmt::format("?timeoutMs=30000&{}{}", said ? "" : "onFailure=closed&", more));
}

inline std::unique_ptr<Limiter> OpenRedis(const std::string& url, std::vector<LimitRule> rules,
                                          const RedisLimiterOptions& options = {}) {
  auto limiter = NewRedisLimiter(SystemClock(), url, std::move(rules), options);
  REQUIRE_MESSAGE(limiter.ok(), limiter.status().ToString());
  return std::move(*limiter);
}

// Asks the server itself.
class RedisProbe {
 public:
  explicit RedisProbe(const RedisServer& server) {
    auto client = NewRedisClient(SystemClock(), *ParseRedisUrl(server.unix_url()), {.timeout_ms = 30'000});
    REQUIRE(client.ok());
    client_ = std::move(*client);
  }
  RedisReply Ask(std::initializer_list<std::string_view> words) {
    auto reply = RedisCall(*client_, words);
    REQUIRE_MESSAGE(reply.ok(), reply.status().ToString());
    return *std::move(reply);
  }

 private:
  std::unique_ptr<RedisClient> client_;
};

// Something that several threads count up and one waits for; half a minute is in vain.
class Tally {
 public:
  void Add() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool WaitFor(int64_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_ >= count; });
  }
  bool WaitForMore(int64_t more) { return WaitFor(count() + more); }
  int64_t count() {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t count_ = 0;
};

}  // namespace mediagen::testing
