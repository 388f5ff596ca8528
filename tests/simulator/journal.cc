#include "simulator/journal.h"

#include <fcntl.h>
#include <unistd.h>

namespace mediagen::simulator {
namespace {

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

bool Journal::Open(const std::string& path) {
  if (path.empty()) return true;
  file_ = Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  return file_.valid();
}

bool Journal::Append(const Json& line) {
  const std::string text = Dump(line) + "\n";
  std::lock_guard lock(mutex_);
  if (file_.valid() && (!WriteAll(file_.get(), text) || fdatasync(file_.get()) != 0)) return false;
  text_ += text;
  return true;
}

std::string Journal::Text() {
  std::lock_guard lock(mutex_);
  return text_;
}

bool StateFile::Open(const std::string& path, const std::function<void(const Json&)>& each) {
  if (path.empty()) return true;
  file_ = Fd(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file_.valid()) return false;
  std::string text;
  char chunk[64 << 10];
  for (ssize_t got; (got = read(file_.get(), chunk, sizeof chunk)) > 0;)
    text.append(chunk, static_cast<size_t>(got));
  std::string_view rest = text;
  for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    StatusOr<Json> line = ParseJson(rest.substr(0, end), "a line of the state file", {.max_bytes = 64 << 20});
    if (line.ok()) each(*line);
  }
  // A line that was cut short would swallow the next one.
  return rest.empty() || WriteAll(file_.get(), "\n");
}

void StateFile::Append(const Json& line) {
  if (!file_.valid()) return;
  std::lock_guard lock(mutex_);
  (void)WriteAll(file_.get(), Dump(line) + "\n");
}

}  // namespace mediagen::simulator
