// Code that runs in a forked child, judged by its exit code.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace mediagen::testing {

// What `body` returns (0 to 125) in a forked child; -1 when the child did not end by itself. The child runs
// no destructors and no exit handlers.
inline int ExitCodeOfChild(const std::function<int()>& body) {
  pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace mediagen::testing
