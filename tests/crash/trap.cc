#include "crash/trap.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "fmt/format.h"

namespace mediagen::crash {
namespace {

constexpr std::string_view kPictures = "/blobs/generated-", kSpool = "/blobs/spool/";

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(fd, text.data(), text.size());
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

void Say(const Json& line) {
  if (!WriteAll(STDOUT_FILENO, Dump(line) + "\n")) _exit(3);  // the harness is gone
}

Catcher::Catcher(const std::string& log_path, std::optional<Trap> trap)
    : log_(open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
      trap_(std::move(trap)),
      files_([this](const std::string& path, bool after) { Renamed(path, after); }) {}

void Catcher::Pass(const Landmark& landmark, Side side) {
  // Those of commits come with the write lock held, so the log has the order of the commits of all processes.
  if (side == kAfter && landmark.fence > 0 && landmark.point != "post") {
    const std::string line =
        fmt::format("{} {} {} {}\n", landmark.point, getpid(), landmark.job.text(), landmark.fence);
    if (!WriteAll(log_.get(), line)) _exit(3);
  }
  Look(landmark.point, KindOfUser(landmark.user), side == kAfter);
}

void Catcher::OnAttemptUser(std::function<std::string(const std::string& attempt)> user_of) {
  std::lock_guard lock(mutex_);
  user_of_ = std::move(user_of);
}

// ".../blobs/generated-images/USER/GENERATION/1.1.0.png" and ".../blobs/spool/ATTEMPT".
void Catcher::Renamed(const std::string& path, bool after) {
  if (size_t at = path.find(kPictures); at != std::string::npos && path.find('@', at) == std::string::npos) {
    const size_t user = path.find('/', at + kPictures.size()) + 1;
    Look("blob", KindOfUser(path.substr(user, path.find('/', user) - user)), after);
  } else if (at = path.find(kSpool); at != std::string::npos) {
    std::function<std::string(const std::string&)> user_of;
    {
      std::lock_guard lock(mutex_);
      user_of = user_of_;
    }
    if (user_of) Look("spool", KindOfUser(user_of(path.substr(at + kSpool.size()))), after);
  }
}

void Catcher::Look(std::string_view point, std::string_view kind, bool after) {
  if (!trap_ || point != trap_->point || kind != trap_->kind || after != trap_->after) return;
  if (++passed_ != trap_->nth) return;
  Say({{"hit", trap_->Document()}, {"at", SystemClock()->WallMs()}});
  kill(getpid(), trap_->stop ? SIGSTOP : SIGKILL);
}

}  // namespace mediagen::crash
