// The settings of every queue, by name. Unnamed queues have the defaults.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/text.h"
#include "jobs/queue.h"

namespace mediagen {

// Thread-safe.
class SettingsTable {
 public:
  void Set(const std::string& queue, const QueueSettings& settings);
  QueueSettings Of(std::string_view queue) const;
  // What a claim from `queue` must keep to.
  ClaimLimits LimitsOf(std::string_view queue) const;

 private:
  mutable std::mutex mutex_;
  StringMap<QueueSettings> settings_;
};

}  // namespace mediagen
