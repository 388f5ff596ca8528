// A limiter that is opened alone, by its document.
#include <utility>

#include "base/json.h"
#include "engine/engine.h"
#include "engine/wiring.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kMostKeys = 1'000'000'000;
constexpr size_t kMostRules = 1000;

}  // namespace

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
  ASSIGN_OR_RETURN(auto limiter,
                   WireLimiter(SystemClock(), url, std::move(rules), static_cast<size_t>(max_keys), nullptr));
  return std::shared_ptr<Limiter>(std::move(limiter));
}

}  // namespace mediagen
