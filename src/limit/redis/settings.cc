#include "limit/redis/settings.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "fmt/format.h"
#include "limit/formula.h"

namespace mediagen::limit {
namespace {

constexpr int64_t kMostTimeoutMs = 60'000, kMostExactByLog = 1'000;
constexpr size_t kMostPrefixBytes = 64;

Status TakeNumber(RedisUrl* url, std::string_view name, int64_t least, int64_t most, int64_t* number) {
  ASSIGN_OR_RETURN(auto text, url->Take(name));
  if (!text) return OkStatus();
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error == std::errc() && end == text->data() + text->size() && *number >= least && *number <= most)
    return OkStatus();
  return Error(Code::kInvalid, fmt::format("{} of the rate limiter's Redis URL is no number from {} to {}.",
                                           name, least, most));
}

Status TakeOnFailure(RedisUrl* url, OnFailure* mode) {
  ASSIGN_OR_RETURN(auto text, url->Take("onFailure"));
  if (text == "open")
    *mode = OnFailure::kOpen;
  else if (text == "closed")
    *mode = OnFailure::kClosed;
  else if (text == "local")
    *mode = OnFailure::kLocal;
  else
    return Error(
        Code::kInvalid, "The rate limiter's Redis URL does not say what to do when Redis is away.",
        {.hint =
             "Add onFailure=open (allow), onFailure=closed (refuse) or onFailure=local (decide in memory)."});
  return OkStatus();
}

Status TakePrefix(RedisUrl* url, std::string* prefix) {
  ASSIGN_OR_RETURN(auto text, url->Take("prefix"));
  if (!text) return OkStatus();
  const bool bad = std::any_of(text->begin(), text->end(), [](unsigned char c) {
    return c <= 0x20 || c >= 0x7F || c == '{' || c == '}';
  });
  if (text->empty() || text->size() > kMostPrefixBytes || bad)
    return Error(Code::kInvalid,
                 "prefix of the rate limiter's Redis URL is not 1 to 64 characters without spaces "
                 "and braces.");
  *prefix = *std::move(text);
  return OkStatus();
}

}  // namespace

StatusOr<RedisSettings> RedisSettings::Parse(std::string_view text) {
  RedisSettings settings{.exact_up_to = kMostExactLimit};
  ASSIGN_OR_RETURN(settings.url, ParseRedisUrl(text));
  RETURN_IF_ERROR(TakeOnFailure(&settings.url, &settings.on_failure));
  RETURN_IF_ERROR(TakeNumber(&settings.url, "timeoutMs", 1, kMostTimeoutMs, &settings.timeout_ms));
  RETURN_IF_ERROR(
      TakeNumber(&settings.url, "exactUpTo", kMostExactLimit, kMostExactByLog, &settings.exact_up_to));
  RETURN_IF_ERROR(TakePrefix(&settings.url, &settings.prefix));
  RETURN_IF_ERROR(settings.url.CheckAllTaken());
  return settings;
}

}  // namespace mediagen::limit
