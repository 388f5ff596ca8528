#include "cache/memory/sketch.h"

#include <algorithm>
#include <bit>

namespace mediagen::memory_cache {
namespace {

constexpr size_t kLeastEntries = 256;
// The TinyLFU paper has 10. The sketch is smaller than its authors', and holds fewer counts as exactly.
constexpr uint64_t kCountsPerEntry = 7;
constexpr uint64_t kLowBits = 0x7777777777777777;
constexpr uint64_t kOddBits = 0x1111111111111111;
constexpr int kRows = 4;

// One counter of each of the block's four pairs of words. Independent of the block's own number.
uint64_t PlacesOf(uint64_t hash) {
  hash ^= hash >> 32;
  hash *= 0xD6E8FEB86659FD93;
  return hash ^ hash >> 32;
}
size_t WordOf(int row, uint64_t places) { return static_cast<size_t>(row) * 2 + (places & 1); }
int ShiftOf(uint64_t places) { return static_cast<int>(places >> 1 & 15) * 4; }

uint64_t LargerOfEach(uint64_t a, uint64_t b) {
  uint64_t larger = 0;
  for (int shift = 0; shift < 64; shift += 4) larger |= std::max(a >> shift & 15, b >> shift & 15) << shift;
  return larger;
}

size_t BlocksFor(size_t entries) {
  constexpr size_t small = FrequencySketch::kSmall;
  return (entries <= small ? entries * 2 : std::max(small * 2, entries)) / 8;
}

}  // namespace

FrequencySketch::FrequencySketch()
    : blocks_(BlocksFor(kLeastEntries)), sample_(kLeastEntries * kCountsPerEntry) {}

void FrequencySketch::Count(uint64_t hash) {
  Block& block = blocks_[IndexOf(hash, blocks_.size())];
  uint64_t places = PlacesOf(hash);
  bool added = false;
  for (int row = 0; row < kRows; ++row, places >>= 8) {
    uint64_t& word = block.words[WordOf(row, places)];
    const int shift = ShiftOf(places);
    if ((word >> shift & 15) == kMost) continue;
    word += uint64_t{1} << shift;
    added = true;
  }
  if (added && ++counted_ >= sample_) Age();
}

int FrequencySketch::Frequency(uint64_t hash) const {
  const Block& block = blocks_[IndexOf(hash, blocks_.size())];
  uint64_t places = PlacesOf(hash);
  uint64_t least = kMost;
  for (int row = 0; row < kRows; ++row, places >>= 8)
    least = std::min(least, block.words[WordOf(row, places)] >> ShiftOf(places) & 15);
  return static_cast<int>(least);
}

void FrequencySketch::Grow(size_t entries) {
  sample_ = kCountsPerEntry * std::max(entries, kLeastEntries);
  const size_t wanted = BlocksFor(entries), had = blocks_.size();
  if (wanted <= had + had / 4) return;
  // A new block's keys come from one old block or from two neighbours.
  std::vector<Block> grown(wanted);
  for (size_t i = 0; i < wanted; ++i) {
    const Block& first = blocks_[i * had / wanted];
    const Block& last = blocks_[((i + 1) * had - 1) / wanted];
    for (size_t word = 0; word < 8; ++word)
      grown[i].words[word] = LargerOfEach(first.words[word], last.words[word]);
  }
  blocks_ = std::move(grown);
}

void FrequencySketch::Age() {
  uint64_t odd = 0;
  for (Block& block : blocks_) {
    for (uint64_t& word : block.words) {
      odd += static_cast<uint64_t>(std::popcount(word & kOddBits));
      word = word >> 1 & kLowBits;
    }
  }
  // What halving rounded down is not counted any more, either.
  counted_ = (counted_ - std::min(counted_, odd / kRows)) / 2;
}

}  // namespace mediagen::memory_cache
