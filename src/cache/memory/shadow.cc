#include "cache/memory/shadow.h"

#include <algorithm>
#include <cmath>

namespace mediagen::memory_cache {
namespace {

constexpr size_t kAccessesPerEntry = 2;  // from one decision to the next
constexpr size_t kLeastAccesses = 40;
constexpr double kFading = 0.9;  // what a decision leaves of the hits before it: ten decisions' worth
// One window is better than another by more than chance when it has this many square roots of hits more.
constexpr double kClearly = 1;

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

}  // namespace

Shadows::Shadows(const FrequencySketch* sketch) {
  for (size_t i = 0; i < kShares.size(); ++i)
    shadows_[i].reset(new Shadow{.segments = Segments(&kPlainJudge, sketch, kShares[i])});
}

void Shadows::Resize(size_t entries) {
  const int before = rate_shift_;
  while (entries >> rate_shift_ > kMostNodes) ++rate_shift_;
  while (rate_shift_ > 0 && entries >> rate_shift_ < kMostNodes / 4) --rate_shift_;
  sampled_entries_ = entries >> rate_shift_;
  if (rate_shift_ <= before) return;
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
  for (auto& shadow : shadows_) shadow->hits = shadow->recent = 0;
}

bool Shadows::Access(uint64_t hash, uint64_t charge, const Room& room) {
  const Room part = Part(room, rate_shift_);
  for (auto& shadow : shadows_) {
    auto [place, absent] = shadow->nodes.try_emplace(hash);
    if (!absent) {
      shadow->segments.Hit(place->second);
      ++shadow->recent;
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
  }
  return ++accesses_ >= std::max(kLeastAccesses, kAccessesPerEntry * sampled_entries_);
}

std::optional<double> Shadows::Best(double current) {
  accesses_ = 0;
  const Shadow *best = nullptr, *now = nullptr;
  double share = current;
  for (size_t i = 0; i < kShares.size(); ++i) {
    Shadow& shadow = *shadows_[i];
    shadow.hits = shadow.hits * kFading + shadow.recent;
    shadow.recent = 0;
    if (kShares[i] == current) now = &shadow;
    if (best && shadow.hits <= best->hits) continue;
    best = &shadow;
    share = kShares[i];
  }
  if (best == now || (now && best->hits - now->hits <= kClearly * std::sqrt(best->hits))) return std::nullopt;
  return share;
}

}  // namespace mediagen::memory_cache
