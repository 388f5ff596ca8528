// mediagen-simulator: a server on 127.0.0.1 that speaks the providers' wires, charges nothing, and journals
// what it would have charged.
//
//   mediagen-simulator [--port N] [--journal FILE] [--state FILE] [--work-ms N] [--exit-with-parent]
//
// Prints "listening http://127.0.0.1:PORT" when it is ready; with --explain also what a person configures
// then. Ends on SIGTERM and SIGINT, and with --exit-with-parent when its stdin is closed.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <thread>

#include "base/wakeup.h"
#include "fmt/format.h"
#include "simulator/router.h"
#include "simulator/server.h"
#include "simulator/wires.h"

namespace mediagen::simulator {
namespace {

struct Arguments {
  int64_t port = 0, work_ms = 800;
  std::string journal, state;
  bool exit_with_parent = false, explain = false;
};

// For a person: what to configure, and what it charges.
void Explain(const std::string& origin) {
  fmt::print(
      "Any key is taken, but \"bad\" (401) and \"broke\" (402). As \"providers\" of a configuration:\n\n{{");
  const char* comma = "";
  for (const auto& [name, path] : kWires) {
    fmt::print("{}\n  \"{}\": {{\"baseUrl\": \"{}{}\", \"apiKey\": \"any\", \"allowPrivateNetwork\": true}}",
               comma, name, origin, path);
    comma = ",";
  }
  fmt::print(
      "\n}}\n\nPaid requests: {0}/simulator/journal\nFaults: POST {0}/simulator/next {{\"fault\": "
      "{{\"status\": "
      "429}}}}, or options.simulate of a request (tests/simulator/fault.h lists them).\nCtrl-C ends it.\n",
      origin);
}

bool ParseNumber(std::string_view text, int64_t* value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= 0;
}

bool ParseArguments(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--exit-with-parent" || name == "--explain") {
      (name == "--explain" ? arguments->explain : arguments->exit_with_parent) = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const std::string_view value = argv[++i];
    if (name == "--journal") {
      arguments->journal = value;
    } else if (name == "--state") {
      arguments->state = value;
    } else if (name == "--port") {
      if (!ParseNumber(value, &arguments->port) || arguments->port > 65535) return false;
    } else if (name == "--work-ms") {
      if (!ParseNumber(value, &arguments->work_ms)) return false;
    } else {
      return false;
    }
  }
  return true;
}

// Wakes `stop` when a signal comes, or the parent's end of stdin is closed.
void WatchForTheEnd(int signals, bool watch_stdin, WakeupPipe* stop) {
  while (true) {
    pollfd watched[] = {{signals, POLLIN, 0}, {watch_stdin ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(watched, 2, -1) < 0) continue;
    char ignored[256];
    const bool parent_gone = (watched[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
                             read(STDIN_FILENO, ignored, sizeof ignored) <= 0;
    if (watched[0].revents != 0 || parent_gone) break;
  }
  stop->Wake();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!ParseArguments(argc, argv, &arguments)) {
    fmt::print(stderr,
               "usage: mediagen-simulator [--port N] [--journal FILE] [--state FILE] [--work-ms N] "
               "[--exit-with-parent]\n");
    return 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before any thread: they all inherit it
  const Fd signals(signalfd(-1, &ends, SFD_CLOEXEC));

  Shared shared(arguments.work_ms);
  Router router(&shared);
  Server server([&](const Request& request) { return router.Handle(request); });
  StatusOr<std::unique_ptr<WakeupPipe>> stop = WakeupPipe::New();
  if (!stop.ok() || !shared.journal.Open(arguments.journal) || !shared.predictions.Open(arguments.state) ||
      !server.Listen(static_cast<int>(arguments.port))) {
    fmt::print(stderr, "mediagen-simulator: cannot open the journal, the state file or port {}\n",
               arguments.port);
    return 1;
  }
  const std::string origin = fmt::format("http://127.0.0.1:{}", server.port());
  shared.origin = origin;
  std::thread watcher(WatchForTheEnd, signals.get(), arguments.exit_with_parent, stop->get());
  fmt::print("listening {}\n", origin);
  if (arguments.explain) Explain(origin);
  std::fflush(stdout);
  server.Run((*stop)->fd());
  shared.webhooks.Stop();
  server.Stop();
  watcher.join();
  return 0;
}

}  // namespace
}  // namespace mediagen::simulator

int main(int argc, char** argv) { return mediagen::simulator::Main(argc, argv); }
