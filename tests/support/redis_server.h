// RedisServer: Debian's redis-server as a child of the test, on a free port of 127.0.0.1 and on a Unix
// socket, in a folder of its own, without persistence. It is stopped by its own pid, and dies with the thread
// that started it.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "support/temp_dir.h"

namespace mediagen::testing {

class RedisServer {
 public:
  // `options` as on the command line: {"--requirepass", "secret"}.
  explicit RedisServer(std::vector<std::string> options = {}) : options_(std::move(options)) {
    port_ = FreePort();
    Start();
  }
  ~RedisServer() { Stop(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  int port() const { return port_; }
  std::string socket_path() const { return dir_ / "redis.sock"; }
  std::string url(std::string_view rest = "") const {
    return fmt::format("redis://127.0.0.1:{}{}", port_, rest);
  }
  std::string unix_url(std::string_view rest = "") const {
    return "redis+unix://" + socket_path() + std::string(rest);
  }

  // Returns when it accepts connections.
  void Start() {
    int log[2];
    if (pipe2(log, O_CLOEXEC) != 0) std::abort();
    std::vector<std::string> words = {"/usr/bin/redis-server",
                                      "--bind",
                                      "127.0.0.1",
                                      "--port",
                                      std::to_string(port_),
                                      "--unixsocket",
                                      socket_path(),
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "no",
                                      "--dir",
                                      dir_.path()};
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(log[1], STDOUT_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(log[1]);
    Ready(log[0]);
  }
  // As a crash does.
  void Kill() { End(SIGKILL); }
  void Stop() { End(SIGTERM); }
  // Accepts connections still, but answers nothing until it is thawed.
  void Freeze() { kill(child_, SIGSTOP); }
  void Thaw() { kill(child_, SIGCONT); }

  // Of 127.0.0.1, at this moment.
  static int FreePort() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
  }

 private:
  // Its log says when it listens. The pipe is kept: what it says later has room in it.
  void Ready(int log) {
    log_ = log;
    std::string said;
    char bytes[4096];
    while (said.find("Ready to accept connections") == std::string::npos) {
      const ssize_t got = read(log, bytes, sizeof bytes);
      if (got <= 0) {
        fmt::print(stderr, "redis-server (Debian's package of that name) did not start: {}\n", said);
        std::abort();
      }
      said.append(bytes, static_cast<size_t>(got));
    }
  }
  void End(int signal) {
    if (child_ < 0) return;
    kill(child_, signal);
    if (signal != SIGKILL) kill(child_, SIGCONT);  // a frozen one would not hear it
    waitpid(child_, nullptr, 0);
    close(log_);
    child_ = -1;
  }
  const std::vector<std::string> options_;
  TempDir dir_;
  int port_ = 0;
  pid_t child_ = -1;
  int log_ = -1;
};

}  // namespace mediagen::testing
