// LogSink: where structured records go. mediagen writes to no file and no stream of the host's: records are
// kept in a bounded ring and handed to whoever listens (the `logs` topic of events). Nothing secret is ever
// put into one: no key, prompt, signed query or data URI.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace mediagen {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogRecord {
  int64_t at_ms = 0;  // wall clock
  LogLevel level = LogLevel::kInfo;
  std::string source;  // the module: "store", "jobs", …
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};

// Thread-safe. A listener is called on the logging thread and must be quick; it must not log.
class LogSink {
 public:
  explicit LogSink(Clock* clock, size_t keep = 256) : clock_(clock), keep_(keep) {}
  void Write(LogLevel level, std::string_view source, std::string message,
             std::vector<std::pair<std::string, std::string>> fields = {});
  // The newest records, oldest first.
  std::vector<LogRecord> Recent() const;
  void Listen(std::function<void(const LogRecord&)> listener);

 private:
  Clock* clock_;
  const size_t keep_;
  mutable std::mutex mutex_;
  std::vector<LogRecord> ring_;
  size_t next_ = 0;
  std::function<void(const LogRecord&)> listener_;
};

std::string_view LogLevelName(LogLevel level);

}  // namespace mediagen
