#include "cache/memory/shadow.h"

#include <algorithm>
#include <cmath>

namespace mediagen::memory_cache {
namespace {

constexpr size_t kAccessesPerEntry = 1;  // from one decision to the next
constexpr size_t kLeastAccesses = 40;
constexpr double kFading = 0.95;  // what a decision leaves of the counts before it: twenty decisions' worth
// One window is better than another by more than chance when the keys that it alone found are more than those
// that only the other one found, by this many square roots of both together (McNemar's test). What both found
// says nothing of their difference.
constexpr double kClearly = 2.5;

// All that a shadow knows of a key is its size.
class PlainJudge final : public Judge {
 public:
  bool Held(const Node&) const override { return false; }
  bool Expired(const Node&) const override { return false; }
  double Cost(const Node&) const override { return 1; }
};
const PlainJudge kPlainJudge;

Room Part(const Room& room, int shift) {
  constexpr uint64_t unlimited = std::numeric_limits<uint64_t>::max();
  return {room.bytes == unlimited ? unlimited : room.bytes >> shift,
          room.entries == unlimited ? unlimited : std::max<uint64_t>(1, room.entries >> shift)};
}

constexpr int kSamplesNone = 64;  // as rate_shift_: but for one hash of all

size_t NodesFor(uint64_t bytes) {
  const auto nodes =
      static_cast<size_t>(std::min<uint64_t>(Shadows::kMostNodes, bytes / Shadows::kBytesANode));
  return nodes < Shadows::kLeastNodes ? 0 : nodes;
}

}  // namespace

Shadows::Shadows(const FrequencySketch* sketch, uint64_t most_bytes) : most_nodes_(NodesFor(most_bytes)) {
  if (most_nodes_ == 0) rate_shift_ = kSamplesNone;
  for (size_t i = 0; i < kShares.size(); ++i)
    shadows_[i].reset(new Shadow{.segments = Segments(&kPlainJudge, sketch, kShares[i])});
}

size_t Shadows::bytes() const {
  constexpr size_t kSlot = sizeof(decltype(Shadow::nodes)::value_type) + 1;  // its byte of control
  size_t bytes = 0;
  for (const auto& shadow : shadows_) {
    bytes += shadow->pool.size() * sizeof(Node) + shadow->free.capacity() * sizeof(Node*) +
             shadow->nodes.bucket_count() * kSlot;
  }
  return bytes;
}

void Shadows::Resize(size_t entries) {
  if (most_nodes_ == 0) return;
  int shift = rate_shift_;
  while (entries >> shift > most_nodes_) ++shift;
  while (shift > least_shift_ && entries >> shift < most_nodes_ / 4) --shift;
  sampled_entries_ = entries >> shift;
  if (shift > rate_shift_) return SampleFewer(shift);
  rate_shift_ = shift;
}

void Shadows::SampleFewer(int shift) {
  rate_shift_ = shift;
  for (auto& shadow : shadows_) {
    absl::erase_if(shadow->nodes, [&](auto& named) {
      if (Samples(named.first)) return false;
      shadow->segments.Remove(named.second);
      shadow->free.push_back(named.second);
      return true;
    });
  }
  StartCounting();
}

void Shadows::StartCounting() {
  accesses_ = 0;
  found_by_.fill(0);
}

bool Shadows::Access(uint64_t hash, uint64_t charge, const Room& room) {
  if (most_nodes_ == 0) return false;
  const Room part = Part(room, rate_shift_);
  size_t found_by = 0, largest = 0;
  for (size_t i = 0; i < shadows_.size(); ++i) {
    const auto& shadow = shadows_[i];
    auto [place, absent] = shadow->nodes.try_emplace(hash);
    if (!absent) {
      shadow->segments.Hit(place->second);
      found_by |= size_t{1} << i;
      continue;
    }
    if (shadow->free.empty()) shadow->free.push_back(&shadow->pool.emplace_back());
    Node* node = shadow->free.back();
    shadow->free.pop_back();
    *node = {.hash = hash, .charge = charge};
    place->second = node;
    evicted_.clear();
    shadow->segments.Add(node, part, &evicted_);
    for (Node* evicted : evicted_) {
      shadow->nodes.erase(evicted->hash);
      shadow->free.push_back(evicted);
    }
    largest = std::max(largest, shadow->nodes.size());
  }
  ++found_by_[found_by];
  // One that keeps smaller entries than the cache does has more of them.
  if (largest > most_nodes_ * 5 / 4) SampleFewer(least_shift_ = rate_shift_ + 1);
  return ++accesses_ >= std::max(kLeastAccesses, kAccessesPerEntry * sampled_entries_);
}

std::optional<double> Shadows::Best(double current) {
  accesses_ = 0;
  const size_t now =
      static_cast<size_t>(std::find(kShares.begin(), kShares.end(), current) - kShares.begin());
  double most = 0;
  std::optional<double> best;
  for (size_t i = 0; i < kShares.size(); ++i) {
    double more = 0, less = 0;  // found by this one alone of the two, and by the current one alone
    for (size_t found_by = 0; found_by < found_by_.size(); ++found_by) {
      const bool mine = found_by >> i & 1, its = found_by >> now & 1;
      if (mine && !its) more += found_by_[found_by];
      if (its && !mine) less += found_by_[found_by];
    }
    const double lead = more - less;
    if (lead <= most || lead <= kClearly * std::sqrt(more + less)) continue;
    most = lead;
    best = kShares[i];
  }
  for (double& count : found_by_) count *= kFading;
  return best;
}

}  // namespace mediagen::memory_cache
