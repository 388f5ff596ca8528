// The cache with a second level: the contract of every cache, what two processes see of each other's values
// and invalidations, and what travels with a value.
#include "cache/redis/tiered.h"

#include <utility>

#include "cache/redis/tiered_fixture.h"
#include "contract/cache_contract.h"
#include "redis/client.h"

namespace mediagen {
namespace {

using testing::Eventually;
using testing::Node;
using testing::RedisServer;

// A cache whose callers wait for Redis: to them it is as any other. What comes later goes to the waiter.
class Patient final : public Cache {
 public:
  explicit Patient(std::unique_ptr<Node> node) : node_(std::move(node)), cache_(*node_->cache) {}

  Lookup GetOrLoad(std::string_view key, const LoadOptions& options, Waiter waiter) override {
    struct State {
      std::mutex mutex;
      std::optional<Outcome> early;
      bool handed_over = false;
    };
    auto state = std::make_shared<State>();
    Lookup found = cache_.GetOrLoad(key, options, [state, waiter](Outcome outcome) {
      {
        std::lock_guard lock(state->mutex);
        if (!state->handed_over) {
          state->early = std::move(outcome);
          return;
        }
      }
      if (waiter) waiter(std::move(outcome));
    });
    if (found.kind != Lookup::kWait) return found;
    node_->Settle();
    std::lock_guard lock(state->mutex);
    state->handed_over = true;
    if (!state->early) return found;
    if (state->early->load_token != 0) return {Lookup::kLoad, nullptr, state->early->load_token};
    return {state->early->negative ? Lookup::kNegative : Lookup::kHit, state->early->value};
  }
  BufferRef Get(std::string_view key) override { return cache_.Get(key); }
  Admission Put(std::string_view key, BufferRef value, const EntryOptions& options) override {
    return cache_.Put(key, std::move(value), options);
  }
  bool Remove(std::string_view key) override { return cache_.Remove(key); }
  void Invalidate(std::string_view tag) override { cache_.Invalidate(tag); }
  void InvalidatePrefix(std::string_view prefix) override { cache_.InvalidatePrefix(prefix); }
  void Clear() override { cache_.Clear(); }
  Status Reserve(uint64_t token, uint64_t bytes) override { return cache_.Reserve(token, bytes); }
  Status Fill(uint64_t token, BufferRef value, const EntryOptions& options) override {
    return cache_.Fill(token, std::move(value), options);
  }
  Status Fail(uint64_t token, Status error) override { return cache_.Fail(token, std::move(error)); }
  Status Abandon(uint64_t token) override { return cache_.Abandon(token); }
  void Forget(uint64_t wait_token) override { cache_.Forget(wait_token); }
  int64_t Sweep() override { return cache_.Sweep(); }
  CacheStats Stats() const override { return cache_.Stats(); }

