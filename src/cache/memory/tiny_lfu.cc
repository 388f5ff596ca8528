// W-TinyLFU over bytes: see policy.h.
#include <algorithm>

#include "cache/memory/policy.h"
#include "cache/memory/queue.h"
#include "cache/memory/sketch.h"

namespace mediagen::memory_cache {
namespace {

constexpr double kWindowShare = 0.2;     // of the capacity; the best single share over mixed traces
constexpr double kProtectedShare = 0.8;  // of what the window leaves (the paper's SLRU split)
constexpr size_t kMostPassedOver = 512;  // held entries that one search steps over before it gives up

class TinyLfu final : public Policy {
 public:
  explicit TinyLfu(const Judge* judge) : judge_(*judge) {}

  void Hit(std::span<Node* const> nodes) override {
    for (Node* node : nodes) HitOne(node);
  }
  void Miss(uint64_t hash) override { sketch_.Count(hash); }
  void Add(Node* node, const Room& room, std::vector<Node*>* evicted) override;
  bool Shrink(const Room& room, std::vector<Node*>* evicted) override;
  void Remove(Node* node) override { QueueOf(node->segment).Remove(node); }
  uint64_t bytes() const override { return window_.bytes() + probation_.bytes() + protected_.bytes(); }
  uint64_t entries() const override { return window_.count() + probation_.count() + protected_.count(); }

 private:
  Queue& QueueOf(Segment segment);
  void HitOne(Node* node);
  void SetRoom(const Room& room);
  void OverflowWindow();
  void Compete(Node* candidate);
  void MakeRoom();
  bool Gather(uint64_t need, const Node* candidate);
  bool Preferred(const Node& candidate) const;
  double Worth(const Node& node) const {
    return std::max(1, sketch_.Frequency(node.hash)) * judge_.Cost(node);
  }
  void EvictGathered();

  const Judge& judge_;
  Queue window_{Segment::kWindow}, probation_{Segment::kProbation}, protected_{Segment::kProtected};
  FrequencySketch sketch_;
  uint64_t capacity_ = 0, window_capacity_ = 0, protected_capacity_ = 0;
  std::vector<Node*> victims_;  // of the latest Gather
  // Of the Add under way:
  Node* newest_ = nullptr;
  std::vector<Node*>* evicted_ = nullptr;
};

Queue& TinyLfu::QueueOf(Segment segment) {
  return segment == Segment::kWindow ? window_ : segment == Segment::kProbation ? probation_ : protected_;
}

void TinyLfu::SetRoom(const Room& room) {
  const uint64_t capacity = room.bytes;
  if (capacity == capacity_) return;
  capacity_ = capacity;
  window_capacity_ = static_cast<uint64_t>(static_cast<double>(capacity) * kWindowShare);
  protected_capacity_ =
      static_cast<uint64_t>(static_cast<double>(capacity - window_capacity_) * kProtectedShare);
}

void TinyLfu::HitOne(Node* entry) {
  sketch_.Count(entry->hash);
  if (entry->segment != Segment::kProbation) return QueueOf(entry->segment).MoveToHead(entry);
  probation_.Remove(entry);
  protected_.PushHead(entry);
  while (protected_.bytes() > protected_capacity_ && protected_.tail() != entry) {
    Node* demoted = protected_.tail();
    protected_.Remove(demoted);
    probation_.PushHead(demoted);
  }
}

void TinyLfu::Add(Node* entry, const Room& room, std::vector<Node*>* evicted) {
  SetRoom(room);
  newest_ = entry;
  evicted_ = evicted;
  sketch_.Grow(window_.count() + probation_.count() + protected_.count() + 1);
  // An entry larger than the window would flush it: it is judged at once instead.
  if (entry->charge > window_capacity_) return Compete(entry);
  window_.PushHead(entry);
  OverflowWindow();
  if (bytes() > capacity_) MakeRoom();
}

bool TinyLfu::Shrink(const Room& room, std::vector<Node*>* evicted) {
  SetRoom(room);
  evicted_ = evicted;
  newest_ = nullptr;
  if (bytes() <= room.bytes) return true;
  if (!Gather(bytes() - room.bytes, nullptr)) return false;
  EvictGathered();
  return true;
}

// Moves the oldest entries of the window on until it is within its share. The newest one fits, so it stays.
void TinyLfu::OverflowWindow() {
  while (window_.bytes() > window_capacity_) {
    Node* candidate = window_.tail();
    window_.Remove(candidate);
    if (judge_.Held(*candidate)) {
      probation_.PushHead(candidate);  // in use, and dropping it would free nothing
    } else if (judge_.Expired(*candidate)) {
      evicted_->push_back(candidate);
    } else {
      Compete(candidate);
    }
  }
}

// Puts `candidate`, which is in no queue, into the main space if it is preferred to the victims that it
// needs. The main space may use what the window leaves free: only the whole capacity makes a candidate
// compete.
void TinyLfu::Compete(Node* candidate) {
  const uint64_t total = bytes() + candidate->charge;
  if (total > capacity_) {
    const uint64_t need = std::min(total - capacity_, candidate->charge);
    if (!Gather(need, candidate) || !Preferred(*candidate)) return evicted_->push_back(candidate);
    EvictGathered();
  }
  probation_.PushHead(candidate);
}

// The window is within its share and the whole is not: the main space shrinks without a contest. Where
// readers hold so much of it that this is impossible, the newest entry is the one to go.
void TinyLfu::MakeRoom() {
  if (Gather(bytes() - capacity_, newest_)) return EvictGathered();
  window_.Remove(newest_);
  evicted_->push_back(newest_);
}

// Collects victims of at least `need` bytes for `candidate`, least valuable queue first; the window gives way
// only to the newest entry. Held entries go to their queue's head: they are in use, and the next search does
// not meet them.
bool TinyLfu::Gather(uint64_t need, const Node* candidate) {
  victims_.clear();
  uint64_t freed = 0;
  size_t passed_over = 0;
  for (Queue* queue : {&probation_, &protected_, &window_}) {
    if (queue == &window_ && candidate != newest_) break;
    Node* entry = queue->tail();
    for (size_t left = queue->count(); left > 0 && freed < need; --left) {
      Node* victim = entry;
      entry = entry->prev;
      if (victim == newest_) continue;
      if (judge_.Held(*victim)) {
        if (++passed_over > kMostPassedOver) return false;
        queue->MoveToHead(victim);
        continue;
      }
      victims_.push_back(victim);
      freed += victim->charge;
    }
  }
  return freed >= need;
}

// Whether frequency * cost / size of the candidate exceeds that of all victims together. What has expired is
// worth nothing. On a tie the victims stay: that is what keeps a scan from flushing the cache.
bool TinyLfu::Preferred(const Node& candidate) const {
  double worth = 0, size = 0;
  for (const Node* victim : victims_) {
    if (!judge_.Expired(*victim)) worth += Worth(*victim);
    size += static_cast<double>(victim->charge);
  }
  return Worth(candidate) * size > worth * static_cast<double>(candidate.charge);
}

void TinyLfu::EvictGathered() {
  for (Node* victim : victims_) {
    QueueOf(victim->segment).Remove(victim);
    evicted_->push_back(victim);
  }
}

}  // namespace

std::unique_ptr<Policy> NewTinyLfu(const Judge* judge) { return std::make_unique<TinyLfu>(judge); }

}  // namespace mediagen::memory_cache
