// Simulation: a policy of the cache, driven by requests without values, which tells what share of them it
// would have answered.
//
// An object is charged its size alone, 1 where it has none, so that figures compare with other simulators'.
// It is charged what it had when it came in: a request with another size later is a hit. Memory: about 60
// bytes for each resident object, and the policy's own. Not thread-safe.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "cache/memory/policy.h"
#include "cachesim/trace.h"

namespace mediagen::cachesim {

struct Figures {
  uint64_t requests = 0, hits = 0;
  double bytes = 0, hit_bytes = 0;  // asked for; of hits
  uint64_t peak_bytes = 0;          // the most that was charged at once
  double ns = 0;                    // spent in the policy and the table of nodes

  double object_hit_ratio() const { return requests ? double(hits) / double(requests) : 0; }
  double byte_hit_ratio() const { return bytes > 0 ? hit_bytes / bytes : 0; }
  double ns_per_request() const { return requests ? ns / double(requests) : 0; }
};

// "tinylfu", "lru" or "s3fifo"; null for anything else.
memory_cache::PolicyFactory* PolicyOf(std::string_view name);

class Simulation {
 public:
  Simulation(memory_cache::PolicyFactory* policy, const memory_cache::Room& room);

  void Run(std::span<const Request> requests);
  const Figures& figures() const { return figures_; }

 private:
  struct NodeHash {
    using is_transparent = void;
    size_t operator()(uint64_t hash) const { return hash; }
    size_t operator()(const memory_cache::Node* node) const { return node->hash; }
  };
  struct NodeEqual {
    using is_transparent = void;
    bool operator()(const memory_cache::Node* a, const memory_cache::Node* b) const { return a == b; }
    bool operator()(const memory_cache::Node* a, uint64_t hash) const { return a->hash == hash; }
    bool operator()(uint64_t hash, const memory_cache::Node* a) const { return a->hash == hash; }
  };

  bool Ask(const Request& request);
  memory_cache::Node* NewNode();

  const memory_cache::Room room_;
  const std::unique_ptr<memory_cache::Policy> policy_;
  absl::flat_hash_set<memory_cache::Node*, NodeHash, NodeEqual> table_;
  std::deque<memory_cache::Node> nodes_;
  std::vector<memory_cache::Node*> free_, evicted_;
  Figures figures_;
};

// Runs the whole trace.
StatusOr<Figures> Simulate(TraceReader* trace, memory_cache::PolicyFactory* policy,
                           const memory_cache::Room& room);

}  // namespace mediagen::cachesim
