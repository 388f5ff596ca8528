// WakeupPipe: one descriptor that a host's event loop can watch. Level-triggered: while a byte stands in it,
// it is readable. A pipe and not an eventfd, because Node's sockets refuse the latter. Both ends are
// O_CLOEXEC and O_NONBLOCK.
#pragma once

#include <atomic>
#include <memory>

#include "base/file.h"
#include "base/status.h"

namespace mediagen {

class WakeupPipe {
 public:
  static StatusOr<std::unique_ptr<WakeupPipe>> New();
  // The end to read or poll. Owned here; hosts dup it.
  int fd() const { return read_.get(); }
  // Writes one byte. Thread-safe; never blocks; a full pipe is awake already.
  void Wake();
  // Takes every byte out. Thread-safe; never blocks.
  void Drain();

 private:
  WakeupPipe(Fd read, Fd write) : read_(std::move(read)), write_(std::move(write)) {}
  Fd read_, write_;
};

}  // namespace mediagen
