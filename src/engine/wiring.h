// Wiring: from a Config to the objects that serve it. wiring.cc is the only file that names concrete
// backends.
#pragma once

#include <memory>
#include <string>

#include "api/invalidation.h"
#include "api/router.h"
#include "cache/options.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "pipeline/pipeline.h"

namespace mediagen {

// Everything that an engine owns, in the order in which it is made; destroyed in the reverse order.
struct Components {
  Config config;
  Clock* clock = nullptr;
  FileSystem* files = nullptr;
  Random* random = nullptr;
  std::string sqlite_vfs;
  Landmarks* landmarks = nullptr;
  std::string secret;  // what cursors and URLs are signed with
  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<LogSink> log;
  std::unique_ptr<IdSource> ids;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Store> store;
  std::unique_ptr<Queues> queues;
  // The rest only in a whole engine.
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<Cache> cache;
  std::function<void()> stop_cache;  // of one with a second level; may be empty
  std::unique_ptr<Limiter> limiter;
  std::unique_ptr<LeaseBook> leases;
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<Media> media;
  std::unique_ptr<Hub> hub;
  std::unique_ptr<Pipeline> pipeline;
  Followed followed;  // keeps memory in step with the event log
  std::unique_ptr<Router> router;

  bool threaded() const { return config.threads > 0; }
};

enum class Extent { kStore, kQueue, kEngine };

// Opens what `extent` needs. On an error everything opened before is closed again.
StatusOr<std::unique_ptr<Components>> Wire(Config config, const EngineEnvironment& environment,
                                           Extent extent);

// The cache alone.
std::unique_ptr<Cache> WireCache(Clock* clock, const MemoryCacheOptions& options);

// The limiter that `url` names, in this process's memory or in a Redis: "memory:", or redis:// as
// limit/redis/redis.h has it. `max_keys` bounds the memory; without `threaded` it starts no thread.
StatusOr<std::unique_ptr<Limiter>> WireLimiter(Clock* clock, std::string_view url,
                                               std::vector<LimitRule> rules, size_t max_keys, LogSink* log,
                                               bool threaded = true);

// Ends threads and closes files, in the order in which nothing is waited for twice. Idempotent. Blocks.
void Unwire(Components& components);

// Does a little of everything that is due, on this thread. True when something was done.
bool DriveOnce(Components& components);
// Monotonic ms of whatever is due next; INT64_MAX when nothing is.
int64_t NextDue(Components& components);

}  // namespace mediagen
