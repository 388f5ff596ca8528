#include "base/fork.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "support/child.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }
int OpenNull() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

TEST_CASE("a guard knows in the child, and in the child's child, that it was made elsewhere") {
  ForkGuard guard;
  uint32_t generation = ForkGeneration();
  CHECK_FALSE(guard.forked());
  int code = ExitCodeOfChild([&] {
    if (!guard.forked() || ForkGeneration() != generation + 1) return 1;
    ForkGuard mine;
    if (mine.forked()) return 2;
    int grandchild = ExitCodeOfChild([&] { return mine.forked() && guard.forked() ? 0 : 3; });
    return mine.forked() ? 4 : grandchild;
  });
  CHECK(code == 0);
  CHECK_FALSE(guard.forked());
  CHECK(ForkGeneration() == generation);
}

TEST_CASE("registered descriptors are closed in the child and stay open in the parent") {
  int closed = OpenNull(), forgotten = OpenNull(), never = OpenNull();
  CHECK(CloseInChild(closed));
  CHECK(CloseInChild(forgotten));
  ForgetInChild(forgotten);
  ForgetInChild(never);  // of what was not registered: nothing
  CHECK(ExitCodeOfChild([&] { return !IsOpen(closed) && IsOpen(forgotten) && IsOpen(never) ? 0 : 1; }) == 0);
  CHECK(IsOpen(closed));
  ForgetInChild(closed);
  CHECK(ExitCodeOfChild([&] { return IsOpen(closed) ? 0 : 1; }) == 0);
  for (int fd : {closed, forgotten, never}) close(fd);
}

TEST_CASE("a child's own child is not robbed of descriptors that reuse a number") {
  int fd = OpenNull();
  CHECK(CloseInChild(fd));
  CHECK(ExitCodeOfChild([&] {
          if (OpenNull() < 0 || dup2(STDERR_FILENO, fd) != fd) return 1;
          return ExitCodeOfChild([&] { return IsOpen(fd) ? 0 : 2; });
        }) == 0);
  ForgetInChild(fd);
  close(fd);
}

TEST_CASE("a full table says so, and has room again afterwards") {
  std::vector<int> taken;
  for (int fake = 100'000; CloseInChild(fake); ++fake) taken.push_back(fake);
  CHECK(taken.size() == 1024);
  CHECK_FALSE(CloseInChild(5));
  ForgetInChild(taken.back());
  CHECK(CloseInChild(taken.back()));
  for (int fake : taken) ForgetInChild(fake);
}
