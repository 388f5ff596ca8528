// Child processes of the demo: its worker and the simulator.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace demo {

// A child that ends with this process. Its first line of output can be read; not copied, not moved.
class Child {
 public:
  // Starts `arguments` (the first one is the program).
  explicit Child(const std::vector<std::string>& arguments);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The first line that the child prints; "" when it ends before.
  std::string FirstLine();
  // SIGKILL, and waits until it is gone.
  void Kill();
  // Closes its stdin, by which a worker ends in peace, and waits.
  void End();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
};

}  // namespace demo
