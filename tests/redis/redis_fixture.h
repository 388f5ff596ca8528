// What the tests of the Redis client share: a client whose state they can wait for.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "redis/client.h"

namespace mediagen::testing {

// Something that is waited for; whoever waits for half a minute waits in vain.
class Counter {
 public:
  void Add() {
    std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool WaitFor(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_ >= count; });
  }
  int count() {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

struct Client {
  explicit Client(const std::string& url, RedisClientOptions options = {}, Clock* clock = SystemClock()) {
    options.on_state = [this](bool up) { (up ? ups : downs).Add(); };
    auto parsed = ParseRedisUrl(url);
    REQUIRE_MESSAGE(parsed.ok(), parsed.status().ToString());
    auto made = NewRedisClient(clock, *parsed, std::move(options));
    REQUIRE_MESSAGE(made.ok(), made.status().ToString());
    redis = std::move(*made);
  }
  StatusOr<RedisReply> Call(std::initializer_list<std::string_view> words,
                            const RedisCommandOptions& options = {}) {
    return RedisCall(*redis, words, options);
  }
  // What it must answer, as text.
  std::string Text(std::initializer_list<std::string_view> words, const RedisCommandOptions& options = {}) {
    auto reply = Call(words, options);
    REQUIRE_MESSAGE(reply.ok(), reply.status().ToString());
    return reply->is_integer() ? std::to_string(reply->integer) : reply->nil() ? "(nil)" : reply->text;
  }
  Code CodeOfCall(std::initializer_list<std::string_view> words, const RedisCommandOptions& options = {}) {
    return CodeOf(Call(words, options).status());
  }

  Counter ups, downs;
  std::unique_ptr<RedisClient> redis;  // last: its thread counts in the above
};

}  // namespace mediagen::testing
