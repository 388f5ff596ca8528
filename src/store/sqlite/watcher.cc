#include "store/sqlite/watcher.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int kPollMs = 250, kSlowPollMs = 1000;  // behind inotify; slower the longer nothing happens

// Reads one page of the database that is in the cache.
constexpr char kDataVersion[] = "PRAGMA data_version";

void Drain(int fd) {
  char events[4096];
  while (read(fd, events, sizeof events) > 0) {
  }
}

}  // namespace

Watcher::~Watcher() { Stop(); }

Status Watcher::Start(std::unique_ptr<Connection> connection,
                      std::function<void(const WakeFile::Signs&)> listener, bool threaded) {
  connection_ = std::move(connection);
  listener_ = std::move(listener);
  ASSIGN_OR_RETURN(version_, connection_->Value(kDataVersion));
  if (!threaded) return OkStatus();
  ASSIGN_OR_RETURN(stop_, WakeupPipe::New());
  inotify_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  // Without inotify (its limits are per user) polling alone finds what others write.
  if (inotify_.valid() && inotify_add_watch(inotify_.get(), wake_path_.c_str(), IN_MODIFY) < 0)
    inotify_.Reset();
  thread_ = Thread("mg-store-watch", [this] { Loop(); });
  return OkStatus();
}

void Watcher::Loop() {
  int wait_ms = kPollMs;
  while (!stopping_) {
    pollfd fds[2] = {{stop_->fd(), POLLIN, 0},
                     {inotify_.get(), POLLIN, 0}};  // a negative descriptor is skipped
    int ready = poll(fds, 2, wait_ms);
    if (stopping_) return;
    if (fds[1].revents != 0) Drain(inotify_.get());
    bool found = LookAt(/*poll=*/ready == 0);
    wait_ms = found ? kPollMs : std::min(wait_ms * 2, kSlowPollMs);
  }
}

bool Watcher::Look() { return LookAt(/*poll=*/true); }

bool Watcher::LookAt(bool poll) {
  WakeFile::Signs signs;
  {
    std::lock_guard lock(mutex_);
    if (!connection_) return false;
    signs = wake_file_->Foreign();
    if (poll && !signs.any()) {
      uint64_t own = wake_file_->own_writes();
      StatusOr<bool> changed = VersionChanged();
      // Our own commits change the version, too: then only the file can tell whose it was.
      if (changed.ok() && *changed && own == own_seen_ && own == wake_file_->own_writes()) {
        signs = {true, true};
      }
      own_seen_ = own;
    }
  }
  if (signs.any()) listener_(signs);
  return signs.any();
}

StatusOr<bool> Watcher::VersionChanged() {
  ASSIGN_OR_RETURN(int64_t version, connection_->Value(kDataVersion));
  bool changed = version != version_;
  version_ = version;
  return changed;
}

void Watcher::Stop() {
  stopping_ = true;
  if (stop_) stop_->Wake();
  thread_.Join();
  std::lock_guard lock(mutex_);
  connection_.reset();
}

void Watcher::Abandon() {
  thread_.Abandon();
  (void)connection_.release();
}

}  // namespace mediagen
