// Thousands of generations wait at a provider at once: on one thread, each with a slot and a timer.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "blob/fs/fs.h"
#include "cache/memory/memory.h"
#include "fmt/format.h"
#include "pipeline/pipeline.h"
#include "store/sqlite/open.h"
#include "support/temp_dir.h"
#include "support/wire.h"

using namespace mediagen;
using mediagen::testing::Answer;
using mediagen::testing::TempDir;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kGenerations = 1'000;  // a sanitizer makes everything several times slower and larger
constexpr int64_t kMostBytesEach = 0;
#else
constexpr int kGenerations = 10'000;
constexpr int64_t kMostBytesEach = 24 << 10;
#endif

// A red pixel.
constexpr char kPicture[] =
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

// Replicate as one sees it from here: takes everything, and is done with nothing before it is told to be.
class PatientRemote final : public HttpClient {
 public:
  explicit PatientRemote(Executor* executor) : executor_(executor) {}

  HttpCallId Send(HttpRequest request, HttpDone done) override {
    const std::string url = request.url;
    std::string id = url.substr(url.rfind('/') + 1);
    if (request.once) id = fmt::format("p{}", ++paid_);
    Json prediction = {{"id", id},
                       {"status", finished_ ? "succeeded" : "processing"},
                       {"urls", {{"get", "https://api.replicate.com/v1/predictions/" + id}}}};
    if (finished_) prediction["output"] = {kPicture};
    executor_->Post([done = std::move(done), body = prediction.dump(), status = request.once ? 201 : 200] {
      done(Answer(status, body));
    });
    return 0;
  }
  void Cancel(HttpCallId) override {}
  bool Poll(int64_t) override { return false; }
  void Wake() override {}
  size_t active() const override { return 0; }
  void Stop() override {}

  int paid() const { return paid_; }
  void FinishAll() { finished_ = true; }

 private:
  Executor* const executor_;
  int paid_ = 0;
  bool finished_ = false;
};

// The pipeline on this thread alone, over a clock that the test moves.
struct OneThread {
  TempDir dir;
  FakeClock clock;
  Metrics metrics;
  LogSink log{&clock};
  IdSource ids{&clock, SystemRandom()};
  std::unique_ptr<Executor> executor = NewManualExecutor(&clock);
  PatientRemote remote{executor.get()};
  std::unique_ptr<Store> store;
  std::unique_ptr<Queues> queues;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<Cache> cache = NewMemoryCache(&clock, {});
  std::unique_ptr<Media> media;
  std::unique_ptr<Hub> hub;
  std::unique_ptr<Pipeline> pipeline;

  OneThread() {
    const SqliteOptions options{.dir = dir.path(), .threaded = false, .relaxed = true, .reserve_bytes = 0};
    store = Must(OpenSqliteStore(&clock, SystemFiles(), &metrics, &log, options));
    queues = Must(OpenQueues(store.get(), executor.get(), &clock, SystemRandom(), &ids, SystemFiles(),
                             &metrics, &log, {.dir = dir.path(), .threaded = false}));
    queues->Configure("generate", {.concurrency = kGenerations});
    queues->Configure("media", {.paused = true});  // thumbnails are not what is looked at
    blobs = Must(OpenFileBlobs(SystemFiles(), dir.path() + "/blobs"));
    media = std::make_unique<Media>(store.get(), blobs.get(), cache.get(), executor.get(), &metrics,
                                    MediaOptions{});
    hub = Hub::New(store.get(), executor.get(), &clock, &metrics, &log, {});
    PipelineParts parts;
    parts.store = store.get();
    parts.queues = queues.get();
    parts.media = media.get();
    parts.hub = hub.get();
    parts.http = &remote;
    parts.executor = executor.get();
    parts.clock = &clock;
    parts.random = SystemRandom();
    parts.ids = &ids;
    parts.metrics = &metrics;
    parts.log = &log;
    ProviderConfig provider{.name = "replicate", .type = "replicate", .api_key = "simulated"};
    provider.concurrency = kGenerations;
    parts.providers["replicate"] = Must(NewAdapter(std::move(provider)));
    pipeline = std::make_unique<Pipeline>(std::move(parts));
    pipeline->Serve();
    REQUIRE(queues->Start().ok());
  }
  ~OneThread() {
    queues->StopClaiming();
    pipeline->Stop();
    queues->HandBack();
    executor->Stop();
    store->Stop();
  }

