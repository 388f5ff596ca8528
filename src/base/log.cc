#include "base/log.h"

#include <algorithm>

namespace mediagen {

void LogSink::Write(LogLevel level, std::string_view source, std::string message,
                    std::vector<std::pair<std::string, std::string>> fields) {
  LogRecord record{clock_->WallMs(), level, std::string(source), std::move(message), std::move(fields)};
  // The listener is called under the lock: records reach it in order, and none after Listen() has replaced
  // it.
  std::lock_guard lock(mutex_);
  if (listener_) listener_(record);
  if (keep_ == 0) return;
  if (ring_.size() < keep_) {
    ring_.push_back(std::move(record));
  } else {
    ring_[next_] = std::move(record);
    next_ = (next_ + 1) % keep_;
  }
}

std::vector<LogRecord> LogSink::Recent() const {
  std::lock_guard lock(mutex_);
  std::vector<LogRecord> records = ring_;
  std::rotate(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(next_), records.end());
  return records;
}

void LogSink::Listen(std::function<void(const LogRecord&)> listener) {
  std::lock_guard lock(mutex_);
  listener_.swap(listener);
}

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

}  // namespace mediagen
