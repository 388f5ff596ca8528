#include "engine/wiring.h"

#include <algorithm>

#include "api/rate.h"
#include "base/hash.h"
#include "blob/fs/fs.h"
#include "cache/export.h"
#include "cache/memory/memory.h"
#include "cache/on_redis.h"
#include "fmt/format.h"
#include "limit/memory/memory.h"
#include "limit/redis/redis.h"
#include "store/sqlite/open.h"

namespace mediagen {
namespace {

constexpr size_t kLimiterKeys = 1 << 20;  // some 20 MB when all of them are limited

// The signing secret: the configured one, or one made once and kept, readable by its owner only, in the data
// directory.
Status LoadSecret(Components& c) {
  if (!c.config.secrets.empty()) {
    c.secret = c.config.secrets.front();
    return OkStatus();
  }
  const std::string path = c.config.data_dir + "/secret";
  auto kept = c.files->Read(path, 4096);
  if (!kept.ok() && CodeOf(kept.status()) != Code::kNotFound) return kept.status();
  if (!kept.ok()) {
    char bytes[32];
    c.random->Fill(bytes, sizeof bytes);
    const std::string made = Hex(std::string_view(bytes, sizeof bytes));
    // Two engines may open a new directory at once: a link to a finished file succeeds for one of them only,
    // and both read what stands there.
    const std::string draft = fmt::format("{}.{}", path, c.ids->Next().text());
    RETURN_IF_ERROR(c.files->WriteDurably(draft, made, true));
    (void)c.files->Link(draft, path);
    RETURN_IF_ERROR(c.files->Remove(draft));
    kept = c.files->Read(path, 4096);
    if (!kept.ok()) return kept.status();
  }
  c.secret = std::string(kept->view());
  if (c.secret.size() < 16)
    return Error(Code::kCorrupt, fmt::format("The file {} is too short to be a secret.", path),
                 {.hint = "Delete it: a new one is made."});
  return OkStatus();
}

Status OpenProviders(Components& c, PipelineParts* parts) {
  for (const ProviderConfig& provider : c.config.providers) {
    auto adapter = NewAdapter(provider);
    if (!adapter.ok()) return Annotate(adapter.status(), fmt::format("provider \"{}\"", provider.name));
    parts->providers[provider.name] = std::move(*adapter);
  }
  return OkStatus();
}

Status OpenStore(Components& c) {
  RETURN_IF_ERROR(c.files->MakeDirs(c.config.data_dir));
  SqliteOptions options;
  options.dir = c.config.data_dir;
  options.threaded = c.threaded();
  options.relaxed = c.config.relaxed;
  options.vfs = c.sqlite_vfs;
  options.landmarks = c.landmarks;
  ASSIGN_OR_RETURN(c.store, OpenSqliteStore(c.clock, c.files, c.metrics.get(), c.log.get(), options));
  return OkStatus();
}

Status OpenQueue(Components& c) {
  QueuesOptions options;
  options.dir = c.config.data_dir;
  options.threaded = c.threaded();
  ASSIGN_OR_RETURN(c.queues, OpenQueues(c.store.get(), c.executor.get(), c.clock, c.random, c.ids.get(),
                                        c.files, c.metrics.get(), c.log.get(), options));
  for (const auto& [name, settings] : c.config.queues) c.queues->Configure(name, settings);
  return OkStatus();
}

Status OpenLimits(Components& c) {
  std::vector<LimitRule> rules = WithAddressRules(c.config.rate_limits);
  rules.insert(rules.end(), c.config.provider_rate_limits.begin(), c.config.provider_rate_limits.end());
  auto limiter =
      WireLimiter(c.clock, c.config.limits_url, std::move(rules), kLimiterKeys, c.log.get(), c.threaded());
  if (!limiter.ok()) return Annotate(limiter.status(), "\"limits\"");
  c.limiter = *std::move(limiter);
  c.leases = std::make_unique<LeaseBook>(c.limiter.get());
  return OkStatus();
}

Status OpenRest(Components& c) {
  ASSIGN_OR_RETURN(c.blobs, OpenFileBlobs(c.files, c.config.data_dir + "/blobs"));
  RETURN_IF_ERROR(LoadSecret(c));
  c.cache = WireCache(c.clock, {.budget_bytes = c.config.cache_bytes});
  if (!c.config.cache_url.empty()) {
    if (!c.threaded()) {
      return Error(Code::kUnsupported,
                   "A cache on Redis has a thread, and \"workers\": \"manual\" starts none.",
                   {.hint = "Use \"memory:\", or let it have workers.", .object = "cache"});
    }
    ASSIGN_OR_RETURN(CacheOnRedis tiered,
                     NewCacheOnRedis(c.clock, std::move(c.cache), c.config.cache_url, c.log.get()));
    c.cache = std::move(tiered.cache);
    c.stop_cache = std::move(tiered.stop);
  }
  ExportCacheStats(c.cache.get(), c.metrics.get());
  RETURN_IF_ERROR(OpenLimits(c));
  ASSIGN_OR_RETURN(c.http,
                   NewHttpClient(c.clock, c.executor.get(), c.metrics.get(), {.threaded = c.threaded()}));
  MediaOptions media;
  media.limits.max_pixels = static_cast<uint64_t>(c.config.max_pixels);
  media.decode_budget_bytes = static_cast<uint64_t>(c.config.decode_budget_bytes);
  c.media = std::make_unique<Media>(c.store.get(), c.blobs.get(), c.cache.get(), c.executor.get(),
                                    c.metrics.get(), media);
  c.hub = Hub::New(
      c.store.get(), c.executor.get(), c.clock, c.metrics.get(), c.log.get(),
      {.backlog = static_cast<size_t>(c.config.event_backlog), .retention_ms = c.config.event_retention_ms});
  c.store->OnWake([hub = c.hub.get()](const Store::Wake& wake) {
    if (wake.events) hub->Poke();
  });
  RETURN_IF_ERROR(c.hub->Start());
  ASSIGN_OR_RETURN(c.followed, FollowRecords(c.hub.get(), c.media.get(), c.cache.get(), c.leases.get()));

  PipelineParts parts;
  parts.store = c.store.get();
  parts.queues = c.queues.get();
  parts.media = c.media.get();
  parts.hub = c.hub.get();
  parts.http = c.http.get();
  parts.executor = c.executor.get();
  parts.clock = c.clock;
  parts.random = c.random;
  parts.ids = c.ids.get();
  parts.metrics = c.metrics.get();
  parts.log = c.log.get();
  parts.budgets = c.config.budgets;
  parts.landmarks = c.landmarks;
  parts.public_base_url = c.config.public_base_url;
  parts.secrets = c.config.secrets.empty() ? std::vector<std::string>{c.secret} : c.config.secrets;
  parts.max_upload_bytes = static_cast<uint64_t>(c.config.max_upload_bytes);
  parts.upload_private_network = c.config.upload_private_network;
  RETURN_IF_ERROR(OpenProviders(c, &parts));
  c.pipeline = std::make_unique<Pipeline>(std::move(parts));
  c.store->OnWake([pipeline = c.pipeline.get()](const Store::Wake& wake) {
    if (wake.queues) pipeline->QueuesWoke();
  });

  RouterOptions router;
  router.secret = c.secret;
  router.secrets = c.config.secrets.empty() ? std::vector<std::string>{c.secret} : c.config.secrets;
  router.origins = {c.config.allowed_origins, c.config.cors_origins};
  router.www_authenticate = c.config.www_authenticate;
  router.addresses = c.config.addresses;
  router.recipes = c.config.recipes;
  router.max_body_bytes = static_cast<uint64_t>(c.config.max_upload_bytes);
  c.router = std::make_unique<Router>(
      RouterParts{c.pipeline.get(), c.media.get(), c.hub.get(), c.limiter.get(), c.executor.get(), c.clock,
                  c.metrics.get(), c.cache.get(), c.followed.sequence.get(), c.leases.get()},
      router);
  return OkStatus();
}

Status Open(Components& c, Extent extent) {
  RETURN_IF_ERROR(OpenStore(c));
  if (extent == Extent::kStore) return OkStatus();
  RETURN_IF_ERROR(OpenQueue(c));
  if (extent == Extent::kEngine) {
    RETURN_IF_ERROR(OpenRest(c));
    c.pipeline->Serve();
  }
  return c.queues->Start();
}

}  // namespace

StatusOr<std::unique_ptr<Components>> Wire(Config config, const EngineEnvironment& environment,
                                           Extent extent) {
  auto c = std::make_unique<Components>();
  c->config = std::move(config);
  c->clock = environment.clock != nullptr ? environment.clock : SystemClock();
  c->files = environment.files != nullptr ? environment.files : SystemFiles();
  c->random = environment.random != nullptr ? environment.random : SystemRandom();
  c->sqlite_vfs = environment.sqlite_vfs;
  c->landmarks = environment.landmarks;
  c->metrics = std::make_unique<Metrics>();
  c->log = std::make_unique<LogSink>(c->clock);
  c->ids = std::make_unique<IdSource>(c->clock, c->random);
  c->executor = c->threaded() ? NewThreadExecutor(c->clock, c->config.threads, "mediagen")
                              : NewManualExecutor(c->clock);
  Status opened = Open(*c, extent);
  if (!opened.ok()) {
    Unwire(*c);
    return opened;
  }
  return c;
}

std::unique_ptr<Cache> WireCache(Clock* clock, const MemoryCacheOptions& options) {
  return NewMemoryCache(clock, options);
}

StatusOr<std::unique_ptr<Limiter>> WireLimiter(Clock* clock, std::string_view url,
                                               std::vector<LimitRule> rules, size_t max_keys, LogSink* log,
                                               bool threaded) {
  if (url == "memory:") return NewMemoryLimiter(clock, std::move(rules), max_keys);
  // Redis decides by its own time, and how long a call waits for it is nothing that a test's clock could say.
  return NewRedisLimiter(SystemClock(), url, std::move(rules),
                         {.threaded = threaded, .log = log, .max_local_keys = max_keys});
}

void Unwire(Components& c) {
  if (c.queues) c.queues->StopClaiming();
  if (c.pipeline) c.pipeline->Stop();
  if (c.queues) c.queues->HandBack();
  if (c.hub) c.hub->Stop();
  if (c.http) c.http->Stop();
  if (c.executor) c.executor->Stop();
  if (c.stop_cache) c.stop_cache();
  if (c.store) c.store->Stop();
  // It answers what it was asked, to who is still there to be told that the engine is closed.
  c.leases.reset();
  c.limiter.reset();
}

bool DriveOnce(Components& c) {
  bool did = c.store->RunOnce();
  if (c.queues) did = c.queues->RunOnce() || did;
  if (c.http) did = c.http->Poll(0) || did;
  return c.executor->RunOne() || did;
}

int64_t NextDue(Components& c) {
  int64_t due = c.executor->NextDue();
  return c.queues ? std::min(due, c.queues->NextDue()) : due;
}

}  // namespace mediagen
