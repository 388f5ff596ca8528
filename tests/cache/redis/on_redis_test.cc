// A cache with a Redis behind it, by the URL of a configuration.
#include "cache/on_redis.h"

#include "cache/redis/tiered_fixture.h"

namespace mediagen {
namespace {

using testing::Node;
using testing::RedisServer;

TEST_CASE("a URL opens a cache on Redis, which can be stopped before it ends") {
  RedisServer server;
  auto made = NewCacheOnRedis(SystemClock(), NewMemoryCache(SystemClock(), {}),
                              server.url("/0?bytes=1MiB&namespace=shop"), nullptr);
  REQUIRE_MESSAGE(made.ok(), made.status().ToString());
  made->cache->Put("cat", BufferRef::Copy("meow"), {});
  Node other(server, {.name = "shop", .timeout_ms = 20'000});
  CHECK(testing::Eventually([&] { return other.Load("cat", "x", {.ttl_ms = -1}) == "meow"; }));
  made->stop();
  made->stop();
  CHECK(!made->cache->Get("cat"));  // it does not hear any more
  CHECK(made->cache->GetOrLoad("cat", 1000, nullptr).kind == Cache::Lookup::kLoad);
}

TEST_CASE("a URL is checked before anything is connected to") {
  CHECK(NamesRedis("redis://h"));
  CHECK(NamesRedis("redis+unix:///run/redis.sock"));
  CHECK(!NamesRedis("memory:"));
  CHECK(**BytesOfCacheUrl("redis://h?bytes=200MiB&ttlMs=5") == "200MiB");
  CHECK(!*BytesOfCacheUrl("redis://h"));
  for (const char* bad :
       {"redis://", "redis://h?ttlMs=0", "redis://h?colour=red", "redis://h?bytes=1&bytes=2"}) {
    CAPTURE(bad);
    CHECK(CodeOf(BytesOfCacheUrl(bad).status()) == Code::kInvalid);
    CHECK(!NewCacheOnRedis(SystemClock(), NewMemoryCache(SystemClock(), {}), bad, nullptr).ok());
  }
}

}  // namespace
}  // namespace mediagen
