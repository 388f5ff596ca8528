// The settings of every queue, by name: those of the configuration, and over them what was changed at run
// time. Unnamed queues have the defaults.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "jobs/queue.h"

namespace mediagen {

// Thread-safe.
class SettingsTable {
 public:
  void Set(const std::string& queue, const QueueSettings& settings);
  std::vector<std::string> Configured() const;
  QueueSettings Of(std::string_view queue) const;
  // What a claim from `queue` must keep to, its rate aside.
  ClaimLimits LimitsOf(std::string_view queue) const;

  // The version of the stored settings that lie over the others; -1 before the first.
  int64_t version() const;
  // Takes the stored settings as they are in `jobs`. A document that this build cannot read is left out and
  // returned as the error, after the others were taken.
  Status Load(const JobStore& jobs);

  // `patch` merged (RFC 7396) into the stored document of `queue`; kInvalid when the result is none. `over`
  // are the settings that it makes.
  StatusOr<std::string> Merge(const std::string& queue, const std::string& stored, const Json& patch,
                              QueueSettings* over) const;

 private:
  StatusOr<QueueSettings> Overlaid(std::string_view queue, const Json& document) const;
  QueueSettings BaseOf(std::string_view queue) const;

  mutable std::mutex mutex_;
  StringMap<QueueSettings> configured_, effective_;
  std::vector<StoredSettings> stored_;
  int64_t version_ = -1;
};

}  // namespace mediagen
