// RedisCluster: two nodes of a real Redis Cluster, each with half of the slots, as children of the test.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "fmt/format.h"
#include "redis/client.h"
#include "support/redis_server.h"

namespace mediagen::testing {

class RedisCluster {
 public:
  // Returns when both nodes say that the cluster is complete.
  RedisCluster() {
    Ask(low, {"CLUSTER", "ADDSLOTSRANGE", "0", "8191"});
    Ask(high, {"CLUSTER", "ADDSLOTSRANGE", "8192", "16383"});
    Ask(low, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(high.port()), std::to_string(high_bus_)});
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (const RedisServer* node : {&low, &high}) {
      while (Ask(*node, {"CLUSTER", "INFO"}).find("cluster_state:ok") == std::string::npos) {
        REQUIRE(std::chrono::steady_clock::now() < until);
        std::this_thread::yield();
      }
    }
  }

  // The node that has the slot of `key`, and the one that has not.
  const RedisServer& Home(std::string_view key) const { return Slot(key) < 8192 ? low : high; }
  const RedisServer& Stranger(std::string_view key) const { return Slot(key) < 8192 ? high : low; }
  // How many keys it has.
  static int64_t Keys(const RedisServer& node) { return std::stoll(Ask(node, {"DBSIZE"})); }

 private:
  const int low_bus_ = RedisServer::FreePort(), high_bus_ = RedisServer::FreePort();

 public:
  const RedisServer low{{"--cluster-enabled", "yes", "--cluster-port", std::to_string(low_bus_)}};
  const RedisServer high{{"--cluster-enabled", "yes", "--cluster-port", std::to_string(high_bus_)}};

 private:
  static std::string Ask(const RedisServer& node, std::initializer_list<std::string_view> words) {
    auto client = NewRedisClient(SystemClock(), *ParseRedisUrl(node.url()), {.timeout_ms = 30'000});
    REQUIRE(client.ok());
    auto reply = RedisCall(**client, words);
    REQUIRE_MESSAGE(reply.ok(), reply.status().ToString());
    return reply->is_integer() ? std::to_string(reply->integer) : reply->text;
  }
  int64_t Slot(std::string_view key) const { return std::stoll(Ask(low, {"CLUSTER", "KEYSLOT", key})); }
};

}  // namespace mediagen::testing