  template <typename T>
  static T Must(StatusOr<T> value) {
    if (!value.ok()) FAIL(ErrorJson(value.status()));
    return std::move(*value);
  }

  void Submit(int number) {
    auto request = Must(ParseGenerationRequest(
        fmt::format(R"({{"user":"u{}","provider":"replicate","model":"black-forest-labs/flux-schnell",)"
                    R"("prompt":"fox {}","deadlineMs":86400000}})",
                    number % 100, number),
        std::nullopt, std::nullopt));
    pipeline->Submit(request, "", [](StatusOr<BufferRef> record) { REQUIRE(record.ok()); });
  }
  // Everything that is due, until nothing is.
  void Drive() {
    while (store->RunOnce() || queues->RunOnce() || executor->RunOne()) {
    }
  }
  std::map<JobState, int64_t> Jobs() {
    std::map<JobState, int64_t> counts;
    REQUIRE(store
                ->Read([&](const Snapshot& snapshot) -> Status {
                  ASSIGN_OR_RETURN(counts, snapshot.jobs().CountByState("generate"));
                  return OkStatus();
                })
                .ok());
    return counts;
  }
};

// A number of /proc/self/status: "Threads", or "VmRSS" in KB.
int64_t OfProcess(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::atoll(line.c_str() + name.size() + 1);
  }
  return -1;
}

}  // namespace

TEST_CASE("thousands of parked generations hold a slot and a timer each, no thread, and all of them end") {
  OneThread one;
  const int64_t threads = OfProcess("Threads"), before_kb = OfProcess("VmRSS");
  for (int i = 0; i < kGenerations; ++i) {
    one.Submit(i);
    if (i % 100 == 99) one.Drive();
  }
  for (int i = 0; i < 1'000 && one.Jobs()[JobState::kParked] < kGenerations; ++i) {
    one.clock.Advance(100);
    one.Drive();
  }
  CHECK(one.Jobs()[JobState::kParked] == kGenerations);
  CHECK(one.remote.paid() == kGenerations);
  CHECK(one.queues->held() == kGenerations);
  CHECK(OfProcess("Threads") == threads);
  const int64_t bytes_each = (OfProcess("VmRSS") - before_kb) * 1024 / kGenerations;
  MESSAGE(fmt::format("{} generations parked at once: {} bytes of memory each", kGenerations, bytes_each));
  if (kMostBytesEach > 0) CHECK(bytes_each < kMostBytesEach);

  one.remote.FinishAll();
  for (int i = 0; i < 1'000 && one.Jobs()[JobState::kDone] < kGenerations; ++i) {
    one.clock.Advance(100);
    one.Drive();
  }
  CHECK(one.Jobs()[JobState::kDone] == kGenerations);
  CHECK(one.remote.paid() == kGenerations);
  CHECK(one.queues->held() == 0);
  CHECK(OfProcess("Threads") == threads);
  size_t completed = 0, outputs = 0;
  std::optional<PageKey> after;
  for (bool more = true; more;) {
    auto page = one.pipeline->List({.all = true, .user = ""}, {.statuses = {GenerationStatus::kCompleted}},
                                   after, 500);
    REQUIRE(page.ok());
    completed += page->rows.size();
    outputs += page->outputs.size();
    more = page->has_more;
    if (more) after = PageKey{page->rows.back().created_ms, page->rows.back().id};
  }
  CHECK(completed == kGenerations);
  CHECK(outputs == kGenerations);
}
