// A child process whose output is read line by line as it comes. Ends with its owner, and with the harness.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/clock.h"

namespace mediagen::crash {

class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments) {
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
  void Continue() const {
    if (pid_ > 0) kill(pid_, SIGCONT);
  }

  // Reads what there is for up to `ms`, and calls `each` with every whole line. False at the end of the
  // output: the process is gone.
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

}  // namespace mediagen::crash
