#include <charconv>

#include "cache/redis/tiered.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kMostTtlMs = int64_t{30} * 86'400'000;
constexpr int64_t kMostTimeoutMs = 60'000;

// A positive whole number of ms, at most `most`.
Status TakeMs(RedisUrl* url, std::string_view name, int64_t most, int64_t* ms) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, url->Take(name));
  if (!text) return OkStatus();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 1 || number > most) {
    return Error(Code::kInvalid,
                 fmt::format("\"{}\" of the cache's Redis URL is from 1 to {} milliseconds.", name, most));
  }
  *ms = number;
  return OkStatus();
}

}  // namespace

StatusOr<TieredCacheOptions> TakeTieredCacheOptions(RedisUrl* url) {
  TieredCacheOptions options;
  RETURN_IF_ERROR(TakeMs(url, "ttlMs", kMostTtlMs, &options.ttl_ms));
  RETURN_IF_ERROR(TakeMs(url, "timeoutMs", kMostTimeoutMs, &options.timeout_ms));
  ASSIGN_OR_RETURN(std::optional<std::string> name, url->Take("namespace"));
  if (name) {
    const bool bad = name->empty() || name->size() > 64 || name->find_first_of("{}") != std::string::npos;
    if (bad)
      return Error(Code::kInvalid,
                   "\"namespace\" of the cache's Redis URL has 1 to 64 bytes, and no braces.");
    options.name = std::move(*name);
  }
  return options;
}

}  // namespace mediagen
