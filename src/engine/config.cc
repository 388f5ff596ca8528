#include "engine/config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <thread>

#include "api/browser.h"
#include "api/rate.h"
#include "base/json.h"
#include "cache/on_redis.h"
#include "engine/config_money.h"
#include "fmt/format.h"
#include "jobs/settings_document.h"
#include "provider/host_options.h"

namespace mediagen {
namespace {

// Replaces ${NAME} in every string value; an unset variable is an error, since an empty key or path would be
// worse.
Status Expand(Json* json, const Environment& environment) {
  if (json->is_structured()) {
    for (auto& item : *json) RETURN_IF_ERROR(Expand(&item, environment));
    return OkStatus();
  }
  if (!json->is_string()) return OkStatus();
  const std::string text = json->get<std::string>();
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t begin = text.find("${", at);
    size_t end = begin == std::string::npos ? begin : text.find('}', begin);
    if (end == std::string::npos) {
      out.append(text, at);
      break;
    }
    const std::string name = text.substr(begin + 2, end - begin - 2);
    auto value = environment(name);
    if (!value) {
      return Error(Code::kInvalid,
                   fmt::format("The configuration names the environment variable {}, which is not set.",
                               Shorten(name, 80)));
    }
    out.append(text, at, begin - at).append(*value);
    at = end + 1;
  }
  *json = std::move(out);
  return OkStatus();
}

// Calls `read` with a reader of the object under `key`, when there is one, and passes its first error on.
void Section(FieldReader& fields, std::string_view key, const std::function<void(FieldReader&)>& read) {
  Json object = nullptr;
  fields.Object(key, &object);
  if (object.is_null() || !fields.ok()) return;
  FieldReader inner(object, fmt::format("\"{}\" of the configuration", key));
  read(inner);
  Status status = inner.Finish();
  if (!status.ok()) fields.Fail(status);
}

// Like Section, for an object whose keys the user chooses.
void Named(FieldReader& fields, std::string_view key,
           const std::function<void(const std::string&, FieldReader&)>& read) {
  Json object = nullptr;
  fields.Object(key, &object);
  if (object.is_null() || !fields.ok()) return;
  for (const auto& [name, value] : object.items()) {
    FieldReader inner(value, fmt::format("\"{}.{}\" of the configuration", key, Shorten(name, 60)));
    read(name, inner);
    Status status = inner.Finish();
    if (!status.ok()) return fields.Fail(status);
  }
}

void Strings(FieldReader& fields, std::string_view key, std::vector<std::string>* out) {
  Json array = Json::array();
  fields.Array(key, &array, 100);
  for (const Json& item : array) {
    if (!item.is_string()) return fields.Refuse(key, "must be an array of strings");
    out->push_back(item.get<std::string>());
  }
}

// "sqlite:" and its kind: only the embedded backend exists so far; the others are refused by name and not
// ignored.
void Backend(FieldReader& fields, std::string_view key, std::string_view embedded, std::string* url) {
  *url = embedded;
  fields.String(key, url);
  if (fields.ok() && url->compare(0, embedded.size(), embedded) != 0) {
    fields.Fail(Error(Code::kUnsupported,
                      fmt::format("\"{}\": \"{}\" is not supported by this version.", key, Shorten(*url, 60)),
                      {.hint = fmt::format("Use \"{}\".", embedded), .object = std::string(key)}));
  }
}

void ReadCacheUrl(FieldReader& fields, Config* config) {
  std::string url;
  const Json* given = fields.Take("cache");
  if (given != nullptr && given->is_string() && NamesRedis(given->get_ref<const std::string&>())) {
    config->cache_url = given->get<std::string>();
    auto bytes = BytesOfCacheUrl(config->cache_url);
    if (!bytes.ok()) return fields.Fail(Annotate(bytes.status(), "\"cache\""));
    auto parsed = *bytes ? ParseBytes(**bytes) : StatusOr<uint64_t>(config->cache_bytes);
    if (!parsed.ok()) return fields.Fail(parsed.status());
    config->cache_bytes = *parsed;
    return;
  }
  Backend(fields, "cache", "memory:", &url);
  std::string_view rest = std::string_view(url).substr(std::min<size_t>(url.size(), 7));
  if (rest.empty() || !fields.ok()) return;
  if (rest.substr(0, 7) != "?bytes=") return fields.Refuse("cache", "takes \"memory:?bytes=50MiB\"");
  auto bytes = ParseBytes(rest.substr(7));
  if (!bytes.ok()) return fields.Fail(bytes.status());
  config->cache_bytes = *bytes;
}

void ReadWorkers(FieldReader& fields, Config* config) {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  config->threads = static_cast<int>(
      std::clamp(cores + 2, 4u, 16u));  // drawing and decoding fill the cores; the rest keeps answering
  const Json* workers = fields.Take("workers");
  if (workers == nullptr || *workers == "auto") return;
  if (*workers == "manual") {
    config->threads = 0;
  } else if (workers->is_number_integer() && workers->get<int64_t>() >= 1 && workers->get<int64_t>() <= 256) {
    config->threads = workers->get<int>();
  } else {
    fields.Refuse("workers", "must be \"auto\", \"manual\" or a number of threads from 1 to 256");
  }
}

void ReadSecret(FieldReader& fields, Config* config) {
  const Json* secret = fields.Take("secret");
  if (secret == nullptr) return;
  Json list = secret->is_array() ? *secret : Json::array({*secret});
  for (const Json& item : list) {
    if (!item.is_string() || item.get_ref<const std::string&>().size() < 16 || list.size() > 2) {
      return fields.Refuse("secret", "must be a string of at least 16 bytes, or [current, previous]");
    }
    config->secrets.push_back(item.get<std::string>());
  }
}

// A variable that is set to nothing holds no key.
bool HoldsKey(const Environment& environment, const std::string& name) {
  return !name.empty() && !environment(name).value_or("").empty();
}

// The first of the adapter's own names that holds a key, or the first of all, to be named in errors.
std::string DefaultKeyName(std::string_view type, const Environment& environment) {
  const std::vector<std::string> names = KeyNamesOf(type);
  for (const std::string& name : names) {
    if (HoldsKey(environment, name)) return name;
  }
  return names.empty() ? "" : names.front();
}

void ReadProvider(const std::string& name, FieldReader& fields, const Environment& environment,
                  Config* config) {
  ProviderConfig provider;
  provider.name = provider.type = name;
  fields.String("type", &provider.type, {.max_bytes = 64});
  provider.api_key_env = DefaultKeyName(provider.type, environment);
  fields.String("apiKeyEnv", &provider.api_key_env, {.max_bytes = 256});
  fields.String("apiKey", &provider.api_key, {.max_bytes = 4096});
  fields.String("baseUrl", &provider.base_url, {.max_bytes = 2048});
  fields.Int("timeoutMs", &provider.timeout_ms, 1000, 3'600'000);
  int64_t concurrency = provider.concurrency;
  fields.Int("concurrency", &concurrency, 1, 10'000);
  provider.concurrency = static_cast<int>(concurrency);
  fields.Bool("allowPrivateNetwork", &provider.allow_private_network);
  fields.String("webhookSecret", &provider.webhook_secret, {.max_bytes = 4096});
  ReadEstimates(fields, &provider.estimates);
  if (provider.type == "openrouter") {
    fields.String("appUrl", &provider.app_url, {.max_bytes = 2048});
    fields.String("appTitle", &provider.app_title, {.max_bytes = 256});
  }
  if (provider.type == "host") provider.host = std::make_shared<const HostOptions>(ReadHostOptions(fields));
  if (provider.api_key.empty() && !provider.api_key_env.empty())
    provider.api_key = environment(provider.api_key_env).value_or("");
  config->providers.push_back(std::move(provider));
}

void ReadProviders(FieldReader& fields, const Environment& environment, Config* config) {
  Named(fields, "providers",
        [&](const std::string& name, FieldReader& inner) { ReadProvider(name, inner, environment, config); });
  auto configured = [&](std::string_view name) {
    return std::any_of(config->providers.begin(), config->providers.end(),
                       [&](const ProviderConfig& provider) { return provider.name == name; });
  };
  auto add = [&](const std::string& name) {
    Json empty = Json::object();
    FieldReader inner(empty, name);
    ReadProvider(name, inner, environment, config);
  };
  if (!configured("sketch")) add("sketch");
  for (const ProviderConfig& provider : config->providers) {  // what "queues" does not say, the provider does
    const QueueSettings settings{.concurrency = provider.concurrency, .timeout_ms = provider.timeout_ms};
    if (provider.host) config->queues.try_emplace(HostQueueOf(provider.name), settings);
  }
  for (const std::string& type : AdapterTypes()) {
    if (HoldsKey(environment, DefaultKeyName(type, environment)) && !configured(type)) add(type);
  }
}

// A budget or limit of a misspelt provider would hold nothing back. The built-in ones are known even while no
// key is set.
void CheckProviderName(FieldReader& fields, std::string_view section, const std::string& name,
                       const Config& config) {
  std::vector<std::string> names = AdapterTypes();
  for (const ProviderConfig& provider : config.providers) names.push_back(provider.name);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  fields.Fail(
      Error(Code::kInvalid,
            fmt::format("\"{}\" of the configuration names \"{}\", which is not among its \"providers\".",
                        section, Shorten(name, 60)),
            {.object = name}));
}

void ReadProviderRateLimits(FieldReader& fields, const Json& limits, Config* config) {
  for (const auto& [name, text] : limits.items()) {
    CheckProviderName(fields, "rateLimits.perProvider", name, *config);
    if (!fields.ok()) return;
    if (!text.is_string()) return fields.Refuse("perProvider", "must hold texts such as \"60/min\"");
    auto rule = ParseLimitRule(ProviderRuleName(name), text.get_ref<const std::string&>());
    if (!rule.ok()) return fields.Fail(rule.status());
    config->provider_rate_limits.push_back(*rule);
  }
}

void ReadRateLimits(FieldReader& fields, Config* config) {
  std::map<std::string, std::string> limits = {{"generations", "5/min"}, {"images", "60/min"},
                                               {"sessions", "30/min"},   {"writes", "120/min"},
                                               {"pictures", "3000/min"}, {"render", "60/min"}};
  Section(fields, "rateLimits", [&](FieldReader& inner) {
    for (auto& [name, text] : limits) inner.String(name, &text, {.max_bytes = 32});
    Json per_provider = Json::object();
    inner.Object("perProvider", &per_provider);
    if (inner.ok()) ReadProviderRateLimits(inner, per_provider, config);
  });
  for (const auto& [name, text] : limits) {
    auto rule = ParseLimitRule(name, text);
    if (!rule.ok()) return fields.Fail(rule.status());
    config->rate_limits.push_back(*rule);
  }
}

void ReadMedia(FieldReader& fields, Config* config) {
  Section(fields, "media", [&](FieldReader& inner) {
    std::vector<std::string> names;
    Strings(inner, "recipes", &names);
    for (const std::string& name : names) {
      auto recipe = Recipe::Parse(name);
      if (!recipe.ok()) return inner.Fail(recipe.status());
      config->recipes.push_back(*recipe);
    }
    inner.Int("maxPixels", &config->max_pixels, 1, 2'000'000'000);
    inner.Int("maxUploadBytes", &config->max_upload_bytes, 1024, int64_t{4} << 30);
    inner.Bool("allowPrivateNetwork", &config->upload_private_network);
    inner.Int("decodeBudgetBytes", &config->decode_budget_bytes, 1 << 20, int64_t{64} << 30);
  });
}

// What can never equal a browser's Origin would allow nothing, silently.
void ReadOrigins(FieldReader& fields, std::string_view name, bool any, std::vector<std::string>* origins) {
  Strings(fields, name, origins);
  for (const std::string& origin : *origins) {
    if (IsOrigin(origin) || (any && origin == "*")) continue;
    fields.Fail(Error(Code::kInvalid,
                      fmt::format("\"http.{}\" holds \"{}\", which is no origin.", name, Shorten(origin, 80)),
                      {.hint = "An origin is scheme, host and port in lower case, without a path and without "
                               "the scheme's own port: https://app.example or http://localhost:3000."}));
  }
}

void ReadHttp(FieldReader& fields, Config* config) {
  Section(fields, "http", [&](FieldReader& inner) {
    ReadOrigins(inner, "allowedOrigins", false, &config->allowed_origins);
    ReadOrigins(inner, "corsOrigins", true, &config->cors_origins);
    inner.String("wwwAuthenticate", &config->www_authenticate, {.max_bytes = 256});
    int64_t hops = 0, prefix = config->addresses.ipv6_prefix;
    std::string header = "x-forwarded-for";
    inner.Int("trustedHops", &hops, 0, kMostTrustedHops);
    inner.Int("ipv6Prefix", &prefix, 32, 128);
    inner.String("forwardedHeader", &header, {.one_of = {"x-forwarded-for", "forwarded"}});
    config->addresses = {static_cast<int>(prefix), static_cast<int>(hops), header == "forwarded"};
  });
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

StatusOr<uint64_t> ParseBytes(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  int shift = unit.empty() ? 0 : unit == "KiB" ? 10 : unit == "MiB" ? 20 : unit == "GiB" ? 30 : -1;
  if (error != std::errc() || shift < 0 || number == 0 || number > (UINT64_MAX >> 20 >> 20)) {
    return Error(Code::kInvalid,
                 fmt::format("\"{}\" is not a size; sizes look like 50MiB.", Shorten(text, 40)));
  }
  return number << shift;
}

StatusOr<Config> ParseConfig(std::string_view text, const Environment& environment) {
  Json json = Json::object();
  if (!Trim(text).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(text, "The configuration"));
  }
  RETURN_IF_ERROR(Expand(&json, environment));
  Config config;
  FieldReader fields(json, "the configuration");
  fields.String("dataDir", &config.data_dir, {.max_bytes = 4000});
  if (fields.ok() && (config.data_dir.empty() || config.data_dir.find('\0') != std::string::npos))
    fields.Refuse("dataDir", "must be a path");
  std::string url;
  Backend(fields, "store", "sqlite:", &url);
  Backend(fields, "blobs", "file:", &url);
  fields.String("limits", &config.limits_url, {.max_bytes = 2048});
  if (fields.ok() && config.limits_url != "memory:" && !NamesRedis(config.limits_url))
    fields.Refuse("limits", "takes \"memory:\" or \"redis://host:6379?onFailure=open\"");
  ReadCacheUrl(fields, &config);
  ReadWorkers(fields, &config);
  std::string durability = "full";
  fields.String("durability", &durability, {.one_of = {"full", "relaxed"}});
  config.relaxed = durability == "relaxed";
  ReadSecret(fields, &config);
  fields.String("publicBaseUrl", &config.public_base_url, {.max_bytes = 2048});
  while (!config.public_base_url.empty() && config.public_base_url.back() == '/')
    config.public_base_url.pop_back();
  ReadHttp(fields, &config);
  Section(fields, "events", [&](FieldReader& inner) {
    inner.Int("retentionMs", &config.event_retention_ms, 1000, int64_t{366} * 86'400'000);
    inner.Int("backlog", &config.event_backlog, 10, 1'000'000);
  });
  config.queues["generate"] = QueueSettings{.concurrency = 3, .per_provider = 10, .per_user = 2};
  config.queues["media"] = QueueSettings{.concurrency = 2};
  Named(fields, "queues",
        [&](const std::string& name, FieldReader& inner) { ReadQueueSettings(inner, &config.queues[name]); });
  ReadProviders(fields, environment, &config);
  ReadRateLimits(fields, &config);
  ReadBudgets(fields, &config.budgets);
  for (const auto& [provider, budget] : config.budgets.per_provider)
    CheckProviderName(fields, "budgets.perProvider", provider, config);
  ReadMedia(fields, &config);
  RETURN_IF_ERROR(fields.Finish());
  return config;
}

}  // namespace mediagen
