// Shadows: small copies of the cache without values, each with a window of another size, that see a sample of
// the keys and so tell which size would find most (miniature simulation: Waldspurger et al., USENIX ATC 2017;
// for the window of W-TinyLFU: Einziger et al., "Adaptive Software Cache Management", Middleware 2018).
//
// Not thread-safe. `sketch` must outlive it. A lookup of a key that is not in the sample costs one
// multiplication.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "cache/memory/segments.h"

namespace mediagen::memory_cache {

class Shadows {
 public:
  // Windows from almost none, best against loops and scans, to almost all, best where what is new is wanted.
  static constexpr std::array<double, 5> kShares = {0.01, 0.06, 0.2, 0.5, 0.8};
  // Keys that a shadow samples, whatever room there is for them; with room for fewer than the least there are
  // no shadows, and Best has nothing to say.
  static constexpr size_t kMostNodes = 512, kLeastNodes = 16;
  // What all shadows take for each of them: a node, its place in the table and in a list, and a quarter for
  // keys that are smaller than those of the cache.
  static constexpr size_t kBytesANode = kShares.size() * (sizeof(Node) + 52) * 5 / 4;

  Shadows(const FrequencySketch* sketch, uint64_t most_bytes);

  // What they take.
  size_t bytes() const;
  // How many entries the cache has, so that one in so many keys is sampled.
  void Resize(size_t entries);
  bool Samples(uint64_t hash) const {
    return rate_shift_ == 0 || (hash * 0xA0761D6478BD642F) >> (64 - rate_shift_) == 0;
  }
  // The cache was asked for this key. True when it is time to ask for Best().
  bool Access(uint64_t hash, uint64_t charge, const Room& room);
  // Forgets what was counted, but not the keys.
  void StartCounting();
  // The window that found clearly more of late than `current`, one of kShares, did; nothing when none did.
  std::optional<double> Best(double current);

 private:
  struct Shadow {
    Segments segments;
    absl::flat_hash_map<uint64_t, Node*> nodes;  // by hash
    std::deque<Node> pool;                       // theirs, and those of `free`
    std::vector<Node*> free;
  };

  // Samples one of 2^shift keys from now on, fewer than before, and forgets the others.
  void SampleFewer(int shift);

  const size_t most_nodes_;  // 0: there are no shadows
  std::array<std::unique_ptr<Shadow>, kShares.size()> shadows_;
  // Accesses, faded, by who found the key: bit i of the index says that shadow i did.
  std::array<double, size_t{1} << kShares.size()> found_by_{};
  int rate_shift_ = 0;   // one of 2^rate_shift_ keys
  int least_shift_ = 0;  // more keys than by this one did not fit
  size_t sampled_entries_ = 0;
  size_t accesses_ = 0;  // since the last Best()
  std::vector<Node*> evicted_;
};

}  // namespace mediagen::memory_cache
