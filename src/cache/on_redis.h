// A cache with a Redis behind it, as a configuration names it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "cache/cache.h"

namespace mediagen {

// Whether `url` names a Redis: "redis://…", "redis+unix://…", "unix:…".
bool NamesRedis(std::string_view url);

// Checks such a URL and gives its parameter "bytes" (of the memory in front), as it was written. kInvalid
// says what is wrong with the URL. Connects to nothing.
StatusOr<std::optional<std::string>> BytesOfCacheUrl(std::string_view url);

// `memory` in front of the Redis that `url` names (docs/cache-redis.md); its "bytes" say nothing here. The
// thread of its client begins with the first operation. `clock` and `log` (which may be null) must outlive
// it.
struct CacheOnRedis {
  std::unique_ptr<Cache> cache;
  std::function<void()> stop;  // ends its connections and its thread; `cache` lives on, and must live
};
StatusOr<CacheOnRedis> NewCacheOnRedis(Clock* clock, std::unique_ptr<Cache> memory, std::string_view url,
                                       LogSink* log);

}  // namespace mediagen
