// FrequencySketch: how often a key was looked up lately, for keys that need not be stored.
//
// A count-min sketch (Cormode and Muthukrishnan 2005) of 4-bit counters, four for each key, which lie in one
// block of 64 bytes, so that a key costs one cache miss (blocking: Putze, Sanders and Singler, "Cache-, Hash-
// and Space-Efficient Bloom Filters", 2007). Halved after seven counts an entry, so that old fame fades
// (TinyLFU's reset). 8 bytes an entry at most, 16 up to kSmall entries. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mediagen::memory_cache {

class FrequencySketch {
 public:
  static constexpr int kMost = 15;
  static constexpr size_t kSmall = 4096;

  FrequencySketch();
  void Count(uint64_t hash);
  // 0 to kMost; too high when keys collide, too low only by ageing.
  int Frequency(uint64_t hash) const;
  // Makes room for `entries`. No estimate becomes lower. Never shrinks.
  void Grow(size_t entries);
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&blocks_[IndexOf(hash, blocks_.size())]); }

  size_t bytes() const { return blocks_.size() * sizeof(Block); }

 private:
  struct alignas(64) Block {
    uint64_t words[8] = {};
  };

  // Multiplied rather than masked: any number of blocks will do, and neighbours stay neighbours when it
  // grows.
  static size_t IndexOf(uint64_t hash, size_t blocks) {
    return static_cast<size_t>(static_cast<unsigned __int128>(hash * 0x9E3779B97F4A7C15) * blocks >> 64);
  }
  void Age();

  std::vector<Block> blocks_;
  uint64_t sample_;       // counts between two halvings
  uint64_t counted_ = 0;  // since the last one
};

}  // namespace mediagen::memory_cache
