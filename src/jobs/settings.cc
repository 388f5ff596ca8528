#include "jobs/settings.h"

namespace mediagen {

void SettingsTable::Set(const std::string& queue, const QueueSettings& settings) {
  std::lock_guard lock(mutex_);
  settings_[queue] = settings;
}

QueueSettings SettingsTable::Of(std::string_view queue) const {
  std::lock_guard lock(mutex_);
  auto it = settings_.find(queue);
  return it == settings_.end() ? QueueSettings{} : it->second;
}

ClaimLimits SettingsTable::LimitsOf(std::string_view queue) const {
  QueueSettings settings = Of(queue);
  return {.concurrency = settings.concurrency,
          .per_provider = settings.per_provider,
          .per_user = settings.per_user};
}

}  // namespace mediagen
