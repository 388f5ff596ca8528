// The demo: six prompts become pictures while the process that works on them is killed in the middle.
//
// Two processes on one data directory. This one submits, watches and counts; its queues are paused, so it
// works on nothing. The worker does the work, is killed with SIGKILL while pictures are being made, and is
// started again. Four prompts go over real HTTP to a simulator that speaks Replicate's wire and writes each
// request that would have been paid for into a journal, synced before it answers; two are drawn in the
// worker.
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine.h"
#include "processes.h"
#include "screen.h"

namespace demo {
namespace {

struct Options {
  std::string data_dir, provider;
  std::string model = "black-forest-labs/flux-schnell";
  std::string worker_config;  // set in the worker process
};

constexpr char kUsage[] =
    "usage: ./run demo [--data DIR] [--provider NAME [--model MODEL]]\n"
    "  --data DIR       where to put the pictures (a new directory below the temporary one otherwise)\n"
    "  --provider NAME  send four of the prompts to a real provider, which costs money; its key must be "
    "set\n";

constexpr const char* kPrompts[] = {"a red fox in snow",          "night harbour, blue lanterns",
                                    "a meadow after rain",        "copper towers at dusk",
                                    "violet storm over a desert", "a green glass forest"};

bool Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (i + 1 >= argc) return false;
    const std::string value = argv[++i];
    if (name == "--data")
      options->data_dir = value;
    else if (name == "--provider")
      options->provider = value;
    else if (name == "--model")
      options->model = value;
    else if (name == "--worker")
      options->worker_config = value;
    else
      return false;
  }
  return true;
}

// The worker process: opens the engine and works until its stdin is closed.
int Work(const std::string& config) {
  Engine engine(Json::parse(config));
  std::printf("ready\n");
  std::fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  engine.Close(2000);
  return 0;
}

std::string Self() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

bool Rests(const Json& record) {
  const std::string status = record["status"];
  return status != "pending" && status != "processing";
}

std::vector<Json> Records(Engine& engine, const std::vector<std::string>& ids) {
  std::vector<Json> records;
  for (const std::string& id : ids) records.push_back(engine.Get(id));
  return records;
}

// Whether the worker may be killed now: pictures are being made, and every remote request has been answered
// (none stands at its intent, where only the provider would know whether it arrived).
bool InTheMiddle(const std::vector<Json>& records) {
  bool working = false;
  for (const Json& record : records) {
    if (record["provider"] == "sketch") {
      working = working || record["status"] == "processing";
      continue;
    }
    const std::string stage = record["stage"].is_string() ? record["stage"].get<std::string>() : "";
    if (record["status"] == "pending" || stage == "submitting" || stage == "queued") return false;
    working = working || !Rests(record);
  }
  return working;
}

// Requests that the journal shows as accepted, by prompt: more than one of a prompt was paid twice.
int PaidTwice(const std::string& journal, int* paid) {
  std::map<std::string, int> accepted;
  std::ifstream file(journal);
  for (std::string line; std::getline(file, line);) {
    Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object() || entry.value("definitelyRejected", false)) continue;
    ++accepted[entry["input"].value("prompt", "")];
  }
  int twice = 0;
  *paid = 0;
  for (const auto& [prompt, count] : accepted) {
    *paid += count;
    twice += count > 1 ? 1 : 0;
  }
  return twice;
}

bool ShowServing(Engine& engine, const Json& record) {
  const Json& output = record["outputs"][0];
  const std::string url = output["url"];
  Answer first = engine.Fetch(url);
  Answer again = engine.Fetch(url, "If-None-Match: " + first.etag + "\r\n");
  const std::string small =
      "/v1/images/" + output["id"].get<std::string>() + "/image?w=300&h=300&fit=cover&format=webp";
  Answer webp = engine.Fetch(small);
  std::printf("\n  GET %s\n    -> %d, %s, %zu bytes, ETag %.14s…\"\n", url.c_str(), first.status,
              first.content_type.c_str(), first.body_bytes, first.etag.c_str());
  std::printf("  the same with If-None-Match\n    -> %d, nothing sent again\n", again.status);
  std::printf("  GET %s\n    -> %d, %s, %zu bytes\n", small.c_str(), webp.status, webp.content_type.c_str(),
              webp.body_bytes);
  return first.status == 200 && again.status == 304 && webp.status == 200 &&
         webp.content_type == "image/webp";
}

size_t ListAll(Engine& engine) {
  size_t rows = 0, pages = 0;
  Json query = {{"limit", 4}};
  while (true) {
    Json page = engine.List(query);
    rows += page["data"].size();
    ++pages;
    if (!page["pagination"]["hasMore"].get<bool>()) break;
    query["cursor"] = page["pagination"]["nextCursor"];
  }
  std::printf("\n  listed by cursor, 4 a page: %zu generations on %zu pages\n", rows, pages);
  return rows;
}

