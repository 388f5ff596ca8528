// Aftermath: what must happen after a shard's lock is given back: values and waiters are destroyed (their
// owners are foreign code) and outcomes delivered (their receivers may call the cache again). Declare it
// before the lock.
#pragma once

#include <utility>
#include <vector>

#include "base/buffer.h"
#include "cache/cache.h"

namespace mediagen::memory_cache {

struct Aftermath {
  std::vector<BufferRef> dropped;
  std::vector<Cache::Waiter> forgotten;
  std::vector<std::pair<Cache::Waiter, Cache::Outcome>> outcomes;

  Aftermath() = default;
  Aftermath(const Aftermath&) = delete;
  Aftermath& operator=(const Aftermath&) = delete;
  ~Aftermath() {
    dropped.clear();
    for (auto& [waiter, outcome] : outcomes) waiter(std::move(outcome));
  }
};

}  // namespace mediagen::memory_cache
