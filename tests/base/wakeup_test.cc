#include "base/wakeup.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include <thread>
#include <vector>

#include "support/child.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

bool Readable(const WakeupPipe& pipe) {
  pollfd poll_fd{pipe.fd(), POLLIN, 0};
  return poll(&poll_fd, 1, 0) == 1;
}

}  // namespace

TEST_CASE("a pipe is readable from the first wake to the drain") {
  auto pipe = WakeupPipe::New().value();
  CHECK_FALSE(Readable(*pipe));
  pipe->Drain();  // of nothing: does not block
  pipe->Wake();
  pipe->Wake();
  CHECK(Readable(*pipe));
  CHECK(Readable(*pipe));
  pipe->Drain();
  CHECK_FALSE(Readable(*pipe));
  pipe->Wake();
  CHECK(Readable(*pipe));
}

TEST_CASE("a full pipe neither blocks nor loses the wake") {
  auto pipe = WakeupPipe::New().value();
  for (int i = 0; i < 100'000; ++i) pipe->Wake();
  CHECK(Readable(*pipe));
  pipe->Drain();
  CHECK_FALSE(Readable(*pipe));
}

TEST_CASE("neither end blocks, neither end goes to a program that is started") {
  auto pipe = WakeupPipe::New().value();
  CHECK((fcntl(pipe->fd(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(pipe->fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a wake from another thread ends a poll") {
  auto pipe = WakeupPipe::New().value();
  std::thread waker([&] { pipe->Wake(); });
  pollfd poll_fd{pipe->fd(), POLLIN, 0};
  CHECK(poll(&poll_fd, 1, -1) == 1);
  waker.join();
}

TEST_CASE("a process without descriptors left says so") {
  CHECK(ExitCodeOfChild([] {
          rlimit none{0, 0};
          setrlimit(RLIMIT_NOFILE, &none);
          auto pipe = WakeupPipe::New();
          return CodeOf(pipe.status()) == Code::kUnavailable && !InfoOf(pipe.status()).hint.empty() ? 0 : 1;
        }) == 0);
}
