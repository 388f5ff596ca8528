#include "base/wakeup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace mediagen {
namespace {

thread_local WakeScope* outermost = nullptr;

}  // namespace

WakeScope::WakeScope() : outer_(outermost) {
  if (outermost == nullptr) outermost = this;
}

WakeScope::~WakeScope() {
  if (outer_ != nullptr) return;
  outermost = nullptr;
  for (const auto& sleeper : sleepers_) sleeper->Wake();
}

void WakeSoon(std::shared_ptr<Sleeper> sleeper) {
  if (outermost == nullptr) return sleeper->Wake();
  auto& sleepers = outermost->sleepers_;
  if (std::find(sleepers.begin(), sleepers.end(), sleeper) == sleepers.end())
    sleepers.push_back(std::move(sleeper));
}

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
