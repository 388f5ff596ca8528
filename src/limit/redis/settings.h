// What the URL of a Redis limiter says of the limiter.
#pragma once

#include <cstdint>
#include <string>

#include "redis/url.h"

namespace mediagen::limit {

enum class OnFailure { kOpen, kClosed, kLocal };

struct RedisSettings {
  RedisUrl url;  // without our parameters
  OnFailure on_failure = OnFailure::kClosed;
  int64_t timeout_ms = 100;
  std::string prefix = "mediagen";
  int64_t exact_up_to = 0;

  static StatusOr<RedisSettings> Parse(std::string_view text);
};

}  // namespace mediagen::limit
