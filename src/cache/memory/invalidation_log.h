// InvalidationLog: which tags were invalidated while loads were under way.
//
// A load's tags are known only when it ends. So it remembers the generation at which it began, every
// invalidation gets the next generation, and a load whose tag has a later one is out of date. Generations are
// counted, not read from a clock. What no load under way can ask for is not kept.
//
// Thread-safe. A shard's lock may be held while calling; nothing is called back.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace mediagen::memory_cache {

class InvalidationLog {
 public:
  // Of the latest invalidation.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // The generation that a load begins with; given back by EndLoad.
  uint64_t BeginLoad();
  void EndLoad(uint64_t begun);
  void Invalidate(std::string_view tag);
  // The generation of the latest invalidation of one of `tags` since `begun`, which EndLoad has not been
  // given yet; 0: none.
  uint64_t InvalidatedSince(uint64_t begun, const std::vector<std::string>& tags);

 private:
  void Prune();

  std::mutex mutex_;
  std::atomic<uint64_t> generation_{1};
  std::map<uint64_t, uint64_t> loads_;  // under way, by the generation at which they began: how many
  StringMap<uint64_t> latest_;          // of each tag that was invalidated since the oldest of them began
  uint64_t all_ = 0;                    // every tag counts as invalidated here: `latest_` had overflowed
};

}  // namespace mediagen::memory_cache
