// Every policy by itself, without values: its bounds at every step against a plain model, and its rules.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <set>

#include "base/id.h"
#include "cache/memory/policy.h"
#include "cache/memory/shadow.h"

namespace mediagen::memory_cache {
namespace {

// Says of every node what the test wrote down.
class WrittenJudge final : public Judge {
 public:
  bool Held(const Node& node) const override { return held.contains(&node); }
  bool Expired(const Node& node) const override { return expired.contains(&node); }
  double Cost(const Node& node) const override {
    auto place = costs.find(&node);
    return place == costs.end() ? 1 : place->second;
  }
  std::set<const Node*> held, expired;
  std::map<const Node*, double> costs;
};

constexpr uint64_t kOwnBytes = 1 << 20;  // for itself: enough

// Keys by name, over one policy.
class Keys {
 public:
  Keys(PolicyFactory* factory, Room limits) : room(limits), policy(factory(&judge, kOwnBytes)) {}

  bool Has(uint64_t key) const { return nodes.contains(key); }
  // Looks it up and stores it when it is absent.
  bool Use(uint64_t key, uint64_t charge = 1) {
    if (Node* node = nodes.contains(key) ? nodes[key].get() : nullptr) {
      policy->Hit({&node, 1});
      return true;
    }
    policy->Miss(HashOf(key));
    Add(key, charge);
    return false;
  }
  void Add(uint64_t key, uint64_t charge) {
    auto& node = nodes[key] = std::make_unique<Node>();
    node->hash = HashOf(key);
    node->charge = charge;
    evicted.clear();
    policy->Add(node.get(), room, &evicted);
    Drop();
  }
  // Checks that those named are in no queue, and forgets them.
  void Drop() {
    for (Node* node : evicted) {
      CHECK(node->segment == Segment::kNone);
      CHECK_FALSE(judge.held.contains(node));
      judge.expired.erase(node);
      judge.costs.erase(node);
      REQUIRE(nodes.erase(KeyOf(node->hash)) == 1);
    }
  }
  static uint64_t HashOf(uint64_t key) { return key * 0x9E3779B97F4A7C15; }
  static uint64_t KeyOf(uint64_t hash) { return hash * 0xF1DE83E19937733D; }  // the inverse modulo 2^64

