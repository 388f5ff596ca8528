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
  void Hit(Entry* entry) override;
  void Miss(uint64_t hash) override { sketch_.Count(hash); }
  void Add(Entry* entry, uint64_t capacity, int64_t now_ms, std::vector<Entry*>* evicted) override;
  void Remove(Entry* entry) override { QueueOf(entry->segment).Remove(entry); }
  uint64_t bytes() const override { return window_.bytes() + probation_.bytes() + protected_.bytes(); }

 private:
  Queue& QueueOf(Segment segment);
  double Worth(const Entry& entry) const { return std::max(1, sketch_.Frequency(entry.hash)) * double{entry.cost}; }
  void OverflowWindow(uint64_t capacity, int64_t now_ms, std::vector<Entry*>* evicted);
  void Compete(Entry* candidate, uint64_t capacity, int64_t now_ms, std::vector<Entry*>* evicted);
  void MakeRoom(Entry* newest, uint64_t capacity, std::vector<Entry*>* evicted);
  bool Gather(uint64_t need, const Entry* spared);
  bool Preferred(const Entry& candidate, int64_t now_ms) const;
  void EvictGathered(std::vector<Entry*>* evicted);

  Queue window_{Segment::kWindow}, probation_{Segment::kProbation}, protected_{Segment::kProtected};
  FrequencySketch sketch_;
  uint64_t protected_capacity_ = 0;
  std::vector<Entry*> victims_;  // of the latest Gather
};

Queue& TinyLfu::QueueOf(Segment segment) {
  return segment == Segment::kWindow ? window_ : segment == Segment::kProbation ? probation_ : protected_;
}

void TinyLfu::Hit(Entry* entry) {
  sketch_.Count(entry->hash);
  if (entry->segment != Segment::kProbation) return QueueOf(entry->segment).MoveToHead(entry);
  probation_.Remove(entry);
  protected_.PushHead(entry);
  while (protected_.bytes() > protected_capacity_ && protected_.tail() != entry) {
    Entry* demoted = protected_.tail();
    protected_.Remove(demoted);
    probation_.PushHead(demoted);
  }
}

void TinyLfu::Add(Entry* entry, uint64_t capacity, int64_t now_ms, std::vector<Entry*>* evicted) {
  const auto window_capacity = static_cast<uint64_t>(static_cast<double>(capacity) * kWindowShare);
  protected_capacity_ = static_cast<uint64_t>(static_cast<double>(capacity - window_capacity) * kProtectedShare);
  sketch_.Grow(window_.count() + probation_.count() + protected_.count() + 1);
  // An entry larger than the window would flush it: it is judged at once instead.
  if (entry->charge > window_capacity) return Compete(entry, capacity, now_ms, evicted);
  window_.PushHead(entry);
  OverflowWindow(window_capacity, now_ms, evicted);
  if (bytes() > capacity) MakeRoom(entry, capacity, evicted);
}

// Moves the oldest entries of the window on until it is within its share. The main space may use what the window
// leaves free, so the whole capacity decides whether a candidate must compete.
void TinyLfu::OverflowWindow(uint64_t window_capacity, int64_t now_ms, std::vector<Entry*>* evicted) {
  const uint64_t capacity = static_cast<uint64_t>(capacity_);
  while (window_.bytes() > window_capacity) {
    Entry* candidate = window_.tail();
    window_.Remove(candidate);
    if (candidate->held()) {
      probation_.PushHead(candidate);  // in use, and dropping it would free nothing
    } else if (candidate->expired(now_ms)) {
      evicted->push_back(candidate);
    } else {
      Compete(candidate, capacity, now_ms, evicted);
    }
  }
}

}  // namespace
