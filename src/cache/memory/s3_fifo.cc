// S3-FIFO over bytes and entries: see policy.h.
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "cache/memory/policy.h"
#include "cache/memory/queue.h"

namespace mediagen::memory_cache {
namespace {

constexpr double kSmallShare = 0.1;      // of the room (the paper's)
constexpr uint8_t kMostHits = 3;         // that a node remembers: two bits of Node::mark
constexpr size_t kMostPassedOver = 512;  // held entries that one search steps over before it gives up

// The hashes that left the small queue without a second hit, oldest first. Never more than are asked for.
class GhostQueue {
 public:
  void Push(uint64_t hash, size_t most) {
    order_.push_back(hash);
    ++counts_[hash];
    while (order_.size() > most) {
      Forget(order_.front());
      order_.pop_front();
    }
  }
  // Whether it was there. Its place in the order stays until its turn comes.
  bool Take(uint64_t hash) { return counts_.erase(hash) != 0; }

 private:
  void Forget(uint64_t hash) {
    auto place = counts_.find(hash);
    if (place != counts_.end() && --place->second == 0) counts_.erase(place);
  }

  std::deque<uint64_t> order_;
  absl::flat_hash_map<uint64_t, uint32_t> counts_;
};

class S3Fifo final : public Policy {
 public:
  explicit S3Fifo(const Judge* judge) : judge_(*judge) {}

  void Hit(std::span<Node* const> nodes) override {
    for (Node* node : nodes) node->mark = node->mark < kMostHits ? node->mark + 1 : kMostHits;
  }
  void Miss(uint64_t) override {}
  void Add(Node* node, const Room& room, std::vector<Node*>* evicted) override;
  bool Shrink(const Room& room, std::vector<Node*>* evicted) override;
  void Remove(Node* node) override { QueueOf(node).Remove(node); }
  uint64_t bytes() const override { return small_.bytes() + main_.bytes(); }
  uint64_t entries() const override { return small_.count() + main_.count(); }

 private:
  Queue& QueueOf(const Node* node) { return node->segment == Segment::kWindow ? small_ : main_; }
  bool SmallIsOver(const Room& room) const {
    return static_cast<double>(small_.bytes()) > kSmallShare * static_cast<double>(room.bytes) ||
           static_cast<double>(small_.count()) > kSmallShare * static_cast<double>(room.entries);
  }
  Node* NextVictim(const Room& room, size_t* passed_over);

  const Judge& judge_;
  Queue small_{Segment::kWindow}, main_{Segment::kProtected};
  GhostQueue ghosts_;
  struct Victim {
    Node* node;
    Queue* from;
  };
  std::vector<Victim> victims_;
};

void S3Fifo::Add(Node* node, const Room& room, std::vector<Node*>* evicted) {
  if (node->charge > room.bytes || room.entries == 0 ||
      !Shrink({room.bytes - node->charge, room.entries - 1}, evicted)) {
    return evicted->push_back(node);
  }
  node->mark = 0;
  (ghosts_.Take(node->hash) ? main_ : small_).PushHead(node);
}

bool S3Fifo::Shrink(const Room& room, std::vector<Node*>* evicted) {
  victims_.clear();
  size_t passed_over = 0;
  while (bytes() > room.bytes || entries() > room.entries) {
    Node* victim = NextVictim(room, &passed_over);
    if (!victim) {
      for (; !victims_.empty(); victims_.pop_back()) victims_.back().from->PushTail(victims_.back().node);
      return false;
    }
    victims_.push_back({victim, &QueueOf(victim)});
    victims_.back().from->Remove(victim);
  }
  for (const Victim& victim : victims_) {
    if (victim.from == &small_) ghosts_.Push(victim.node->hash, main_.count() + 1);
    evicted->push_back(victim.node);
  }
  return true;
}

// The next one to go, still in its queue; null when too much is held. On the way those that were found again
// get their second chances, each of which costs one of the hits that earned it.
Node* S3Fifo::NextVictim(const Room& room, size_t* passed_over) {
  while (small_.tail() || main_.tail()) {
    Queue& queue = small_.tail() && (SmallIsOver(room) || !main_.tail()) ? small_ : main_;
    Node* node = queue.tail();
    if (judge_.Held(*node)) {
      if (++*passed_over > kMostPassedOver) return nullptr;
      queue.Remove(node);
      main_.PushHead(node);
    } else if (judge_.Expired(*node)) {  // NOLINT(bugprone-branch-clone): the last branch is another case
      return node;
    } else if (&queue == &small_ && node->mark > 1) {
      queue.Remove(node);
      node->mark = 0;
      main_.PushHead(node);
    } else if (&queue == &main_ && node->mark > 0) {
      --node->mark;
      main_.MoveToHead(node);
    } else {
      return node;
    }
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Policy> NewS3Fifo(const Judge* judge, uint64_t) { return std::make_unique<S3Fifo>(judge); }

}  // namespace mediagen::memory_cache
