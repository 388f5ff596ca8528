// The components alone: a store, a queue or a cache without an engine around it.
#include <algorithm>
#include <chrono>
#include <thread>

#include "base/fork.h"
#include "base/json.h"
#include "cache/on_redis.h"
#include "engine/engine.h"
#include "engine/wiring.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

// A backend's owner: closes what it holds when the last handle goes.
struct Alone {
  std::unique_ptr<Components> components;
  ForkGuard guard;
  ~Alone() {
    if (!guard.forked()) {
      if (components) Unwire(*components);
      return;
    }
    components->store->Abandon();
    if (components->queues) components->queues->Abandon();
    (void)components.release();
  }
};

StatusOr<Backend> OpenAlone(std::string_view config_json, Extent extent,
                            std::initializer_list<std::string_view> keys) {
  // The same document as an engine's, less the keys that mean nothing here.
  Json json = Json::object();
  if (!Trim(config_json).empty()) {
    ASSIGN_OR_RETURN(json, ParseJson(config_json, "The configuration"));
  }
  FieldReader fields(json, "the configuration");
  for (std::string_view key : keys) (void)fields.Take(key);
  RETURN_IF_ERROR(fields.Finish());
  ASSIGN_OR_RETURN(Config config, ParseConfig(Dump(json), ProcessEnvironment()));
  if (config.threads > 2) config.threads = 2;
  auto alone = std::make_shared<Alone>();
  ASSIGN_OR_RETURN(alone->components, Wire(std::move(config), {}, extent));
  Components& c = *alone->components;
  Backend backend;
  backend.store = c.store.get();
  backend.queues = c.queues.get();
  backend.executor = c.executor.get();
  backend.ids = c.ids.get();
  backend.clock = c.clock;
  backend.threaded = c.threaded();
  if (!backend.threaded) {
    backend.drive = [weak = std::weak_ptr<Alone>(alone)](int64_t ms) {
      auto self = weak.lock();
      if (!self) return false;
      if (!DriveOnce(*self->components)) {
        // No descriptor to wait on here: a short nap, bounded by what is due.
        int64_t nap = std::clamp<int64_t>(NextDue(*self->components) - self->components->clock->MonotonicMs(),
                                          0, std::min<int64_t>(ms, 5));
        std::this_thread::sleep_for(std::chrono::milliseconds(nap));
      }
      return true;
    };
  }
  backend.owner = std::move(alone);
  return backend;
}

}  // namespace

StatusOr<Backend> OpenStoreAlone(std::string_view config_json) {
  return OpenAlone(config_json, Extent::kStore, {"dataDir", "store", "durability", "workers"});
}

StatusOr<Backend> OpenQueueAlone(std::string_view config_json) {
  return OpenAlone(config_json, Extent::kQueue, {"dataDir", "store", "durability", "workers", "queues"});
}

StatusOr<std::shared_ptr<Cache>> OpenCacheAlone(std::string_view config_json) {
  // "url" is for the second level, all else for the memory in front.
  std::string url, memory(config_json);
  if (!Trim(config_json).empty()) {
    ASSIGN_OR_RETURN(Json json, ParseJson(config_json, "The cache's configuration"));
    if (json.is_object() && json.contains("url")) {
      if (!json["url"].is_string() || !NamesRedis(json["url"].get_ref<const std::string&>()))
        return Error(Code::kInvalid, "\"url\" of the cache's configuration is no \"redis://host\".");
      url = json["url"].get<std::string>();
      json.erase("url");
      memory = Dump(json);
    }
  }
  ASSIGN_OR_RETURN(const MemoryCacheOptions options, ParseMemoryCacheOptions(memory));
  std::unique_ptr<Cache> cache = WireCache(SystemClock(), options);
  if (url.empty()) return std::shared_ptr<Cache>(std::move(cache));
  ASSIGN_OR_RETURN(CacheOnRedis tiered, NewCacheOnRedis(SystemClock(), std::move(cache), url, nullptr));
  return std::shared_ptr<Cache>(std::move(tiered.cache));
}

}  // namespace mediagen
