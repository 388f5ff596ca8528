// Works: the whole pipeline with threads of its own, over one directory and the simulator's five wires.
#pragma once

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "blob/fs/fs.h"
#include "cache/memory/memory.h"
#include "pipeline/pipeline.h"
#include "simulator/wires.h"
#include "store/sqlite/open.h"
#include "support/simulator.h"
#include "support/temp_dir.h"

namespace mediagen::testing {

// The whole pipeline with threads of its own, over one directory.
struct Works {
  Metrics metrics;
  LogSink log{SystemClock()};
  IdSource ids{SystemClock(), SystemRandom()};
  std::unique_ptr<Executor> executor = NewThreadExecutor(SystemClock(), 4, "test");
  std::unique_ptr<Store> store;
  std::unique_ptr<Queues> queues;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<Cache> cache = NewMemoryCache(SystemClock(), {});
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<Media> media;
  std::unique_ptr<Hub> hub;
  std::unique_ptr<Pipeline> pipeline;

  Works(const std::string& dir, const std::string& origin, const RetryPolicy& retry = {}) {
    SqliteOptions options;
    options.dir = dir;
    store = Must(OpenSqliteStore(SystemClock(), SystemFiles(), &metrics, &log, options));
    queues = Must(OpenQueues(store.get(), executor.get(), SystemClock(), SystemRandom(), &ids, SystemFiles(),
                             &metrics, &log, {.dir = dir}));
    queues->Configure("generate", {.concurrency = 8, .retry = retry});
    blobs = Must(OpenFileBlobs(SystemFiles(), dir + "/blobs"));
    http = Must(NewHttpClient(SystemClock(), executor.get(), &metrics, {}));
    media = std::make_unique<Media>(store.get(), blobs.get(), cache.get(), executor.get(), &metrics,
                                    MediaOptions{});
    hub = Hub::New(store.get(), executor.get(), SystemClock(), &metrics, &log, {});
    store->OnWake([this](const Store::Wake& wake) {
      if (wake.events) hub->Poke();
    });
    REQUIRE(hub->Start().ok());
    PipelineParts parts;
    parts.store = store.get();
    parts.queues = queues.get();
    parts.media = media.get();
    parts.hub = hub.get();
    parts.http = http.get();
    parts.executor = executor.get();
    parts.clock = SystemClock();
    parts.random = SystemRandom();
    parts.ids = &ids;
    parts.metrics = &metrics;
    parts.log = &log;
    for (const auto& [name, path] : simulator::kWires) {
      ProviderConfig provider{.name = name, .type = name, .base_url = origin + path, .api_key = "simulated"};
      provider.allow_private_network = true;
      parts.providers[name] = Must(NewAdapter(provider));
    }
    parts.providers["sketch"] = Must(NewAdapter({.name = "sketch", .type = "sketch"}));
    pipeline = std::make_unique<Pipeline>(std::move(parts));
    pipeline->Serve();
    REQUIRE(queues->Start().ok());
  }
  ~Works() {
    queues->StopClaiming();
    pipeline->Stop();
    queues->HandBack();
    hub->Stop();
    http->Stop();
    executor->Stop();
    store->Stop();
  }

  template <typename T>
  static T Must(StatusOr<T> value) {
    if (!value.ok()) FAIL(ErrorJson(value.status()));
    return std::move(*value);
  }

  Json Wait(const std::function<void(RecordDone)>& begin) {
    std::mutex mutex;
    std::condition_variable cv;
    std::optional<StatusOr<BufferRef>> got;
    begin([&](StatusOr<BufferRef> record) {
      std::lock_guard lock(mutex);
      got = std::move(record);
      cv.notify_all();
    });
    std::unique_lock lock(mutex);
    REQUIRE(cv.wait_for(lock, std::chrono::seconds(60), [&] { return got.has_value(); }));
    if (!got->ok()) FAIL(ErrorJson(got->status()));
    return Json::parse((*got)->view());
  }

  Json Submit(const std::string& prompt, const Json& simulate, int n = 1,
              const char* provider = "replicate") {
    Json request = {{"user", "u1"}, {"provider", provider}, {"model", "simulated/model"}, {"prompt", prompt},
                    {"n", n},       {"size", "64x64"}};
    if (!simulate.empty()) request["options"] = {{"simulate", simulate}};
    if (std::string_view(provider) == "sketch") request.erase("model");
    return Submit(request);
  }
  Json Submit(const Json& request) {
    auto parsed = ParseGenerationRequest(Dump(request), std::nullopt, std::nullopt);
    if (!parsed.ok()) FAIL(ErrorJson(parsed.status()));
    return Wait([&](RecordDone done) { pipeline->Submit(*parsed, "", std::move(done)); });
  }
  Json Rest(const std::string& id) {
    std::function<void()> give_up;
    return Wait([&](RecordDone done) {
      give_up = pipeline->Await({.all = true, .user = ""}, id, "", std::move(done));
    });
  }
  Json Run(const std::string& prompt, const Json& simulate, int n = 1) {
    return Rest(Submit(prompt, simulate, n)["id"]);
  }
};

}  // namespace mediagen::testing