int Main(const Options& options) {
  namespace fs = std::filesystem;
  std::string dir = options.data_dir;
  if (dir.empty()) {
    std::string pattern = (fs::temp_directory_path() / "mediagen-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      std::perror("demo: mkdtemp");
      return 1;
    }
    dir = pattern;
  }
  fs::create_directories(dir);
  const std::string journal = dir + "/simulator-journal.jsonl";
  fs::remove(journal);

  Json queues = {{"generate", {{"concurrency", 6}, {"perKey", {{"user", 6}}}}}};
  Json providers = Json::object();
  std::unique_ptr<Child> simulator;
  std::string remote = options.provider;
  if (remote.empty()) {
    remote = "replicate";
#ifdef DEMO_SIMULATOR
    simulator = std::make_unique<Child>(std::vector<std::string>{DEMO_SIMULATOR, "--journal", journal,
                                                                 "--work-ms", "4000", "--exit-with-parent"});
#endif
    std::string line = simulator ? simulator->FirstLine() : "";
    if (line.rfind("listening ", 0) != 0) {
      std::fprintf(stderr, "demo: the simulator did not start; build it with ./run build.\n");
      return 1;
    }
    providers["replicate"] = {
        {"baseUrl", line.substr(10) + "/v1"}, {"apiKey", "simulated"}, {"allowPrivateNetwork", true}};
  }
  Json config = {{"dataDir", dir + "/data"}, {"queues", queues}};
  if (!providers.empty()) config["providers"] = providers;
  Json watching = config;
  for (const char* queue : {"generate", "media"}) watching["queues"][queue]["paused"] = true;

  Screen screen;
  Engine engine(watching);
  auto worker = std::make_unique<Child>(std::vector<std::string>{Self(), "--worker", config.dump()});
  worker->FirstLine();
  screen.Say("mediagen demo: four prompts over HTTP to " +
             (simulator ? std::string("a simulator of Replicate") : remote) + ", two drawn in the worker\n");
  std::vector<std::string> ids;
  for (size_t i = 0; i < std::size(kPrompts); ++i) {
    Json request = {{"user", "demo"}, {"prompt", kPrompts[i]}, {"seed", std::to_string(i + 1)}};
    if (i % 3 == 2) {
      request.update({{"provider", "sketch"}, {"size", "1024x1024"}, {"options", {{"stepMs", 80}}}});
    } else {
      request.update({{"provider", remote}, {"model", options.model}});
      if (simulator) request["size"] = "768x768";
    }
    ids.push_back(engine.Submit(request)["id"]);
  }

  bool killed = false;
  std::vector<Json> records;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(10);
  while (std::chrono::steady_clock::now() < deadline) {
    records = Records(engine, ids);
    screen.Show(records);
    if (!killed && InTheMiddle(records)) {
      std::this_thread::sleep_for(
          std::chrono::milliseconds(700));  // so that a person sees the bars move first
      const pid_t pid = worker->pid();
      worker->Kill();
      screen.Say("\n  kill -9 " + std::to_string(pid) +
                 ": the worker is gone in the middle of its work; a new one starts\n");
      worker = std::make_unique<Child>(std::vector<std::string>{Self(), "--worker", config.dump()});
      worker->FirstLine();
      killed = true;
    }
    bool all = true;
    for (const Json& record : records) all = all && Rests(record);
    if (all) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }

  int completed = 0, lost = 0, paid = 0;
  for (const Json& record : records) {
    completed += record["status"] == "completed" ? 1 : 0;
    lost += Rests(record) ? 0 : 1;
    if (record["status"] != "completed")
      std::printf("  %s: %s %s\n", record["prompt"].get<std::string>().c_str(),
                  record["status"].get<std::string>().c_str(), record["error"].dump().c_str());
  }
  const int twice = PaidTwice(journal, &paid);
  bool served = completed > 0;
  for (const Json& record : records) {
    if (record["status"] == "completed") {
      served = ShowServing(engine, record);
      break;
    }
  }
  const bool listed = ListAll(engine) >= ids.size();
  if (simulator)
    std::printf("  the simulator's journal shows %d paid requests for 4 prompts: %s\n", paid,
                journal.c_str());
  std::printf("  the pictures are below %s/data/blobs\n\n", dir.c_str());
  worker->End();
  const bool good = completed == static_cast<int>(ids.size()) && twice == 0 && lost == 0 && killed &&
                    served && listed && (!simulator || paid == 4);
  std::printf("demo: %d of %zu completed, %d paid twice, %d lost\n", completed, ids.size(), twice, lost);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  demo::Options options;
  if (!demo::Parse(argc, argv, &options)) {
    std::fputs(demo::kUsage, stderr);
    return argc == 2 && std::string(argv[1]) == "--help" ? 0 : 2;
  }
  return options.worker_config.empty() ? demo::Main(options) : demo::Work(options.worker_config);
}
