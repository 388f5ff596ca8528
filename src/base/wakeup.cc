#include "base/wakeup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace mediagen {

StatusOr<std::unique_ptr<WakeupPipe>> WakeupPipe::New() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return FileError(errno, "make", "a wake-up pipe");
  return std::unique_ptr<WakeupPipe>(new WakeupPipe(Fd(ends[0]), Fd(ends[1])));
}

void WakeupPipe::Wake() {
  char byte = 1;
  // EAGAIN means full, which is awake; nothing else can fail while both ends are ours.
  while (write(write_.get(), &byte, 1) < 0 && errno == EINTR) {
  }
}

void WakeupPipe::Drain() {
  char bytes[512];
  while (true) {
    ssize_t got = read(read_.get(), bytes, sizeof bytes);
    if (got > 0 || (got < 0 && errno == EINTR)) continue;
    return;
  }
}

}  // namespace mediagen
