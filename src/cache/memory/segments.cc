#include "cache/memory/segments.h"

#include <algorithm>
#include <cmath>

namespace mediagen::memory_cache {
namespace {

constexpr double kProtectedShare = 0.8;  // of the main space (the paper's SLRU split)
constexpr size_t kMostPassedOver = 512;  // held entries that one search steps over before it gives up
constexpr size_t kMostCompared = 256;    // victims that stand for all in a comparison
constexpr double kMostFollowing = 16;    // nodes that change between window and main with one Add
// A key of this frequency that was refused comes in once in 128 times: whoever finds keys that collide with a
// victim in the sketch must not be able to keep everybody else out for ever.
constexpr double kWarm = 6;

// size^(1/8): what a larger candidate must be the more often wanted. The whole ratio of sizes would be best
// for the share of lookups that are answered and would cost up to a third of the bytes; none would be best
// for bytes. This little costs no bytes, and has most of the lookups (docs/cache-policies.md).
double SizePenalty(double ratio) { return std::sqrt(std::sqrt(std::sqrt(ratio))); }

}  // namespace

Queue& Segments::QueueOf(Segment segment) {
  return segment == Segment::kWindow ? window_ : segment == Segment::kProbation ? probation_ : protected_;
}

void Segments::SetRoom(const Room& room) {
  if (room.bytes == room_.bytes && room.entries == room_.entries) return;
  room_ = room;
  SetLimits();
}

void Segments::SetLimits() {
  const double bytes = static_cast<double>(room_.bytes), entries = static_cast<double>(room_.entries);
  window_limit_ = {std::max(1.0, share_ * bytes), std::max(1.0, share_ * entries)};
  main_limit_ = {bytes - window_limit_.bytes, entries - window_limit_.entries};
  protected_limit_ = {kProtectedShare * main_limit_.bytes, kProtectedShare * main_limit_.entries};
}

void Segments::Hit(Node* node) {
  if (node->segment != Segment::kProbation) return QueueOf(node->segment).Touch(node);
  probation_.Remove(node);
  protected_.PushHead(node);
  DemoteProtected();
}

void Segments::DemoteProtected() {
  while (Over(protected_, protected_limit_) && protected_.count() > 1) {
    Node* demoted = protected_.tail();
    protected_.Remove(demoted);
    probation_.PushHead(demoted);
  }
}

void Segments::Add(Node* node, const Room& room, std::vector<Node*>* evicted) {
  SetRoom(room);
  newest_ = node;
  evicted_ = evicted;
  if (node->charge > room_.bytes || room_.entries == 0) return evicted_->push_back(node);
  FollowTarget();
  // A node larger than the window would flush it: it is judged at once instead.
  if (static_cast<double>(node->charge) > window_limit_.bytes) {
    Compete(node, /*from_window=*/false);
  } else {
    window_.PushHead(node);
    OverflowWindow();
  }
  if (WithinRoom(bytes(), entries()) || MakeRoom()) return;
  Remove(node);
  evicted_->push_back(node);
}

bool Segments::Shrink(const Room& room, std::vector<Node*>* evicted) {
  SetRoom(room);
  newest_ = nullptr;
  evicted_ = evicted;
  return WithinRoom(bytes(), entries()) || MakeRoom();
}

// Moves the border between window and main towards its target, and at most kMostFollowing nodes over it.
void Segments::FollowTarget() {
  if (share_ == target_) return;
  const double step = kMostFollowing / static_cast<double>(entries() + 1);
  const bool grows = target_ > share_;
  share_ = grows ? std::min(target_, share_ + step) : std::max(target_, share_ - step);
  SetLimits();
  for (int moved = 0; moved < 2 * kMostFollowing; ++moved) {
    if (grows) {
      Node* node = probation_.tail();
      if (!node || window_limit_.Exceeded(window_.bytes() + node->charge, window_.count() + 1)) break;
      probation_.Remove(node);
      window_.PushHead(node);
    } else {
      if (!Over(window_, window_limit_) || window_.count() < 2) break;
      Node* node = window_.tail();
      window_.Remove(node);
      probation_.PushHead(node);
    }
  }
  DemoteProtected();
}

// Moves the oldest nodes of the window on until it is within its share. The newest one fits, so it stays.
void Segments::OverflowWindow() {
  while (Over(window_, window_limit_) && window_.tail() != newest_) {
    Node* candidate = window_.tail();
    window_.Remove(candidate);
    if (judge_.Held(*candidate)) {
      probation_.PushHead(candidate);  // in use, and dropping it would free nothing
    } else if (judge_.Expired(*candidate)) {
      evicted_->push_back(candidate);
    } else {
      Compete(candidate, /*from_window=*/true);
    }
  }
}

// Puts `candidate`, which is in no queue, into the main space if it is preferred to the victims that it
// needs. What a small or a refused candidate left free in the window does not let the next one in: it would
// be filled by whatever comes, however large, and the comparison would seldom be made. Only a node that
// never was in the window may use it.
void Segments::Compete(Node* candidate, bool from_window) {
  const uint64_t all_bytes = bytes() + candidate->charge, all_entries = entries() + 1;
  const bool crowded =
      from_window && main_limit_.Exceeded(main_bytes() + candidate->charge, main_entries() + 1);
  if (crowded || !WithinRoom(all_bytes, all_entries)) {
    const bool by_bytes =
        all_bytes > room_.bytes || static_cast<double>(main_bytes() + candidate->charge) > main_limit_.bytes;
    const Limit unlimited{static_cast<double>(room_.bytes), static_cast<double>(room_.entries)};
    if (!Preferred(*candidate, by_bytes) ||
        !Gather(candidate->charge, 1, from_window ? main_limit_ : unlimited, false)) {
      return evicted_->push_back(candidate);
    }
    EvictGathered();
  }
  probation_.PushHead(candidate);
}

// The window is within its share and the whole is not, because a node came that is larger than what made room
// for it, or because the room became smaller: victims go without a contest, the window's own last.
bool Segments::MakeRoom() {
  const Limit unlimited{static_cast<double>(room_.bytes), static_cast<double>(room_.entries)};
  if (!Gather(0, 0, unlimited, true)) return false;
  EvictGathered();
  return true;
}

// Collects victims, least valuable queue first, until `bytes` and `entries` more fit the room, and the main
// space its limit. Held nodes go to their queue's head: they are in use, and the next search does not meet
// them.
bool Segments::Gather(uint64_t bytes, uint64_t entries, const Limit& main, bool window_too) {
  victims_.clear();
  uint64_t freed = 0;
  size_t passed_over = 0;
  const auto enough = [&] {
    const uint64_t left = this->bytes() + bytes - freed, count = this->entries() + entries - victims_.size();
    return WithinRoom(left, count) && !main.Exceeded(left - window_.bytes(), count - window_.count());
  };
  for (Queue* queue : {&probation_, &protected_, &window_}) {
    if (queue == &window_ && !window_too) break;
    Node* next = queue->tail();
    for (size_t left = queue->count(); left > 0 && !enough(); --left) {
      Node* victim = next;
      next = victim->prev;
      if (victim == newest_) continue;
      if (judge_.Held(*victim)) {
        if (++passed_over > kMostPassedOver) return false;
        queue->MoveToHead(victim);
        continue;
      }
      victims_.push_back(victim);
      freed += victim->charge;
    }
    // What left the window needs no room in the main space.
    if (queue == &protected_ && window_too && enough()) break;
  }
  return enough();
}

double Segments::Worth(const Node& node) const {
  return std::max(1, sketch_.Frequency(node.hash)) * judge_.Cost(node);
}

// Whether frequency * cost / size^(1/8) of the candidate exceeds that of the victims whose place it would
// take: the mean of their frequency * cost over the mean of their sizes, summed before the division. Where
// the number of entries is the bound, sizes don't matter. What has expired is worth nothing. On a tie the
// victims stay: that is what keeps a scan from flushing the cache.
bool Segments::Preferred(const Node& candidate, bool by_bytes) {
  double worth = 0, size = 0;
  size_t compared = 0, seen = 0;
  const double wanted = by_bytes ? static_cast<double>(candidate.charge) : 1;
  for (Queue* queue : {&probation_, &protected_}) {
    for (Node* victim = queue->tail(); victim; victim = victim->prev) {
      if ((compared > 0 && size >= wanted) || compared == kMostCompared || ++seen > kMostPassedOver) break;
      if (judge_.Held(*victim)) continue;
      if (!judge_.Expired(*victim)) worth += Worth(*victim);
      size += by_bytes ? static_cast<double>(victim->charge) : 1;
      ++compared;
    }
  }
  if (compared == 0) return true;
  const double frequency = sketch_.Frequency(candidate.hash);
  const double count = static_cast<double>(compared), mine = Worth(candidate);
  const double theirs = worth / count * (by_bytes && size > 0 ? SizePenalty(wanted * count / size) : 1);
  return mine > theirs || (frequency >= kWarm && ++warm_refusals_ % 128 == 0);
}

void Segments::EvictGathered() {
  for (Node* victim : victims_) {
    QueueOf(victim->segment).Remove(victim);
    evicted_->push_back(victim);
  }
}

}  // namespace mediagen::memory_cache