 private:
  std::unique_ptr<Node> node_;
  Cache& cache_;
};

RedisClient& Bare(const RedisServer& server, std::unique_ptr<RedisClient>* client) {
  *client = std::move(*NewRedisClient(SystemClock(), *ParseRedisUrl(server.url()), {.timeout_ms = 20'000}));
  return **client;
}

// Redis has a clock of its own: its values are made older.
void Age(const RedisServer& server, int64_t ms) {
  std::unique_ptr<RedisClient> client;
  const std::string by = std::to_string(ms);
  REQUIRE(
      RedisCall(Bare(server, &client), {"EVAL",
                                        "for _, key in ipairs(redis.call('KEYS', '*}v:*')) do "
                                        "redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[1]) end",
                                        "0", by})
          .ok());
}

TEST_CASE("the tiered cache keeps the contract of caches, to callers who wait for Redis") {
  RedisServer server;
  FakeClock clock;
  int opened = 0;
  Node* newest = nullptr;
  CacheContract({[&] {
                   const TieredCacheOptions options{.name = std::to_string(++opened), .timeout_ms = 20'000};
                   auto node = std::make_unique<Node>(server, options, &clock);
                   node->Connected();
                   newest = node.get();
                   return std::make_unique<Patient>(std::move(node));
                 },
                 [&](int64_t ms) {
                   newest->Settle();  // what is stored later than it is made older would stay young
                   clock.Advance(ms);
                   Age(server, ms);
                 }});
}

TEST_CASE("what one process has loaded, another one finds") {
  RedisServer server;
  Node a(server), b(server);
  CHECK(a.Load("cat", "meow", {.tags = {"animal"}}) == "meow");
  a.Settle();
  CHECK(b.Load("cat", "not asked for") == "meow");
  CHECK(b.Get("cat") == "meow");
  const CacheStats stats = b.cache->Stats();
  CHECK(stats.second_hits == 1);
  CHECK(stats.second_bytes_read > 4);
  CHECK(stats.loads == 0);
  CHECK(a.cache->Stats().second_misses == 1);
  CHECK(a.cache->Stats().second_bytes_written > 4);
  CHECK(a.cache->Stats().loads == 1);
}

TEST_CASE("who asks while Redis is asked waits for one question") {
  RedisServer server;
  Node a(server), b(server);
  a.Put("cat", "meow");
  a.Settle();
  b.Connected();
  server.Freeze();
  Outcomes told;
  for (int i = 0; i < 10; ++i)
    CHECK(b.cache->GetOrLoad("cat", 60'000, told.Waiter()).kind == Cache::Lookup::kWait);
  server.Thaw();
  b.Settle();
  REQUIRE(told.size() == 10);
  for (size_t i = 0; i < told.size(); ++i) CHECK(told[i].value.view() == "meow");
  CHECK(b.cache->Stats().second_hits == 1);
}

TEST_CASE("an invalidation reaches the other process's memory and Redis") {
  RedisServer server;
  Node a(server), b(server);
  a.Put("list/cats", "meow", {.tags = {"animal"}});
  a.Settle();
  REQUIRE(b.Load("list/cats", "x") == "meow");
  REQUIRE(b.Get("list/cats") == "meow");
  SUBCASE("of a key") { a.cache->Remove("list/cats"); }
  SUBCASE("of a tag") { a.cache->Invalidate("animal"); }
  SUBCASE("of a prefix") { a.cache->InvalidatePrefix("list/"); }
  SUBCASE("of everything") { a.cache->Clear(); }
  SUBCASE("by a newer value") { a.Put("list/cats", "purr"); }
  const bool put = a.Get("list/cats") == "purr";
  CHECK(Eventually([&] { return b.Get("list/cats").empty(); }));
  CHECK(b.Load("list/cats", "from the source") == (put ? "purr" : "from the source"));
}

TEST_CASE("what others have nothing to do with stays: another key, tag and prefix") {
  RedisServer server;
  Node a(server), b(server);
  b.Put("list/cats", "meow", {.tags = {"animal"}});
  b.Settle();
  a.cache->Remove("list/dogs");
  a.cache->Invalidate("plant");
  a.cache->InvalidatePrefix("lists");
  a.Put("last", "x");
  a.Settle();
  b.Put("last", "b's");
  REQUIRE(Eventually([&] { return a.Load("last", "?") == "b's"; }));
  CHECK(b.Get("list/cats") == "meow");
  CHECK(Node(server).Load("list/cats", "x") == "meow");
}

TEST_CASE("a load that began before another process's invalidation is stored nowhere") {
  RedisServer server;
  Node a(server), b(server);
  a.Connected();
  const Node::Result load = b.Ask("cat");
  REQUIRE(load.token != 0);
  SUBCASE("of its key") { a.cache->Remove("cat"); }
  SUBCASE("of a tag") { a.cache->Invalidate("animal"); }
  SUBCASE("of a prefix") { a.cache->InvalidatePrefix("c"); }
  SUBCASE("of everything") { a.cache->Clear(); }
  a.Settle();
  (void)b.cache->Fill(load.token, BufferRef::Copy("too old"), {.tags = {"animal"}});
  b.Settle();
  CHECK(Eventually([&] { return b.Get("cat").empty(); }));
  CHECK(Node(server).Load("cat", "new") == "new");
}

TEST_CASE("an own invalidation is not undone by what Redis still has") {
  RedisServer server;
  Node a(server);
  for (int i = 0; i < 200; ++i) {
    a.Put("cat", "old", {.tags = {"animal"}});
    if (i % 2 == 0) a.cache->Remove("cat");
    if (i % 2 == 1) a.cache->Invalidate("animal");
    const Node::Result asked = a.Ask("cat");
    REQUIRE(asked.text == "");
    REQUIRE(a.cache->Fill(asked.token, BufferRef::Copy("new"), {}).ok());
    REQUIRE(a.Get("cat") == "new");
  }
}

TEST_CASE("a value brings its ttl, what is left of it, and its soft ttl") {
  RedisServer server;
  Node a(server);
  FakeClock clock;
  Node b(server, {.timeout_ms = 20'000}, &clock);
  a.Put("cat", "meow", {.ttl_ms = 60'000, .soft_ttl_ms = 30'000});
  a.Put("dog", "woof");
  a.Settle();
  REQUIRE(b.Load("cat", "x") == "meow");
  REQUIRE(b.Load("dog", "x") == "woof");
  clock.Advance(29'000 - 10'000);  // ten seconds may have gone by on the way
  CHECK(b.Get("cat") == "meow");
  clock.Advance(11'000);
  CHECK(b.Get("cat") == "");
  const Node::Result stale = b.Ask("cat");
  CHECK(stale.text == "meow");
  CHECK(stale.token != 0);
  clock.Advance(30'000);
  CHECK(b.cache->Stats().entries == 2);
  b.cache->Sweep();
  CHECK(b.Get("dog") == "woof");
  clock.Advance(2 * 3'600'000);  // without a ttl of its own it lives as long as Redis keeps it
  CHECK(b.Get("dog") == "");
}

TEST_CASE("negative entries travel, with a value or without") {
  RedisServer server;
  Node a(server), b(server);
  a.cache->Put("none", nullptr, {.ttl_ms = 60'000, .negative = true});
  a.cache->Put("why", BufferRef::Copy("deleted"), {.ttl_ms = 60'000, .negative = true});
  a.Settle();
  CHECK(b.Ask("none").text == "nothing");
  CHECK(b.Ask("why").text == "nothing");
  Cache::Lookup found = b.cache->GetOrLoad("why", 1000, nullptr);
  CHECK(found.kind == Cache::Lookup::kNegative);
  CHECK(found.value.view() == "deleted");
}

TEST_CASE("what is local stays in this process") {
  RedisServer server;
  Node a(server), b(server);
  a.Connected();
  a.Put("cat", "meow", {.local = true});
  LoadOptions local(60'000);
  local.local = true;
  Cache::Lookup load = a.cache->GetOrLoad("dog", local, nullptr);
  REQUIRE(load.kind == Cache::Lookup::kLoad);
  CHECK(a.cache->Fill(load.token, BufferRef::Copy("woof"), {.local = true}).ok());
  a.Settle();
  CHECK(a.Get("cat") == "meow");
  CHECK(a.Get("dog") == "woof");
  CHECK(b.Load("cat", "b's") == "b's");
  CHECK(b.Load("dog", "b's") == "b's");
}

TEST_CASE("a local invalidation does not leave its process") {
  RedisServer server;
  Node a(server), b(server);
  a.Connected();
  b.Connected();
  a.Put("page", "a's", {.local = true, .tags = {"pages"}});
  b.Put("page", "b's", {.local = true, .tags = {"pages"}});
  std::unique_ptr<RedisClient> client;
  const auto commands = [&] {
    const std::string info = RedisCall(Bare(server, &client), {"INFO", "commandstats"})->text;
    return info.find("cmdstat_xadd:") == std::string::npos ? "" : info.substr(info.find("cmdstat_xadd:"), 21);
  };
  const std::string before = commands();
  a.cache->InvalidateLocal("pages");
  CHECK(a.Get("page") == "");
  a.Settle();
  CHECK(b.Get("page") == "b's");
  CHECK(commands() == before);
  a.cache->Invalidate("pages");
  a.Settle();
  CHECK(Eventually([&] { return b.Get("page").empty(); }));
  CHECK(commands() != before);
}

TEST_CASE("names keep apart, and a large value comes whole") {
  RedisServer server;
  Node a(server), other(server, {.name = "other", .timeout_ms = 20'000}), b(server);
  const std::string large(3 << 20, 'x');
  a.Put("cat", large);
  a.Settle();
  CHECK(other.Load("cat", "mine") == "mine");
  CHECK(b.Load("cat", "x") == large);
  CHECK(b.cache->Stats().second_bytes_read < 100'000);
}

TEST_CASE("too large for the second level: it stays in memory") {
  RedisServer server;
  Node a(server, {.timeout_ms = 20'000, .max_value_bytes = 1000}), b(server);
  a.Connected();
  a.Put("large", std::string(1001, 'x'));
  a.Put(std::string(5000, 'k'), "v");
  a.Settle();
  CHECK(a.Get("large").size() == 1001);
  CHECK(a.Get(std::string(5000, 'k')) == "v");
  CHECK(b.Load("large", "b's") == "b's");
}

TEST_CASE("bytes in Redis that are none of ours are misses, and are dropped") {
  RedisServer server;
  Node a(server), b(server);
  a.Put("cat", std::string(5000, 'm'), {.tags = {"animal", "mammal"}});
  a.Settle();
  std::unique_ptr<RedisClient> client;
  RedisClient& redis = Bare(server, &client);
  const std::string key = "{mediagen:cache:default}v:cat";
  const std::string stored = RedisCall(redis, {"GET", key})->text;
  REQUIRE(stored.size() > 60);
  for (size_t at = 0; at < stored.size(); at += stored.size() / 40) {
    std::string bad = stored;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    if (at % 2 == 0) bad.resize(at);
    REQUIRE(RedisCall(redis, {"SET", key, bad, "PX", "60000"}).ok());
    Node reader(server);
    CHECK(reader.Load("cat", "source", {.local = true}) == "source");
    reader.Settle();
    CHECK(RedisCall(redis, {"EXISTS", key})->integer == 0);
  }
  REQUIRE(RedisCall(redis, {"SET", key, stored, "PX", "60000"}).ok());
  CHECK(Node(server).Load("cat", "source").size() == 5000);
  // A value of another key, and one without an end.
  REQUIRE(RedisCall(redis, {"SET", "{mediagen:cache:default}v:dog", stored, "PX", "60000"}).ok());
  CHECK(b.Load("dog", "source") == "source");
  REQUIRE(RedisCall(redis, {"LPUSH", "{mediagen:cache:default}v:list", "x"}).ok());
  CHECK(b.Load("list", "source") == "source");
  CHECK(b.cache->Stats().second_hits == 0);
}

TEST_CASE("a URL says how the second level is used") {
  auto options = [](const std::string& text) {
    auto url = ParseRedisUrl(text);
    REQUIRE(url.ok());
    auto taken = TakeTieredCacheOptions(&*url);
    if (taken.ok() && !url->CheckAllTaken().ok()) return StatusOr<TieredCacheOptions>(url->CheckAllTaken());
    return taken;
  };
  CHECK(options("redis://h")->ttl_ms == 7'200'000);
  CHECK(options("redis://h/2?ttlMs=5000&namespace=list%20pages&timeoutMs=20")->ttl_ms == 5000);
  CHECK(options("redis://h/2?ttlMs=5000&namespace=list%20pages&timeoutMs=20")->name == "list pages");
  CHECK(options("redis://h/2?ttlMs=5000&namespace=list%20pages&timeoutMs=20")->timeout_ms == 20);
  for (const char* bad : {"ttlMs=0", "ttlMs=", "ttlMs=1x", "ttlMs=99999999999999", "timeoutMs=-1",
                          "namespace=", "namespace=%7Bx%7D", "ttl=5"}) {
    CAPTURE(bad);
    CHECK(CodeOf(options("redis://h?" + std::string(bad)).status()) == Code::kInvalid);
  }
}

}  // namespace
}  // namespace mediagen
