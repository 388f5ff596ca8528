#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "base/clock.h"
#include "base/id.h"
#include "crash/crash.h"
#include "fmt/format.h"

namespace mediagen::crash {
namespace {

constexpr int64_t kLastWorkerMs = 180'000;  // for everything to come to rest without kills

// A child process whose output lines are read as they come.
class Process {
 public:
  Process(const std::vector<std::string>& arguments) {
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) return;
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(out[1], STDOUT_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(out[1]);
    out_ = out[0];
  }
  ~Process() {
    Kill();
    if (out_ >= 0) close(out_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  // Reads what there is for up to `ms`, and calls `each` with every whole line. False at the end of the
  // output.
  template <typename Each>
  bool Read(int64_t ms, Each each) {
    const int64_t end = SystemClock()->MonotonicMs() + ms;
    while (true) {
      const int64_t left = end - SystemClock()->MonotonicMs();
      pollfd watched{out_, POLLIN, 0};
      if (poll(&watched, 1, static_cast<int>(std::max<int64_t>(left, 0))) <= 0) return true;
      char chunk[16384];
      ssize_t got = read(out_, chunk, sizeof chunk);
      if (got <= 0) return false;
      text_.append(chunk, static_cast<size_t>(got));
      for (size_t line; (line = text_.find('\n')) != std::string::npos; text_.erase(0, line + 1))
        each(text_.substr(0, line));
      if (left <= 0) return true;
    }
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string text_;
};

void Note(const std::string& line, Evidence* evidence, bool* ended) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return;
  if (json.contains("accepted")) evidence->accepted.insert(json["accepted"].get<std::string>());
  if (json.contains("trouble")) evidence->troubles.push_back(json["trouble"].get<std::string>());
  if (json.contains("end")) *ended = true;
  if (!json.contains("fate")) return;
  const Json& in = json["fate"];
  Fate fate;
  fate.id = in["id"];
  fate.prompt = in["prompt"];
  fate.status = in["status"];
  fate.provider = in["provider"];
  fate.outputs = in["outputs"];
  fate.served = in["served"];
  for (const Json& attempt : in["attempts"])
    fate.attempts.push_back({attempt["state"], attempt["created"], attempt["updated"]});
  evidence->fates.push_back(std::move(fate));
}

// Where each wire's paid request has the prompt.
std::string PromptIn(const Json& input) {
  for (const char* path : {"/prompt", "/contents/0/parts/0/text", "/instances/0/prompt"}) {
    const Json::json_pointer pointer(path);
    if (input.contains(pointer) && input[pointer].is_string()) return input[pointer].get<std::string>();
  }
  return "a paid request without a prompt: " + input.dump();
}

void ReadJournal(const std::string& path, Evidence* evidence) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object() || entry.value("definitelyRejected", false)) continue;
    ++evidence->paid[PromptIn(entry["input"])];
  }
}

}  // namespace

Evidence RunRound(const RoundOptions& options, const std::string& self) {
  Evidence evidence;
  auto random = SeededRandom(options.seed);
  const std::string journal = options.dir + "/journal.jsonl";
  Process simulator({MEDIAGEN_SIMULATOR, "--journal", journal, "--work-ms", "300"});
  std::string base_url;
  for (int i = 0; i < 100 && base_url.empty(); ++i) {
    simulator.Read(100, [&](const std::string& line) {
      if (line.rfind("listening ", 0) == 0) base_url = line.substr(10);
    });
  }
  if (base_url.empty()) {
    evidence.troubles.push_back("the simulator did not start");
    return evidence;
  }
  Json worker = {{"seed", options.seed},
                 {"generations", options.generations},
                 {"dir", options.dir + "/data"},
                 {"simulator", base_url},
                 {"final", false}};
  bool ended = false;
  auto start = [&] {
    return std::make_unique<Process>(std::vector<std::string>{self, "--worker", Dump(worker)});
  };
  auto note = [&](const std::string& line) { Note(line, &evidence, &ended); };

  std::vector<std::unique_ptr<Process>> workers;
  for (int i = 0; i < options.workers; ++i) workers.push_back(start());
  for (int i = 0; i < options.kills; ++i) {
    // Early kills meet submits and intents, late ones downloads and settles.
    const int64_t lives_ms = 20 + static_cast<int64_t>(random->Below(i % 2 == 0 ? 400 : 1500));
    for (auto& process : workers) process->Read(lives_ms / options.workers, note);
    auto& victim = workers[random->Below(workers.size())];
    evidence.kills_ms.push_back(SystemClock()->WallMs());
    victim->Kill();
    victim->Read(0, note);  // what it had said before it died
    victim = start();
  }
  for (auto& process : workers) {
    evidence.kills_ms.push_back(SystemClock()->WallMs());
    process->Kill();
    process->Read(0, note);
  }
  workers.clear();
  worker["final"] = true;
  Process last({self, "--worker", Dump(worker)});
  const int64_t deadline = SystemClock()->MonotonicMs() + kLastWorkerMs;
  while (!ended && SystemClock()->MonotonicMs() < deadline && last.Read(200, note)) {
  }
  if (!ended) evidence.troubles.push_back("the last worker did not bring everything to rest");
  ReadJournal(journal, &evidence);
  return evidence;
}

}  // namespace mediagen::crash
