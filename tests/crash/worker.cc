#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "base/base64.h"
#include "base/hash.h"
#include "blob/fs/fs.h"
#include "crash/crash.h"
#include "engine/engine.h"
#include "fmt/format.h"
#include "simulator/wires.h"

namespace mediagen::crash {
namespace {

// A line to the harness; written at once, since this process may die at any moment.
void Say(const Json& line) {
  const std::string text = Dump(line) + "\n";
  for (size_t done = 0; done < text.size();) {
    ssize_t written = write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (written <= 0) _exit(3);  // the harness is gone
    done += static_cast<size_t>(written);
  }
}

int Trouble(std::string_view what, const Status& status) {
  Say({{"trouble", fmt::format("{}: {}", what, ErrorJson(status))}});
  return 1;
}

// Counts replies; the last one lets the main thread go on.
struct Countdown {
  std::mutex mutex;
  std::condition_variable cv;
  int left = 0;
  void Done() {
    std::lock_guard lock(mutex);
    --left;
    cv.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex);
    cv.wait(lock, [&] { return left <= 0; });
  }
};

// Every kind of wire: in this process, asynchronous with a list and without, and synchronous.
const Json& Kinds() {
  static const auto* kinds = new Json(Json::parse(R"json([
    {"provider": "replicate", "model": "simulated/model", "size": "64x64"},
    {"provider": "fal", "model": "fal-ai/flux/dev", "size": "64x64"},
    {"provider": "sketch", "size": "64x64", "options": {"steps": 10, "stepMs": 10}},
    {"provider": "openai", "model": "local-model", "size": "64x64"},
    {"provider": "replicate", "model": "simulated/model", "size": "64x64"},
    {"provider": "gemini", "model": "veo-3.1-generate-preview", "kind": "video"},
    {"provider": "openrouter", "model": "google/veo-3.1", "kind": "video"},
    {"provider": "gemini", "model": "gemini-2.5-flash-image"},
    {"provider": "openrouter", "model": "openai/gpt-image-1"}
  ])json"));
  return *kinds;
}

std::string RequestOf(uint64_t seed, int index) {
  Json request = Kinds()[static_cast<size_t>(index) % Kinds().size()];
  request["user"] = fmt::format("u{}", index % 7);
  request["prompt"] = PromptOf(seed, index);
  request["idempotencyKey"] = fmt::format("{}-{}", seed, index);
  return Dump(request);
}

Json ProvidersAt(const std::string& origin) {
  Json providers = Json::object();
  for (const auto& [name, path] : simulator::kWires) {
    providers[name] = {{"baseUrl", origin + path}, {"apiKey", "simulated"}, {"allowPrivateNetwork", true}};
  }
  return providers;
}

std::vector<std::string> SubmitAll(Engine& engine, uint64_t seed, int generations) {
  std::vector<std::string> ids(static_cast<size_t>(generations));
  Countdown countdown;
  countdown.left = generations;
  for (int i = 0; i < generations; ++i) {
    engine.Submit(RequestOf(seed, i), [&, i](StatusOr<BufferRef> record) {
      if (record.ok()) {
        ids[static_cast<size_t>(i)] = Json::parse(record->view()).value("id", "");
        Say({{"accepted", PromptOf(seed, i)}});
      } else {
        Say({{"trouble", fmt::format("submit {}: {}", i, ErrorJson(record.status()))}});
      }
      countdown.Done();
    });
  }
  countdown.Wait();
  return ids;
}

Json AttemptsOf(Engine& engine, const Id& id) {
  Json list = Json::array();
  Status read = engine.backend().store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(auto attempts, snapshot.records().AttemptsOf(id));
    for (const Attempt& attempt : attempts) {
      list.push_back({{"state", AttemptStateName(attempt.state)},
                      {"created", attempt.created_ms},
                      {"updated", attempt.updated_ms}});
    }
    return OkStatus();
  });
  if (!read.ok()) Say({{"trouble", ErrorJson(read)}});
  return list;
}

// Whether every output's file holds the bytes that its row speaks of.
bool Served(Engine& engine, const std::string& dir, const Id& id) {
  auto blobs = OpenFileBlobs(SystemFiles(), dir + "/blobs");
  bool good = blobs.ok();
  Status read = engine.backend().store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(auto outputs, snapshot.records().OutputsOf(std::span(&id, 1)));
    for (const Output& output : outputs) {
      auto bytes = (*blobs)->Get(output.blob_key, 64 << 20);
      good = good && bytes.ok() && Hex(Sha256(bytes->view())) == output.sha256;
    }
    return OkStatus();
  });
  return good && read.ok();
}

void Report(Engine& engine, const std::string& dir, const std::vector<std::string>& ids) {
  for (const std::string& text : ids) {
    Countdown countdown;
    countdown.left = 1;
    auto give_up = engine.Await("", text, [&](StatusOr<BufferRef> record) {
      if (!record.ok()) {
        Say({{"trouble", fmt::format("await {}: {}", text, ErrorJson(record.status()))}});
      } else {
        Json json = Json::parse(record->view());
        Json fate = {{"id", text},
                     {"prompt", json["prompt"]},
                     {"status", json["status"]},
                     {"provider", json["provider"]},
                     {"outputs", json["outputs"].size()},
                     {"error", json["error"]}};
        const Id id = *Id::Parse(text);
        fate["attempts"] = AttemptsOf(engine, id);
        fate["served"] = Served(engine, dir, id);
        Say({{"fate", fate}});
      }
      countdown.Done();
    });
    countdown.Wait();
  }
}

}  // namespace

std::string PromptOf(uint64_t seed, int index) { return fmt::format("crash {} picture {}", seed, index); }

int WorkerMain(const Json& options) {
  const uint64_t seed = options.value("seed", uint64_t{0});
  const int generations = options.value("generations", 50);
  Json queue = {{"concurrency", 12}, {"perKey", {{"user", 12}, {"provider", 0}}}};
  Json config = {{"dataDir", options["dir"]},
                 {"queues", {{"generate", queue}}},
                 {"providers", ProvidersAt(options["simulator"])}};
  auto engine = Engine::Open(Dump(config));
  if (!engine.ok()) return Trouble("the directory did not open", engine.status());
  Say({{"opened", true}});
  std::vector<std::string> ids = SubmitAll(**engine, seed, generations);
  if (options.value("final", false)) {
    Report(**engine, options["dir"], ids);
    Say({{"end", true}});
    return 0;
  }
  while (true) pause();  // works until it is killed
}

}  // namespace mediagen::crash
