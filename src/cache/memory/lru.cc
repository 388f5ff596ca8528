// LRU: see policy.h. The yardstick that every other policy is compared with.
#include "cache/memory/policy.h"
#include "cache/memory/queue.h"

namespace mediagen::memory_cache {
namespace {

constexpr size_t kMostPassedOver = 512;  // held entries that one search steps over before it gives up

class Lru final : public Policy {
 public:
  explicit Lru(const Judge* judge) : judge_(*judge) {}

  void Hit(std::span<Node* const> nodes) override {
    for (Node* node : nodes) queue_.MoveToHead(node);
  }
  void Miss(uint64_t) override {}
  void Add(Node* node, const Room& room, std::vector<Node*>* evicted) override {
    // Room is made first, so that the node is the one to go where it can't be made.
    if (node->charge > room.bytes || room.entries == 0 ||
        !Shrink({room.bytes - node->charge, room.entries - 1}, evicted)) {
      return evicted->push_back(node);
    }
    queue_.PushHead(node);
  }
  bool Shrink(const Room& room, std::vector<Node*>* evicted) override;
  void Remove(Node* node) override { queue_.Remove(node); }
  uint64_t bytes() const override { return queue_.bytes(); }
  uint64_t entries() const override { return queue_.count(); }

 private:
  const Judge& judge_;
  Queue queue_{Segment::kWindow};
  std::vector<Node*> victims_;
};

bool Lru::Shrink(const Room& room, std::vector<Node*>* evicted) {
  victims_.clear();
  uint64_t bytes = queue_.bytes(), entries = queue_.count();
  size_t passed_over = 0;
  Node* next = queue_.tail();
  for (size_t left = queue_.count(); bytes > room.bytes || entries > room.entries; --left) {
    if (left == 0) return false;
    Node* victim = next;
    next = victim->prev;
    if (judge_.Held(*victim)) {
      if (++passed_over > kMostPassedOver) return false;
      queue_.MoveToHead(victim);
      continue;
    }
    victims_.push_back(victim);
    bytes -= victim->charge;
    --entries;
  }
  for (Node* victim : victims_) {
    queue_.Remove(victim);
    evicted->push_back(victim);
  }
  return true;
}

}  // namespace

std::unique_ptr<Policy> NewLru(const Judge* judge, uint64_t) { return std::make_unique<Lru>(judge); }

}  // namespace mediagen::memory_cache
