#include "cachesim/simulation.h"

#include <algorithm>
#include <chrono>

namespace mediagen::cachesim {
namespace {

using memory_cache::Node;

constexpr size_t kBatch = 4096;  // requests between two looks at the clock

// Nothing is held, nothing expires, everything costs the same.
class PlainJudge final : public memory_cache::Judge {
 public:
  bool Held(const Node&) const override { return false; }
  bool Expired(const Node&) const override { return false; }
  double Cost(const Node&) const override { return 1; }
};
const PlainJudge kPlainJudge;

// One to one, so that a hash stands for its key (the finalizer of MurmurHash3).
uint64_t HashOf(uint64_t key) {
  key ^= key >> 33;
  key *= 0xFF51AFD7ED558CCD;
  key ^= key >> 33;
  key *= 0xC4CEB9FE1A85EC53;
  return key ^ key >> 33;
}

constexpr uint64_t kOwnBytes = 1 << 20;  // what a policy has for itself: enough

}  // namespace

memory_cache::PolicyFactory* PolicyOf(std::string_view name) {
  if (name == "tinylfu") return memory_cache::NewTinyLfu;
  if (name == "lru") return memory_cache::NewLru;
  if (name == "s3fifo") return memory_cache::NewS3Fifo;
  return nullptr;
}

Simulation::Simulation(memory_cache::PolicyFactory* policy, const memory_cache::Room& room)
    : room_(room), policy_(policy(&kPlainJudge, kOwnBytes)) {}

void Simulation::Run(std::span<const Request> requests) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  for (const Request& request : requests) {
    const bool hit = Ask(request);
    figures_.hits += hit;
    figures_.bytes += static_cast<double>(request.size);
    if (hit) figures_.hit_bytes += static_cast<double>(request.size);
  }
  figures_.ns += std::chrono::duration<double, std::nano>(Clock::now() - start).count();
  figures_.requests += requests.size();
}

bool Simulation::Ask(const Request& request) {
  const uint64_t hash = HashOf(request.key);
  if (auto place = table_.find(hash); place != table_.end()) {
    Node* const found = *place;
    policy_->Hit({&found, 1});
    return true;
  }
  policy_->Miss(hash);
  Node* node = NewNode();
  node->hash = hash;
  node->charge = std::max<uint64_t>(1, request.size);  // an empty object takes part, too
  table_.insert(node);
  evicted_.clear();
  policy_->Add(node, room_, &evicted_);
  for (Node* evicted : evicted_) {
    table_.erase(table_.find(evicted->hash));
    free_.push_back(evicted);
  }
  figures_.peak_bytes = std::max(figures_.peak_bytes, policy_->bytes());
  return false;
}

Node* Simulation::NewNode() {
  if (free_.empty()) return &nodes_.emplace_back();
  Node* node = free_.back();
  free_.pop_back();
  *node = {};
  return node;
}

StatusOr<Figures> Simulate(TraceReader* trace, memory_cache::PolicyFactory* policy,
                           const memory_cache::Room& room) {
  Simulation simulation(policy, room);
  std::vector<Request> batch(kBatch);
  for (;;) {
    auto count = trace->Read(batch);
    if (!count.ok()) return count.status();
    if (*count == 0) return simulation.figures();
    simulation.Run({batch.data(), *count});
  }
}

}  // namespace mediagen::cachesim
