// Config: the configuration document, parsed, checked and completed with its defaults. The only place where
// mediagen reads the environment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client_address.h"
#include "base/status.h"
#include "jobs/queue.h"
#include "limit/limiter.h"
#include "media/recipe.h"
#include "pipeline/budget.h"
#include "provider/provider.h"

namespace mediagen {

struct Config {
  std::string data_dir = "./mediagen-data";
  uint64_t cache_bytes = 50u << 20;
  std::string cache_url;  // of a Redis behind it, or empty
  std::string limits_url = "memory:";
  int threads = 0;  // 0: manual
  bool relaxed = false;
  std::vector<std::string> secrets;  // current first; empty: kept in the data directory
  std::string public_base_url;
  std::vector<std::string> allowed_origins, cors_origins;
  std::string www_authenticate = "Bearer";
  AddressRules addresses;
  int64_t event_retention_ms = 86'400'000, event_backlog = 1000;
  std::map<std::string, QueueSettings> queues;
  std::vector<ProviderConfig> providers;
  Budgets budgets;
  std::vector<LimitRule> rate_limits;
  std::vector<LimitRule> provider_rate_limits;  // named as ProviderRuleName has it
  std::vector<Recipe> recipes;
  int64_t max_pixels = 100'000'000, max_upload_bytes = 52'428'800, decode_budget_bytes = 536'870'912;
  bool upload_private_network = false;
};

// The value of an environment variable, or nothing.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment ProcessEnvironment();

// "" is {}. Every refusal names the key and says what it takes: kInvalid, or kUnsupported for what this
// version does not have.
StatusOr<Config> ParseConfig(std::string_view json, const Environment& environment);

// "50MiB", "4GiB", "1000000" → bytes.
StatusOr<uint64_t> ParseBytes(std::string_view text);

}  // namespace mediagen
