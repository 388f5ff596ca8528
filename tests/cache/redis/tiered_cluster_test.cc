// The second level on a real Redis Cluster, wherever its URL points.
#include <doctest/doctest.h>

#include "cache/redis/tiered_fixture.h"
#include "support/redis_cluster.h"

namespace mediagen::testing {
namespace {

// A connection that is being moved to the right node makes what it answers doubtful: a miss, and asked again.
bool Finds(Node& node, const std::string& key, const std::string& value) {
  return Eventually([&] {
    const Node::Result found = node.Ask(key);
    if (found.token != 0) (void)node.cache->Abandon(found.token);
    return found.text == value;
  });
}

TEST_CASE("in a cluster two processes share values and invalidations, whichever node they were told of") {
  RedisCluster cluster;
  const std::string key = "{mediagen:cache:default}";
  Node right(cluster.Home(key)), wrong(cluster.Stranger(key));
  right.Connected();
  wrong.Connected();
  right.Put("cat", "meow", {.tags = {"animals"}});
  right.Settle();
  CHECK(Finds(wrong, "cat", "meow"));
  wrong.Put("dog", "woof", {.tags = {"animals"}});
  wrong.Settle();
  CHECK(Finds(right, "dog", "woof"));
  CHECK(wrong.cache->Stats().second_hits == 1);
  CHECK(right.cache->Stats().second_hits == 1);
  wrong.cache->Invalidate("animals");
  wrong.Settle();
  CHECK(Eventually([&] { return right.Get("cat").empty() && right.Get("dog").empty(); }));
  CHECK(right.Load("cat", "new") == "new");
  CHECK(RedisCluster::Keys(cluster.Home(key)) > 0);
  CHECK(RedisCluster::Keys(cluster.Stranger(key)) == 0);
}

}  // namespace
}  // namespace mediagen::testing
