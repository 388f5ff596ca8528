#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "base/hash.h"
#include "blob/fs/fs.h"
#include "crash/crash.h"
#include "crash/fast_clock.h"
#include "crash/trap.h"
#include "engine/engine.h"
#include "fmt/format.h"
#include "simulator/wires.h"

namespace mediagen::crash {
namespace {

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

std::string RequestOf(uint64_t seed, int index) {
  const Kind& kind = Kinds()[static_cast<size_t>(index) % Kinds().size()];
  Json request = Json::parse(kind.request);
  request["user"] = fmt::format("{}-{}", kind.name, index % 3);
  request["prompt"] = PromptOf(seed, index);
  request["deadlineMs"] = int64_t{86'400'000};  // the clock is fast
  request["idempotencyKey"] = fmt::format("{}-{}", seed, index);
  return Dump(request);
}

Json ProvidersAt(const std::string& origin) {
  Json providers = Json::object();
  for (const auto& [name, path] : simulator::kWires) {
    providers[name] = {{"baseUrl", origin + path},
                       {"apiKey", "simulated"},
                       {"allowPrivateNetwork", true},
                       {"estimates", {{"*", "0.04"}}}};
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
    list = Json::array();
    ASSIGN_OR_RETURN(auto attempts, snapshot.records().AttemptsOf(id));
    for (const Attempt& attempt : attempts) {
      list.push_back({{"id", attempt.id.text()},
                      {"part", attempt.part},
                      {"state", AttemptStateName(attempt.state)},
                      {"created", attempt.created_ms},
                      {"updated", attempt.updated_ms}});
    }
    return OkStatus();
  });
  if (!read.ok()) Say({{"trouble", ErrorJson(read)}});
  return list;
}

Json UnknownPartsOf(Engine& engine, const Id& id) {
  Json list = Json::array();
  Status read = engine.backend().store->Read([&](const Snapshot& snapshot) -> Status {
    list = Json::array();
    ASSIGN_OR_RETURN(auto parts, snapshot.records().PartsOf(id));
    for (const Part& part : parts) {
      if (part.state == "unknown") list.push_back(part.part);
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

// What `begin` is answered with; null (and a trouble for the harness) when that is an error.
Json Wait(std::string_view what, const std::function<void(Reply)>& begin) {
  Json answer;
  Countdown countdown;
  countdown.left = 1;
  begin([&](StatusOr<BufferRef> record) {
    if (record.ok()) {
      answer = Json::parse(record->view());
    } else {
      Say({{"trouble", fmt::format("{}: {}", what, ErrorJson(record.status()))}});
    }
    countdown.Done();
  });
  countdown.Wait();
  return answer;
}

Json Await(Engine& engine, const std::string& id) {
  Unsubscribe give_up;
  return Wait("await " + id, [&](Reply reply) { give_up = engine.Await("", id, std::move(reply)); });
}

// A person's decision about what is unknown: every other one is tried again.
void Decide(Engine& engine, const std::string& id, bool retry, Json* fate) {
  (*fate)["undecided"] = UnknownPartsOf(engine, *Id::Parse(id));
  Json decided = Wait("decide " + id, [&](Reply reply) {
    retry ? engine.Retry("", id, std::move(reply)) : engine.AbandonUnknown("", id, std::move(reply));
  });
  if (decided.is_null()) return;
  (*fate)["decision"] = retry ? "retry" : "abandon";
  (*fate)["then"] = Await(engine, id).value("status", "");
}

void ReportLedger(Engine& engine) {
  Status read = engine.backend().store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(const Audit audit, AuditLedger(snapshot.ledger()));
    for (const std::string& complaint : audit.complaints) Say({{"trouble", complaint}});
    Say({{"billed", audit.billed}});
    return OkStatus();
  });
  if (!read.ok()) Say({{"trouble", ErrorJson(read)}});
}

void Report(Engine& engine, const std::string& dir, const std::vector<std::string>& ids) {
  int undecided = 0;
  for (const std::string& text : ids) {
    Json record = Await(engine, text);
    if (record.is_null()) continue;
    const Id id = *Id::Parse(text);
    Json fate = {{"id", text},
                 {"prompt", record["prompt"]},
                 {"status", record["status"]},
                 {"n", record["n"]},
                 {"states", AttemptsOf(engine, id)}};
    if (record["status"] == "unknown") {
      Decide(engine, text, undecided++ % 2 == 0, &fate);
      record = Await(engine, text);
    }
    fate["outputs"] = record["outputs"].size();
    fate["served"] = Served(engine, dir, id);
    fate["attempts"] = AttemptsOf(engine, id);
    Say({{"fate", fate}});
  }
  ReportLedger(engine);
}

// Says so when everything rests.
void AwaitAll(Engine& engine, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    if (!id.empty()) (void)Await(engine, id);
  }
  Say({{"idle", true}});
}

// Lets the catcher ask whose an attempt is.
void Introduce(Engine& engine, Catcher* catcher) {
  catcher->OnAttemptUser([&engine](const std::string& attempt) {
    std::string user;
    (void)engine.backend().store->Read([&](const Snapshot& snapshot) -> Status {
      ASSIGN_OR_RETURN(Id id, Id::Parse(attempt));
      ASSIGN_OR_RETURN(auto row, snapshot.records().FindAttempt(id));
      if (!row) return OkStatus();
      ASSIGN_OR_RETURN(auto generation, snapshot.records().FindGeneration(row->generation));
      if (generation) user = generation->user;
      return OkStatus();
    });
    return user;
  });
}

}  // namespace

std::string PromptOf(uint64_t seed, int index) { return fmt::format("crash {} picture {}", seed, index); }

int WorkerMain(const Json& options) {
  const uint64_t seed = options.value("seed", uint64_t{0});
  const std::string dir = options["dir"];
  std::optional<Trap> trap;
  if (options.contains("trap")) trap = Trap::From(options["trap"]);
  Catcher catcher(options["log"], trap);
  FastClock& clock = *new FastClock;  // its thread never ends
  Json queue = {
      {"concurrency", 16},
      {"perKey", {{"user", 0}, {"provider", 0}}},
      {"retry", {{"tries", 100}, {"baseMs", 100}}}};  // every kill costs the jobs of its victim a try
  Json config = {
      {"dataDir", dir}, {"queues", {{"generate", queue}}}, {"providers", ProvidersAt(options["simulator"])}};
  EngineEnvironment environment;
  environment.clock = &clock;
  environment.files = catcher.files();
  environment.landmarks = &catcher;
  auto engine = Engine::Open(Dump(config), environment);
  if (!engine.ok()) return Trouble("the directory did not open", engine.status());
  Introduce(**engine, &catcher);
  std::vector<std::string> ids = SubmitAll(**engine, seed, options.value("generations", 50));
  if (options.value("final", false)) {
    Report(**engine, dir, ids);
    Say({{"end", true}});
    _exit(0);  // closing is not what is looked at here
  }
  AwaitAll(**engine, ids);
  while (true) pause();  // until it is killed
}

}  // namespace mediagen::crash
