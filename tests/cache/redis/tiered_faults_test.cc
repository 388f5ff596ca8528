// The second level when Redis is slow, away, killed, restarted, emptied or forgetful: nothing hangs, nothing
// that was invalidated is served, and what could not be said is said later.
#include <atomic>
#include <vector>

#include "cache/redis/scripts.h"
#include "cache/redis/tiered_fixture.h"
#include "fmt/format.h"
#include "redis/client.h"

namespace mediagen {
namespace {

using testing::Eventually;
using testing::Node;
using testing::RedisServer;

constexpr const char* kHash = "{mediagen:cache:default}g";
constexpr const char* kStream = "{mediagen:cache:default}s";

class Bare {
 public:
  explicit Bare(const RedisServer& server)
      : client_(
            std::move(*NewRedisClient(SystemClock(), *ParseRedisUrl(server.url()), {.timeout_ms = 20'000}))) {
  }
  RedisReply Call(std::initializer_list<std::string_view> words) {
    auto reply = RedisCall(*client_, words);
    REQUIRE_MESSAGE(reply.ok(), reply.status().ToString());
    return std::move(*reply);
  }

 private:
  std::unique_ptr<RedisClient> client_;
};

TEST_CASE("without Redis a caller loads at once, and memory is trusted for versioned entries alone") {
  RedisServer server;
  Node a(server, {.timeout_ms = 5'000});
  a.Connected();
  a.Put("cat", "meow");
  a.Put("cat@7", "meow 7", {.versioned = true});
  a.Settle();
  server.Kill();
  REQUIRE(a.hearing.WaitFor(false));
  CHECK(a.Get("cat") == "");
  CHECK(a.Get("cat@7") == "meow 7");
  CHECK(a.Load("cat@7", "x") == "meow 7");
  CHECK(a.Load("cat", "from the source") == "from the source");
  CHECK(a.Get("cat") == "");
  CHECK(a.Load("cat", "again") == "again");
  server.Start();
  REQUIRE(a.hearing.WaitFor(true));
  CHECK(a.Get("cat") == "");  // a Redis without its data cannot say what was missed
  CHECK(a.Load("cat", "anew") == "anew");
  CHECK(a.Get("cat") == "anew");
}

TEST_CASE("what is said to a run that is over changes nothing, and the answer says so") {
  RedisServer server;
  Node a(server);
  a.Connected();
  a.Put("cat", "meow");
  a.Settle();
  const tiered::Names names("default");
  const std::string value = names.Value("cat");
  const std::string_view keys[] = {names.g, names.stream, names.due, value};
  const std::string_view words[] = {"another run", "somebody", "k", "cat"};
  std::mutex mutex;
  std::condition_variable came;
  std::optional<StatusOr<RedisReply>> reply;
  auto client =
      std::move(*NewRedisClient(SystemClock(), *ParseRedisUrl(server.url()), {.timeout_ms = 20'000}));
  client->Eval(tiered::AllScripts().publish, keys, words, [&](StatusOr<RedisReply> answer) {
    std::lock_guard lock(mutex);
    reply = std::move(answer);
    came.notify_one();
  });
  std::unique_lock lock(mutex);
  came.wait(lock, [&] { return reply.has_value(); });
  REQUIRE(reply->ok());
  CHECK((*reply)->elements.size() == 2);
  CHECK(Node(server).Load("cat", "x") == "meow");
  CHECK(a.Get("cat") == "meow");
}

TEST_CASE("who waits for Redis when it is killed is promoted") {
  RedisServer server;
  Node a(server);
  a.Connected();
  server.Freeze();
  Cache::Outcome told;
  std::atomic<bool> came = false;
  Cache::Lookup found = a.cache->GetOrLoad("cat", 60'000, [&](Cache::Outcome outcome) {
    told = std::move(outcome);
    came = true;
  });
  REQUIRE(found.kind == Cache::Lookup::kWait);
  server.Kill();
  REQUIRE(Eventually([&] { return came.load(); }));
  CHECK(told.load_token != 0);
}

TEST_CASE("a Redis that does not answer promotes after the timeout, and its memory is not trusted for long") {
  RedisServer server;
  Node a(server, {.timeout_ms = 100});
  a.Connected();
  a.Put("cat", "meow");
  a.Settle();
  server.Freeze();
  CHECK(a.Load("dog", "from the source") == "from the source");
  REQUIRE(a.hearing.WaitFor(false));
  CHECK(a.Get("cat") == "");
  for (int i = 0; i < 50; ++i) CHECK(a.Load("dog" + std::to_string(i), "woof") == "woof");
  server.Thaw();
  REQUIRE(a.hearing.WaitFor(true));
  CHECK(a.Get("cat") == "meow");
  CHECK(a.cache->Stats().second_errors > 0);
}

TEST_CASE("a lost connection: what was missed is read, the rest stays") {
  RedisServer server;
  Node a(server), b(server);
  b.Put("cat", "meow");
  b.Put("dog", "woof");
  b.Settle();
  REQUIRE(a.Load("cat", "x") == "meow");
  REQUIRE(a.Load("dog", "x") == "woof");
  Bare redis(server);
  for (int i = 0; i < 5; ++i) {
    redis.Call({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    b.cache->Remove("dog");
    CHECK(Eventually([&] { return a.Get("dog").empty() && a.Get("cat") == "meow"; }));
  }
  CHECK(a.Load("dog", "new") == "new");
}

TEST_CASE("what was missed and is not there any more: everything is forgotten") {
  RedisServer server;
  Node a(server);
  a.Connected();
  a.Put("cat", "meow");
  a.Settle();
  REQUIRE(a.Get("cat") == "meow");
  Bare redis(server);
  bool kept = true;  // by Redis, where its generation is
  SUBCASE("the stream was trimmed") {
    redis.Call({"EVAL",
                "local seq = redis.call('HINCRBY', KEYS[1], 'seq', 5) "
                "redis.call('XADD', KEYS[2], 'MAXLEN', 1, seq .. '-0', 'k', 'k', 'n', 'dog', 'o', 'x')",
                "2", kHash, kStream});
  }
  SUBCASE("the stream is gone") {
    redis.Call(
        {"EVAL", "redis.call('HINCRBY', KEYS[1], 'seq', 5) redis.call('DEL', KEYS[2])", "2", kHash, kStream});
  }
  SUBCASE("the stream holds something else") {
    redis.Call({"EVAL",
                "local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1) "
                "redis.call('XADD', KEYS[2], seq .. '-0', 'what', 'ever')",
                "2", kHash, kStream});
  }
  SUBCASE("Redis was emptied") {
    redis.Call({"FLUSHALL"});
    kept = false;
  }
  SUBCASE("the hash was evicted") {
    redis.Call({"DEL", kHash});
    kept = false;
  }
  CHECK(Eventually([&] { return a.cache->Stats().entries == 0; }));
  REQUIRE(Eventually([&] {  // and all works again
    (void)a.Load("dog", "woof");
    return a.Get("dog") == "woof";
  }));
  a.Settle();
  CHECK(Node(server).Load("cat", "new") == (kept ? "meow" : "new"));
}

TEST_CASE("a restarted Redis is not believed, though it has its data") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  Node a(server, {.timeout_ms = 5'000});
  a.Connected();
  a.Put("cat", "meow");
  a.Settle();
  server.Kill();
  REQUIRE(a.hearing.WaitFor(false));
  server.Start();
  REQUIRE(Bare(server).Call({"EXISTS", "{mediagen:cache:default}v:cat"}).integer == 1);
  REQUIRE(a.hearing.WaitFor(true));
  CHECK(a.Get("cat") == "");
  CHECK(Node(server).Load("cat", "new") == "new");
}

TEST_CASE("scripts that Redis has forgotten are loaded again, and nothing overtakes an invalidation") {
  RedisServer server;
  Node a(server), b(server);
  a.Connected();
  b.Connected();
  Bare redis(server);
  for (int i = 0; i < 30; ++i) {
    const std::string now = "version " + std::to_string(i);
    redis.Call({"SCRIPT", "FLUSH"});
    a.Put("cat", now);
    CHECK(a.Load("cat", "x") == now);
    a.Settle();
    b.cache->Remove("none");
    CHECK(Eventually([&] { return b.Load("cat", "x", {.local = true}) == now; }));
    b.cache->Remove("cat");
    CHECK(b.Load("cat", now + "b", {.local = true}) == now + "b");
    b.Settle();
  }
}

TEST_CASE("what was invalidated while Redis was away is sent when it is back") {
  RedisServer server;
  Node a(server, {.timeout_ms = 100}), b(server);
  b.Put("cat", "meow", {.tags = {"animal"}});
  b.Put("dog", "woof");
  b.Settle();
  REQUIRE(a.Connected().Load("cat", "x") == "meow");
  server.Freeze();
  a.cache->Invalidate("animal");
  CHECK(a.Get("cat") == "");
  int more = 0;
  SUBCASE("a few") { more = 10; }
  SUBCASE("more than are kept: everything of the namespace is invalidated") { more = 70'000; }
  for (int i = 0; i < more; ++i) a.cache->Remove("key " + std::to_string(i));
  REQUIRE(Eventually([&] { return a.cache->Stats().second_errors > 0; }));
  CHECK(a.Load("cat", "newer") == "newer");
  server.Thaw();
  CHECK(Eventually([&] { return b.Get("cat").empty() && b.cache->Sweep() != 0; }));
  REQUIRE(Eventually([&] { return a.cache->Sweep() != 0 && a.cache->Settle(1); }));
  CHECK(Node(server).Load("cat", "new") == "new");
  const bool all = more > 65'536;
  CHECK(Eventually([&] { return b.Get("dog") == (all ? "" : "woof"); }));
}

TEST_CASE("Redis is killed again and again under load: what is read afterwards is what the source has") {
  RedisServer server;
  constexpr int kKeys = 20;
  std::atomic<int> source[kKeys]{};
  Node a(server, {.timeout_ms = 200}), b(server, {.timeout_ms = 200});
  a.Connected();
  b.Connected();
  std::atomic<bool> over = false;
  const auto load = [&](Node& node, int key) {
    const std::string name = "key " + std::to_string(key);
    const Node::Result asked = node.Ask(name);
    if (asked.token == 0) return asked.text;
    const std::string value = std::to_string(source[key].load());
    (void)node.cache->Fill(asked.token, BufferRef::Copy(value), {});
    return value;
  };
  const auto work = [&](Node& node, uint64_t seed) {
    const auto random = SeededRandom(seed);
    while (!over) {
      const int key = static_cast<int>(random->Below(kKeys));
      if (random->Below(4) == 0) {
        ++source[key];
        node.cache->Remove("key " + std::to_string(key));
      } else {
        (void)load(node, key);
      }
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { work(a, 1); });
  threads.emplace_back([&] { work(b, 2); });
  for (int i = 0; i < 3; ++i) {
    server.Kill();
    CHECK(a.hearing.WaitFor(false));
    CHECK(b.hearing.WaitFor(false));
    server.Start();
    CHECK(a.hearing.WaitFor(true));
    CHECK(b.hearing.WaitFor(true));
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  for (Node* node : {&a, &b}) {
    REQUIRE(Eventually([&] { return node->cache->Sweep() != 0 && node->cache->Settle(1); }));
  }
  // An invalidation of each of them comes after all that was said before it.
  const std::string mark = "mark of ";
  for (Node* node : {&a, &b}) {
    Node& other = node == &a ? b : a;
    const std::string key = mark + (node == &a ? "a" : "b");
    REQUIRE(Eventually([&] {
      (void)other.Load(key, "x");
      return other.Get(key) == "x";
    }));
    node->cache->Remove(key);
    REQUIRE(Eventually([&] { return other.Get(key).empty(); }));
  }
  for (int key = 0; key < kKeys; ++key) {
    CHECK(load(a, key) == std::to_string(source[key].load()));
    CHECK(load(b, key) == std::to_string(source[key].load()));
  }
}

}  // namespace
}  // namespace mediagen
