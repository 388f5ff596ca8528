#include "cache/memory/sketch.h"

#include <algorithm>

namespace mediagen::memory_cache {
namespace {

constexpr size_t kLeastWords = 256;
constexpr uint64_t kLookupsPerWord = 10;  // the sample of the TinyLFU paper: ten times the cache's entries
constexpr uint64_t kLowBits = 0x7777777777777777;

// Odd multipliers: each row sees other bits of the hash (multiplicative hashing, Knuth vol. 3 §6.4).
constexpr uint64_t kRows[] = {0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F};

struct Place {
  size_t word;
  int shift;
};

Place PlaceOf(uint64_t hash, uint64_t row, size_t words) {
  uint64_t mixed = hash * row;
  mixed ^= mixed >> 32;
  return {static_cast<size_t>(mixed >> 4) & (words - 1), static_cast<int>(mixed & 15) * 4};
}

}  // namespace

FrequencySketch::FrequencySketch() : words_(kLeastWords) {}

void FrequencySketch::Count(uint64_t hash) {
  for (uint64_t row : kRows) {
    Place place = PlaceOf(hash, row, words_.size());
    if (((words_[place.word] >> place.shift) & 15) < kMost) words_[place.word] += uint64_t{1} << place.shift;
  }
  if (++counted_ >= kLookupsPerWord * words_.size()) Age();
}

int FrequencySketch::Frequency(uint64_t hash) const {
  uint64_t least = kMost;
  for (uint64_t row : kRows) {
    Place place = PlaceOf(hash, row, words_.size());
    least = std::min(least, (words_[place.word] >> place.shift) & 15);
  }
  return static_cast<int>(least);
}

void FrequencySketch::Grow(size_t entries) {
  // A word's index is the low bits of the mixed hash, so the upper half of a doubled table is a copy of the
  // lower.
  while (words_.size() < entries) {
    size_t half = words_.size();
    words_.resize(half * 2);
    std::copy_n(words_.begin(), half, words_.begin() + static_cast<ptrdiff_t>(half));
  }
}

void FrequencySketch::Age() {
  for (uint64_t& word : words_) word = (word >> 1) & kLowBits;
  counted_ /= 2;
}

}  // namespace mediagen::memory_cache
