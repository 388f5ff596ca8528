// The limiter on a real Redis Cluster: all keys of a step are in one slot, wherever its URL points.
#include "support/redis_cluster.h"

#include <doctest/doctest.h>

#include "limit/redis_support.h"

namespace mediagen::testing {
namespace {

TEST_CASE("in a cluster a step of several rules is one script on the node that has its keys") {
  RedisCluster cluster;
  for (const char* prefix : {"first", "second", "third"}) {
    CAPTURE(prefix);
    const std::string key = fmt::format("{{{}}}:", prefix);
    const int64_t here = RedisCluster::Keys(cluster.Home(key)),
                  there = RedisCluster::Keys(cluster.Stranger(key));
    const auto open = [&](const RedisServer& node) {
      return OpenRedis(
          node.url(fmt::format("?timeoutMs=30000&onFailure=closed&prefix={}&exactUpTo=40", prefix)),
          {{"gcra", 50, 3'600'000}, {"exact", 3, 3'600'000}, {"log", 40, 3'600'000}});
    };
    const auto right = open(cluster.Home(key)), wrong = open(cluster.Stranger(key));
    const LimitCheck checks[] = {{"gcra", "a", 1}, {"exact", "b", 1}, {"log", "c", 1}};
    // They share what they count, whichever node they were told of.
    CHECK(right->Check(checks)->allowed);
    auto reserved = wrong->Reserve(checks);
    REQUIRE_MESSAGE(reserved.ok(), reserved.status().ToString());
    CHECK(reserved->decision.allowed);
    CHECK(right->Check(checks)->allowed);
    for (Limiter* limiter : {right.get(), wrong.get()}) {
      auto refused = limiter->Check(checks);
      REQUIRE_MESSAGE(refused.ok(), refused.status().ToString());
      CHECK_FALSE(refused->allowed);
      CHECK(refused->rule == "exact");
      CHECK_FALSE(refused->degraded);
    }
    CHECK(*right->RefundLease(reserved->lease));
    CHECK(wrong->Check(checks)->allowed);
    CHECK(RedisCluster::Keys(cluster.Home(key)) == here + 4);  // three keys, and the lease that was refunded
    CHECK(RedisCluster::Keys(cluster.Stranger(key)) == there);
  }
}

}  // namespace
}  // namespace mediagen::testing
