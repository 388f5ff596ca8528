// Which limiter a configuration names: in this process's memory, or in a Redis.
#include <utility>

#include "base/json.h"
#include "engine/engine.h"
#include "engine/wiring.h"
#include "fmt/format.h"
#include "limit/memory/memory.h"
#include "limit/redis/redis.h"

namespace mediagen {
namespace {

constexpr int64_t kMostKeys = 1'000'000'000;
constexpr size_t kMostRules = 1000;

StatusOr<std::unique_ptr<Limiter>> Open(Clock* clock, std::string_view url, std::vector<LimitRule> rules,
                                        size_t max_keys, LogSink* log) {
  if (url == "memory:") return NewMemoryLimiter(clock, std::move(rules), max_keys);
  return NewRedisLimiter(clock, url, std::move(rules), {.log = log, .max_local_keys = max_keys});
}

}  // namespace

StatusOr<std::unique_ptr<Limiter>> WireLimiter(Clock* clock, std::string_view url,
                                               std::vector<LimitRule> rules, LogSink* log) {
  return Open(clock, url, std::move(rules), 1 << 20, log);
}

StatusOr<std::shared_ptr<Limiter>> OpenLimiterAlone(std::string_view config_json) {
  Json json = Json::object();
  if (!Trim(config_json).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(config_json, "The limiter's configuration"));
  }
  FieldReader fields(json, "the limiter's configuration");
  std::string url = "memory:";
  int64_t max_keys = 1 << 20;
  Json texts = Json::object();
  fields.String("url", &url);
  fields.Int("maxKeys", &max_keys, 1, kMostKeys);
  fields.Object("rules", &texts);
  if (fields.ok() && texts.empty()) fields.Refuse("rules", "must name a rule: {\"generations\": \"5/min\"}");
  if (fields.ok() && texts.size() > kMostRules)
    fields.Refuse("rules", fmt::format("are more than {}", kMostRules));
  RETURN_IF_ERROR(fields.Finish());
  std::vector<LimitRule> rules;
  for (const auto& [name, text] : texts.items()) {
    if (!text.is_string()) {
      return Error(Code::kInvalid, fmt::format("The rate limit \"{}\" is not a text.", Shorten(name, 60)),
                   {.hint = "Write it as \"5/min\".", .object = Shorten(name, 60)});
    }
    ASSIGN_OR_RETURN(LimitRule rule, ParseLimitRule(name, text.get_ref<const std::string&>()));
    rules.push_back(std::move(rule));
  }
  return Open(SystemClock(), url, std::move(rules), static_cast<size_t>(max_keys), nullptr);
}

}  // namespace mediagen
