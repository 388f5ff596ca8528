// Code that runs in a forked child, judged by its exit code.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace mediagen::testing {

// The allocator of AddressSanitizer (as of GCC 12) can't be forked: when another thread holds one of its
// locks at that instant, the child waits for that lock forever. Such a child is stopped and another one
// tried; what hangs by itself hangs every time.
#ifdef __SANITIZE_ADDRESS__
inline constexpr int kTries = 5;
inline constexpr unsigned kSecondsOfATry = 20;
#else
inline constexpr int kTries = 1;
inline constexpr unsigned kSecondsOfATry = 600;
#endif

// What `body` returns (0 to 125) in a forked child; -1 when the child did not end by itself. The child runs
// no destructors and no exit handlers.
inline int ExitCodeOfChild(const std::function<int()>& body) {
  for (int left = kTries; left > 0; --left) {
    pid_t child = fork();
    if (child == 0) {
      alarm(kSecondsOfATry);
      _exit(body());
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    if (WTERMSIG(status) != SIGALRM) return -1;
  }
  return -1;
}

}  // namespace mediagen::testing