  WrittenJudge judge;
  Room room;
  std::map<uint64_t, std::unique_ptr<Node>> nodes;
  std::vector<Node*> evicted;
  std::unique_ptr<Policy> policy;
};

struct Named {
  const char* name;
  PolicyFactory* factory;
};
constexpr Named kPolicies[] = {{"tinylfu", NewTinyLfu}, {"lru", NewLru}, {"s3fifo", NewS3Fifo}};

// Whether what the policy says it has is what was added and not named since, and whether it is in bounds.
void Audit(const Keys& keys) {
  uint64_t bytes = 0;
  bool all_in_queues = true;
  for (const auto& [key, node] : keys.nodes) {
    bytes += node->charge;
    all_in_queues = all_in_queues && node->segment != Segment::kNone;
  }
  REQUIRE(all_in_queues);
  REQUIRE(keys.policy->bytes() == bytes);
  REQUIRE(keys.policy->entries() == keys.nodes.size());
  REQUIRE(bytes <= keys.room.bytes);
  REQUIRE(keys.nodes.size() <= keys.room.entries);
}

TEST_CASE("both bounds hold after every step, whatever is held, expired, removed or asked to shrink") {
  CHECK(Keys::KeyOf(Keys::HashOf(77)) == 77);
  for (const Named& policy : kPolicies) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      CAPTURE(policy.name);
      CAPTURE(seed);
      auto random = SeededRandom(seed);
      Keys keys(policy.factory, {.bytes = 20'000, .entries = 150});
      uint64_t shrinks = 0;
      for (int step = 0; step < 20'000; ++step) {
        const uint64_t key = random->Below(1 + random->Below(800)), dice = random->Below(100);
        const bool known = keys.Has(key);
        Node* node = known ? keys.nodes[key].get() : nullptr;
        if (dice < 80) {
          keys.Use(key, 1 + random->Below(random->Below(50) == 0 ? 25'000 : 400));
        } else if (dice < 84 && known) {
          if (keys.judge.held.erase(node) == 0) keys.judge.held.insert(node);
        } else if (dice < 88 && known) {
          keys.judge.expired.insert(node);
        } else if (dice < 96 && known) {
          keys.policy->Remove(node);
          keys.judge.held.erase(node);
          keys.evicted = {node};
          keys.Drop();
        } else if (dice == 99) {
          const Room less{random->Below(20'000), random->Below(150)};
          keys.evicted.clear();
          const bool fits = keys.policy->Shrink(less, &keys.evicted);
          shrinks += fits;
          CHECK((fits || keys.evicted.empty()));
          keys.Drop();
          if (fits) {
            REQUIRE(keys.policy->bytes() <= less.bytes);
            REQUIRE(keys.policy->entries() <= less.entries);
          }
        }
        Audit(keys);
      }
      CHECK(shrinks > 0);
    }
  }
}

TEST_CASE("an object larger than the room is refused and moves nobody") {
  for (const Named& policy : kPolicies) {
    CAPTURE(policy.name);
    Keys keys(policy.factory, {.bytes = 1'000});
    for (uint64_t key = 0; key < 100; ++key) keys.Use(key, 10);
    keys.Use(999, 1'001);
    CHECK_FALSE(keys.Has(999));
    CHECK(keys.nodes.size() == 100);
  }
}

TEST_CASE("an object of half the room, seen once, does not flush what is wanted") {
  Keys keys(NewTinyLfu, {.bytes = 1'000});
  for (int round = 0; round < 10; ++round) {
    for (uint64_t key = 0; key < 100; ++key) keys.Use(key, 10);
  }
  for (uint64_t key = 1'000; key < 1'050; ++key) keys.Use(key, 500);
  size_t kept = 0;
  for (uint64_t key = 0; key < 100; ++key) kept += keys.Has(key);
  CHECK(kept > 90);
}

TEST_CASE("what readers hold stays, and where it leaves no room the newest is refused") {
  for (const Named& policy : kPolicies) {
    CAPTURE(policy.name);
    Keys keys(policy.factory, {.entries = 20});
    for (uint64_t key = 0; key < 20; ++key) {
      keys.Use(key);
      keys.judge.held.insert(keys.nodes[key].get());
    }
    keys.Use(100);
    CHECK_FALSE(keys.Has(100));
    for (uint64_t key = 0; key < 20; ++key) CHECK(keys.Has(key));
    CHECK_FALSE(keys.policy->Shrink({.entries = 19}, &keys.evicted));
    keys.judge.held.erase(keys.nodes[7].get());
    keys.evicted.clear();
    CHECK(keys.policy->Shrink({.entries = 19}, &keys.evicted));
    keys.Drop();
    CHECK_FALSE(keys.Has(7));
  }
}

TEST_CASE("LRU drops what was used longest ago") {
  Keys keys(NewLru, {.entries = 3});
  for (uint64_t key : {1, 2, 3, 1, 4}) keys.Use(key);
  CHECK(keys.Has(1));
  CHECK_FALSE(keys.Has(2));
  CHECK(keys.Has(3));
  CHECK(keys.Has(4));
}

TEST_CASE("S3-FIFO: what was found twice outlives a scan; what comes back from the ghosts is believed") {
  Keys keys(NewS3Fifo, {.entries = 100});
  for (uint64_t key = 0; key < 20; ++key) {
    for (int times = 0; times < 3; ++times) keys.Use(key);
  }
  for (uint64_t key = 1'000; key < 1'150; ++key) keys.Use(key);
  for (uint64_t key = 0; key < 20; ++key) CHECK(keys.Has(key));
  CHECK_FALSE(keys.Has(1'000));
  const uint64_t back = 1'040;  // left the small queue lately
  REQUIRE_FALSE(keys.Has(back));
  keys.Use(back);
  for (uint64_t key = 2'000; key < 2'070; ++key) keys.Use(key);
  CHECK(keys.Has(back));
}

// Lookups of 300 hot keys, then `scan` keys that are seen once, again and again.
size_t HotHits(PolicyFactory* factory, int rounds) {
  Keys keys(factory, {.entries = 400});
  auto random = SeededRandom(3);
  size_t hits = 0;
  uint64_t cold = 1'000'000;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < 1'000; ++i) hits += keys.Use(random->Below(300));
    for (int i = 0; i < 1'000; ++i) keys.Use(cold++);
  }
  return hits;
}

TEST_CASE("scans take from an LRU what they leave to W-TinyLFU") {
  const size_t tiny = HotHits(NewTinyLfu, 30), lru = HotHits(NewLru, 30);
  INFO("W-TinyLFU " << tiny << ", LRU " << lru << " of 30000");
  CHECK(tiny > lru + 3'000);
  CHECK(tiny > 28'000);
}

TEST_CASE("the window grows where what is new is wanted, and shrinks again before a loop") {
  Keys keys(NewTinyLfu, {.entries = 400});
  auto random = SeededRandom(4);
  // Each key is wanted once more, 200 to 300 requests after it came, and never again.
  size_t hits = 0;
  for (uint64_t i = 0; i < 40'000; ++i) {
    hits += keys.Use(i);
    if (i >= 300 && random->Below(2) == 0) hits += keys.Use(i - 100 - random->Below(50));
  }
  INFO("found again " << hits << " of 20000");
  CHECK(hits > 17'000);
  size_t loop_hits = 0;
  for (uint64_t i = 0; i < 80'000; ++i) loop_hits += keys.Use(1'000'000 + i % 800) && i >= 40'000;
  INFO("of the loop " << loop_hits << " of 40000");
  CHECK(loop_hits > 16'000);  // the most that 400 of 800 can be is 20,000
}

TEST_CASE("of two sizes wanted alike more of the small ones stay") {
  Keys keys(NewTinyLfu, {.bytes = 100'000});
  auto random = SeededRandom(5);
  size_t small = 0, large = 0;
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t key = random->Below(400);
    keys.Use(key, key % 2 ? 100 : 2'000);
  }
  for (const auto& [key, node] : keys.nodes) ++(node->charge == 100 ? small : large);
  INFO(small << " small ones, " << large << " large ones");
  CHECK(small > 2 * large);
}

TEST_CASE("the policy keeps within what it has for itself, whatever is stored") {
  for (const uint64_t budget : {300'000, 2 << 20, 16 << 20}) {
    // A shadow that finds smaller entries than the cache keeps would have the more of them.
    FrequencySketch sketch;
    Shadows shadows(&sketch, TinyLfuOwnBytes(budget));
    auto random = SeededRandom(budget);
    const Room room{.bytes = budget};
    for (int i = 0; i < 200'000; ++i) {
      shadows.Resize(20 + static_cast<size_t>(i) / 100);
      const uint64_t hash = random->Next();
      if (shadows.Samples(hash)) shadows.Access(hash, i % 2 ? 20'000 : 1, room);
    }
    CHECK(shadows.bytes() <= TinyLfuOwnBytes(budget));
    CHECK(shadows.bytes() > TinyLfuOwnBytes(budget) / 8);
  }
}

}  // namespace
}  // namespace mediagen::memory_cache
