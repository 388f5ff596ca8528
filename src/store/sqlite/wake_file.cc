#include "store/sqlite/wake_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fmt/format.h"

namespace mediagen {

StatusOr<std::unique_ptr<WakeFile>> WakeFile::Open(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) {
    return Error(Code::kUnavailable, fmt::format("cannot open \"{}\": {}.", path, strerror(errno)));
  }
  std::unique_ptr<WakeFile> file(new WakeFile(std::move(fd)));
  file->seen_ = file->Read();
  return file;
}

WakeFile::Counters WakeFile::Read() const {
  Counters counters;
  if (pread(fd_.get(), &counters, sizeof counters, 0) != sizeof counters) return {};  // a new file
  return counters;
}

void WakeFile::Touch(const Signs& signs) {
  if (!signs.any()) return;
  std::lock_guard lock(mutex_);
  Counters counters = Read();
  counters.events += signs.events;
  counters.queues += signs.queues;
  if (pwrite(fd_.get(), &counters, sizeof counters, 0) != sizeof counters) return;
  own_.events += signs.events;
  own_.queues += signs.queues;
}

WakeFile::Signs WakeFile::Foreign() {
  std::lock_guard lock(mutex_);
  Counters counters = Read();
  Counters others{counters.events - own_.events, counters.queues - own_.queues};
  Signs signs{others.events != seen_.events, others.queues != seen_.queues};
  seen_ = others;
  return signs;
}

}  // namespace mediagen
