#include "cache/on_redis.h"

#include <utility>

#include "cache/redis/tiered.h"

namespace mediagen {
namespace {

struct Parsed {
  RedisUrl url;
  std::optional<std::string> bytes;
  TieredCacheOptions options;
};

StatusOr<Parsed> Parse(std::string_view text) {
  Parsed parsed;
  ASSIGN_OR_RETURN(parsed.url, ParseRedisUrl(text));
  ASSIGN_OR_RETURN(parsed.bytes, parsed.url.Take("bytes"));
  ASSIGN_OR_RETURN(parsed.options, TakeTieredCacheOptions(&parsed.url));
  RETURN_IF_ERROR(parsed.url.CheckAllTaken());
  return parsed;
}

}  // namespace

bool NamesRedis(std::string_view url) { return url.substr(0, 5) == "redis" || url.substr(0, 5) == "unix:"; }

StatusOr<std::optional<std::string>> BytesOfCacheUrl(std::string_view url) {
  ASSIGN_OR_RETURN(Parsed parsed, Parse(url));
  return std::move(parsed.bytes);
}

StatusOr<CacheOnRedis> NewCacheOnRedis(Clock* clock, std::unique_ptr<Cache> memory, std::string_view url,
                                       LogSink* log) {
  ASSIGN_OR_RETURN(Parsed parsed, Parse(url));
  parsed.options.log = log;
  ASSIGN_OR_RETURN(auto cache, NewTieredCache(clock, std::move(memory), parsed.url, parsed.options));
  std::function<void()> stop = [tiered = cache.get()] { tiered->Stop(); };
  return CacheOnRedis{std::move(cache), std::move(stop)};
}

}  // namespace mediagen
