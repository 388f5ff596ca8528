// W-TinyLFU over bytes and entries, its window adapted to what is asked for: see policy.h.
#include <algorithm>

#include "cache/memory/policy.h"
#include "cache/memory/segments.h"
#include "cache/memory/shadow.h"
#include "cache/memory/sketch.h"

namespace mediagen::memory_cache {
namespace {

class TinyLfu final : public Policy {
 public:
  TinyLfu(const Judge* judge, uint64_t own_bytes)
      : segments_(judge, &sketch_, Shadows::kShares[0]), shadows_(&sketch_, own_bytes) {}

  void Hit(std::span<Node* const> nodes) override;
  void Miss(uint64_t hash) override {
    if (counts_) sketch_.Count(hash);
  }
  void Add(Node* node, const Room& room, std::vector<Node*>* evicted) override;
  bool Shrink(const Room& room, std::vector<Node*>* evicted) override {
    return segments_.Shrink(room, evicted);
  }
  void Remove(Node* node) override { segments_.Remove(node); }
  uint64_t bytes() const override { return segments_.bytes(); }
  uint64_t entries() const override { return segments_.entries(); }

 private:
  void Grow(const Node& node, const Room& room);
  void Learn(const Node& node);

  FrequencySketch sketch_;
  Segments segments_;
  Shadows shadows_;
  Room room_;  // of the latest Add
  // Whether the cache was three quarters full. Nothing is counted before: what comes while there is room for
  // everything says little of what will be wanted when there is none, and its counts would keep it there.
  bool counts_ = false;
};

void TinyLfu::Hit(std::span<Node* const> nodes) {
  for (const Node* node : nodes) {
    sketch_.Prefetch(node->hash);
    __builtin_prefetch(node->prev, 1);
    __builtin_prefetch(node->next, 1);
  }
  for (Node* node : nodes) {
    if (counts_) sketch_.Count(node->hash);
    if (shadows_.Samples(node->hash)) Learn(*node);
    segments_.Hit(node);
  }
}

void TinyLfu::Add(Node* node, const Room& room, std::vector<Node*>* evicted) {
  room_ = room;
  shadows_.Resize(entries() + 1);
  if (!counts_ && (bytes() >= room.bytes / 4 * 3 || entries() >= room.entries / 4 * 3)) {
    counts_ = true;
    shadows_.StartCounting();
  }
  if (counts_) Grow(*node, room);
  if (shadows_.Samples(node->hash)) Learn(*node);
  segments_.Add(node, room, evicted);
}

// The sketch gets the size at once that it will need when the cache is full, because keys that share a
// counter after it grew keep each other's counts. But never twice what it needs now: the entries to come may
// be larger.
void TinyLfu::Grow(const Node& node, const Room& room) {
  const double now = static_cast<double>(entries() + 1);
  const double by_bytes =
      now * static_cast<double>(room.bytes) / std::max(1.0, static_cast<double>(bytes() + node.charge));
  const double full = std::min({by_bytes, static_cast<double>(room.entries), 2 * now});
  sketch_.Grow(static_cast<size_t>(std::max(now, full)));
}

void TinyLfu::Learn(const Node& node) {
  if (!shadows_.Access(node.hash, node.charge, room_) || !counts_) return;
  if (auto share = shadows_.Best(segments_.window_share())) segments_.SetWindowShare(*share);
}

}  // namespace

std::unique_ptr<Policy> NewTinyLfu(const Judge* judge, uint64_t own_bytes) {
  return std::make_unique<TinyLfu>(judge, own_bytes);
}

uint64_t TinyLfuOwnBytes(uint64_t budget_bytes) {
  const uint64_t bytes = std::min<uint64_t>(budget_bytes / 32, Shadows::kMostNodes * Shadows::kBytesANode);
  return bytes < Shadows::kLeastNodes * Shadows::kBytesANode ? 0 : bytes;
}

}  // namespace mediagen::memory_cache
