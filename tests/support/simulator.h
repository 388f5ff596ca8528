// Simulator: the program mediagen-simulator as a child process of a test. Ended by its own pid, and by itself
// when the test dies.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "fmt/format.h"
#include "support/http_fixture.h"

extern char** environ;

namespace mediagen::testing {

class Simulator {
 public:
  struct Options {
    std::string journal, state;  // files; "": none
    int64_t work_ms = 60;        // tests wait for it
    int port = 0;
  };

  // Starts it and waits until it listens. Aborts the test program when it cannot be started.
  explicit Simulator(Options options) : options_(std::move(options)) { Start(); }
  Simulator() : Simulator(Options{}) {}
  ~Simulator() { Stop(SIGTERM); }

  // Kills it as a crash would, and starts it again on the same port. What it accepted is known to it again
  // when it has a state file.
  void Restart() {
    Stop(SIGKILL);
    options_.port = port_;
    Start();
  }
  void Stop(int signal) {
    if (pid_ <= 0) return;
    kill(pid_, signal);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    close(stdin_);
  }

  pid_t pid() const { return pid_; }
  int port() const { return port_; }
  // "http://127.0.0.1:PORT", where files and /simulator/ are.
  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  // What a provider's baseUrl is set to.
  std::string base_url() const { return url() + "/v1"; }

  // Every paid request since it started, in order.
  std::vector<Json> Journal() { return Lines("/simulator/journal"); }
  // Every delivery of a webhook since it started, {"provider", "id", "status"}, once there are `count`.
  std::vector<Json> Webhooks(size_t count) {
    std::vector<Json> lines;
    do {
      lines = Lines(fmt::format("/simulator/webhooks?count={}", count));
    } while (lines.size() < count);
    return lines;
  }
  // Where the webhooks of a provider go whose requests name no URL.
  void SetWebhook(const std::string& provider, const std::string& to) {
    HttpFixture http;
    (void)http.Call(LoopbackRequest("POST", url() + "/simulator/webhooks",
                                    Json{{"provider", provider}, {"url", to}}.dump()));
  }
  // The next `times` paid requests suffer `fault` (tests/simulator/fault.h).
  void Next(const Json& fault, int times = 1) {
    HttpFixture http;
    (void)http.Call(
        LoopbackRequest("POST", url() + "/simulator/next", Json{{"fault", fault}, {"times", times}}.dump()));
  }

 private:
  std::vector<Json> Lines(const std::string& path) {
    HttpFixture http;
    std::vector<Json> lines;
    const std::string text = http.Get(url() + path).body;
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
      lines.push_back(Json::parse(text.substr(at, end - at)));
    return lines;
  }

  // By the environment, the build's definition, or beside this test program.
  static std::string ProgramPath() {
    if (const char* path = getenv("MEDIAGEN_SIMULATOR")) return path;
#ifdef MEDIAGEN_SIMULATOR
    return MEDIAGEN_SIMULATOR;
#else
    char self[4096];
    const ssize_t size = readlink("/proc/self/exe", self, sizeof self);
    const std::string own(self, size > 0 ? static_cast<size_t>(size) : 0);
    return own.substr(0, own.rfind('/')) + "/simulator/mediagen-simulator";
#endif
  }

  void Start() {
    int to_child[2], from_child[2];
    if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) std::abort();
    std::vector<std::string> words = {ProgramPath(), "--exit-with-parent",
                                      "--work-ms",   fmt::format("{}", options_.work_ms),
                                      "--port",      fmt::format("{}", options_.port)};
    if (!options_.journal.empty()) words.insert(words.end(), {"--journal", options_.journal});
    if (!options_.state.empty()) words.insert(words.end(), {"--state", options_.state});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);
    if (posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, arguments.data(), environ) != 0) {
      fmt::print(stderr, "cannot start {}\n", words[0]);
      std::abort();
    }
    posix_spawn_file_actions_destroy(&actions);
    close(to_child[0]);
    close(from_child[1]);
    stdin_ = to_child[1];
    port_ = ReadPort(from_child[0]);
    close(from_child[0]);
  }

  // From the line "listening http://127.0.0.1:PORT".
  static int ReadPort(int fd) {
    std::string line;
    char c;
    while (read(fd, &c, 1) == 1 && c != '\n') line.push_back(c);
    const size_t colon = line.rfind(':');
    if (!line.starts_with("listening ") || colon == std::string::npos) {
      fmt::print(stderr, "the simulator did not start: \"{}\"\n", line);
      std::abort();
    }
    return std::atoi(line.c_str() + colon + 1);
  }

  Options options_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  int port_ = 0;
};

}  // namespace mediagen::testing
