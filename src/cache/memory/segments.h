// Segments: W-TinyLFU for one size of its window: three queues, and who moves between them.
//
// New nodes enter the window (LRU). What leaves it at the old end is a candidate for the main space, a
// segmented LRU: probation, and protected for what was found there again. While the main space is full, a
// candidate comes in when it is preferred to the victims that it would displace (Preferred, segments.cc).
//
// Not thread-safe. `judge` and `sketch` must outlive it.
#pragma once

#include <vector>

#include "cache/memory/policy.h"
#include "cache/memory/queue.h"
#include "cache/memory/sketch.h"

namespace mediagen::memory_cache {

class Segments {
 public:
  Segments(const Judge* judge, const FrequencySketch* sketch, double window_share)
      : judge_(*judge), sketch_(*sketch), target_(window_share), share_(window_share) {}

  void Hit(Node* node);
  void Add(Node* node, const Room& room, std::vector<Node*>* evicted);
  bool Shrink(const Room& room, std::vector<Node*>* evicted);
  void Remove(Node* node) { QueueOf(node->segment).Remove(node); }

  // The window's part of the room. Nodes follow a few at a time, with each Add.
  void SetWindowShare(double share) { target_ = share; }
  double window_share() const { return target_; }
  uint64_t bytes() const { return window_.bytes() + main_bytes(); }
  uint64_t entries() const { return window_.count() + main_entries(); }

 private:
  // Bounds of a queue. Doubles, because a room may be without a bound.
  struct Limit {
    double bytes = 0, entries = 0;
    bool Exceeded(uint64_t by_bytes, uint64_t by_entries) const {
      return static_cast<double>(by_bytes) > bytes || static_cast<double>(by_entries) > entries;
    }
  };

  uint64_t main_bytes() const { return probation_.bytes() + protected_.bytes(); }
  uint64_t main_entries() const { return probation_.count() + protected_.count(); }
  Queue& QueueOf(Segment segment);
  bool Over(const Queue& queue, const Limit& limit) const {
    return limit.Exceeded(queue.bytes(), queue.count());
  }
  bool WithinRoom(uint64_t bytes, uint64_t entries) const {
    return bytes <= room_.bytes && entries <= room_.entries;
  }

  void SetRoom(const Room& room);
  void SetLimits();
  void FollowTarget();
  void DemoteProtected();
  void OverflowWindow();
  void Compete(Node* candidate, bool from_window);
  bool MakeRoom();
  bool Gather(uint64_t bytes, uint64_t entries, const Limit& main, bool window_too);
  bool Preferred(const Node& candidate, bool by_bytes);
  double Worth(const Node& node) const;
  void EvictGathered();

  const Judge& judge_;
  const FrequencySketch& sketch_;
  Queue window_{Segment::kWindow}, probation_{Segment::kProbation}, protected_{Segment::kProtected};
  Room room_{0, 0};
  double target_, share_;  // of the room; share_ follows target_
  Limit window_limit_, main_limit_, protected_limit_;
  uint64_t warm_refusals_ = 0;
  std::vector<Node*> victims_;  // of the latest Gather
  // Of the call under way:
  Node* newest_ = nullptr;
  std::vector<Node*>* evicted_ = nullptr;
};

}  // namespace mediagen::memory_cache
