// Works: the whole pipeline with threads of its own, over one directory and the simulator's five wires.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "blob/fs/fs.h"
#include "cache/memory/memory.h"
#include "pipeline/pipeline.h"
#include "provider/host_options.h"
#include "simulator/wires.h"
#include "store/sqlite/open.h"
#include "support/simulator.h"
#include "support/temp_dir.h"

namespace mediagen::testing {

// How a Works hears of webhooks: at this URL, and whether the secrets of those that publish none are known.
struct WebhookSettings {
  std::string public_base_url;
  bool secrets = true;
};
inline constexpr char kWorksSecret[] = "a secret of the works";

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
  std::function<void(const Id&)> host_canceled;  // told of jobs of the host's providers that are held here

  Works(const std::string& dir, const std::string& origin, const RetryPolicy& retry = {},
        const WebhookSettings& webhooks = {}, const Budgets& budgets = {},
        const std::map<std::string, int64_t>& estimates = {}) {
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
      if (wake.queues && pipeline) pipeline->QueuesWoke();
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
    parts.public_base_url = webhooks.public_base_url;
    parts.secrets = {kWorksSecret};
    for (const auto& [name, path] : simulator::kWires) {
      ProviderConfig provider{.name = name, .type = name, .base_url = origin + path, .api_key = "simulated"};
      provider.allow_private_network = true;
      provider.estimates = estimates;
      const std::string_view type = name;
      if (webhooks.secrets && type == "openrouter")
        provider.webhook_secret = simulator::kOpenRouterWebhookSecret;
      if (webhooks.secrets && (type == "openai" || type == "gemini"))
        provider.webhook_secret = simulator::kStandardWebhookSecret;
      parts.providers[name] = Must(NewAdapter(provider));
    }
    parts.providers["sketch"] = Must(NewAdapter({.name = "sketch", .type = "sketch"}));
    for (const char* name : {"mine", "hired"}) {
      HostOptions options = DefaultHostOptions();
      options.paid = std::string_view(name) == "hired";
      ProviderConfig provider{.name = name, .type = "host"};
      provider.host = std::make_shared<const HostOptions>(options);
      parts.providers[name] = Must(NewAdapter(provider));
      queues->Configure(HostQueueOf(name), {.concurrency = 8, .retry = retry});
      queues->Serve(HostQueueOf(name), nullptr, [this](const Id& job) {
        if (host_canceled) host_canceled(job);
      });
    }
    parts.budgets = budgets;
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
    StatusOr<BufferRef> record = Try(begin);
    if (!record.ok()) FAIL(ErrorJson(record.status()));
    return Json::parse(record->view());
  }
  StatusOr<BufferRef> Try(const std::function<void(RecordDone)>& begin) {
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
    return *std::move(got);
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
  // The record of an upload.
  Json Upload(const NewUpload& upload, std::string bytes) {
    return Wait([&](RecordDone done) {
      pipeline->Upload(upload, BufferRef::Own(std::move(bytes)), "",
                       [done = std::move(done)](StatusOr<Uploaded> uploaded) {
                         uploaded.ok() ? done(std::move(uploaded->record)) : done(uploaded.status());
                       });
    });
  }
  // What a submit that is to be refused is answered.
  Status Refusal(const Json& request) {
    auto parsed = ParseGenerationRequest(Dump(request), std::nullopt, std::nullopt);
    if (!parsed.ok()) return parsed.status();
    return Try([&](RecordDone done) { pipeline->Submit(*parsed, "", std::move(done)); }).status();
  }
  Json Decide(void (Pipeline::*what)(const Viewer&, std::string_view, std::string_view, RecordDone),
              const std::string& id) {
    return Wait([&](RecordDone done) {
      (pipeline.get()->*what)({.all = true, .user = ""}, id, "", std::move(done));
    });
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

// As if another process had taken the generation's job and let its one part rest: the attempt goes `from` one
// state `to` another.
inline Status RestElsewhere(Store& store, const Id& id, AttemptState from, AttemptState to,
                            std::string_view part_state, GenerationStatus status) {
  return store.Commit([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto row, transaction.records().FindGeneration(id));
    ASSIGN_OR_RETURN(auto parts, transaction.records().PartsOf(id));
    ASSIGN_OR_RETURN(auto attempts, transaction.records().AttemptsOf(id));
    attempts[0].state = to;
    RETURN_IF_ERROR(transaction.records().MoveAttempt(attempts[0], std::array{from}).status());
    parts[0].state = part_state;
    RETURN_IF_ERROR(transaction.records().UpdatePart(parts[0]));
    ASSIGN_OR_RETURN(auto job, transaction.jobs().Find(row->job));
    const uint64_t fence = job->fence++;
    job->state = JobState::kDone;
    job->worker = Id{};
    RETURN_IF_ERROR(transaction.jobs().Update(*job, fence));
    row->status = status;
    return transaction.records().UpdateGeneration(*row);
  });
}

}  // namespace mediagen::testing
