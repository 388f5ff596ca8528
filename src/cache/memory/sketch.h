// FrequencySketch: how often a key was looked up lately, for keys that need not be stored.
//
// A count-min sketch (Cormode and Muthukrishnan 2005) of 4-bit counters, four for each key, halved after
// every ten lookups a word so that old fame fades (TinyLFU's reset). Not thread-safe. 8 bytes an entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mediagen::memory_cache {

class FrequencySketch {
 public:
  static constexpr int kMost = 15;

  FrequencySketch();
  void Count(uint64_t hash);
  // 0 to kMost; too high when keys collide, too low only by ageing.
  int Frequency(uint64_t hash) const;
  // Makes room for `entries`, keeping every estimate. Never shrinks.
  void Grow(size_t entries);

 private:
  void Age();

  std::vector<uint64_t> words_;  // a power of two; 16 counters each
  uint64_t counted_ = 0;         // since the last halving
};

}  // namespace mediagen::memory_cache
