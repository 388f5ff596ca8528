// Work over many keys, the same for us and for the peers (benchmarks/peers/README.md): keys of 16 bytes that
// are made before the clock runs, and the order in which they are asked for, precomputed in a file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/folder.h"

namespace mediagen::bench {

// Keys 0 to `count`; each is the 16 hexadecimal digits of an output of SplitMix64.
class Keys {
 public:
  static constexpr size_t kBytes = 16;

  explicit Keys(uint32_t count);
  std::string_view operator[](uint32_t index) const { return {all_.data() + kBytes * index, kBytes}; }
  uint32_t count() const { return static_cast<uint32_t>(all_.size() / kBytes); }

 private:
  std::string all_;  // one block: a key is no pointer to chase
};

// `count` indexes below `below`, drawn by seed: the k-th most wanted with a probability in proportion to
// 1 / k^exponent, which of them that is being drawn, too. Exponent 0 is uniform.
std::vector<uint32_t> ZipfIndexes(uint32_t below, size_t count, double exponent, uint64_t seed);

// Writes them as the peers read them; the file's path.
std::string StoreIndexes(const Folder& folder, const std::string& name, const std::vector<uint32_t>& indexes);

// Runs `part(t)` on `threads` threads that begin together: the seconds until all are done, and the sum of
// what they return.
struct Parts {
  double seconds = 0;
  uint64_t sum = 0;
};
Parts RunParts(int threads, const std::function<uint64_t(int)>& part);

struct KeyRun {
  double per_second = 0;  // calls of all threads together
  double yes = 0;         // the share of the calls that said true
};
// Every thread calls `one` for all of `indexes`, thread t from its t-th part on.
template <typename One>
KeyRun RunOver(const std::vector<uint32_t>& indexes, int threads, const One& one) {
  const size_t count = indexes.size();
  const Parts parts = RunParts(threads, [&](int thread) {
    const size_t begin = count / static_cast<size_t>(threads) * static_cast<size_t>(thread);
    uint64_t yes = 0;
    for (size_t i = begin; i < count; ++i) yes += one(indexes[i]) ? 1 : 0;
    for (size_t i = 0; i < begin; ++i) yes += one(indexes[i]) ? 1 : 0;
    return yes;
  });
  const double calls = static_cast<double>(count) * threads;
  return {calls / parts.seconds, static_cast<double>(parts.sum) / calls};
}

// The resident bytes of this process.
double ResidentBytes();

}  // namespace mediagen::bench
