#include "jobs/settings.h"

#include <utility>

#include "fmt/format.h"
#include "jobs/settings_document.h"

namespace mediagen {

// Lock held.
QueueSettings SettingsTable::BaseOf(std::string_view queue) const {
  auto it = configured_.find(queue);
  return it == configured_.end() ? QueueSettings{} : it->second;
}

// Lock held.
StatusOr<QueueSettings> SettingsTable::Overlaid(std::string_view queue, const Json& document) const {
  QueueSettings settings = BaseOf(queue);
  FieldReader fields(document, fmt::format("the settings of queue \"{}\"", queue));
  ReadQueueSettings(fields, &settings);
  RETURN_IF_ERROR(fields.Finish());
  return settings;
}

void SettingsTable::Set(const std::string& queue, const QueueSettings& settings) {
  std::lock_guard lock(mutex_);
  configured_[queue] = settings;
  effective_.erase(queue);
  for (const StoredSettings& stored : stored_) {
    if (stored.queue != queue) continue;
    StatusOr<QueueSettings> over = Overlaid(queue, Json::parse(stored.document_json, nullptr, false));
    if (over.ok()) effective_[queue] = *over;
  }
}

std::vector<std::string> SettingsTable::Configured() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, settings] : configured_) names.push_back(name);
  return names;
}

QueueSettings SettingsTable::Of(std::string_view queue) const {
  std::lock_guard lock(mutex_);
  auto it = effective_.find(queue);
  return it == effective_.end() ? BaseOf(queue) : it->second;
}

ClaimLimits SettingsTable::LimitsOf(std::string_view queue) const {
  QueueSettings settings = Of(queue);
  return {.concurrency = settings.concurrency,
          .per_provider = settings.per_provider,
          .per_model = settings.per_model,
          .per_user = settings.per_user};
}

int64_t SettingsTable::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

Status SettingsTable::Load(const JobStore& jobs) {
  ASSIGN_OR_RETURN(const int64_t version, jobs.SettingsVersion());
  ASSIGN_OR_RETURN(std::vector<StoredSettings> rows, jobs.Settings());
  Status first;
  std::lock_guard lock(mutex_);
  version_ = version;
  stored_ = std::move(rows);
  effective_.clear();
  for (const StoredSettings& stored : stored_) {
    StatusOr<QueueSettings> over = Overlaid(stored.queue, Json::parse(stored.document_json, nullptr, false));
    if (over.ok()) {
      effective_[stored.queue] = *over;
    } else if (first.ok()) {
      first = over.status();
    }
  }
  return first;
}

StatusOr<std::string> SettingsTable::Merge(const std::string& queue, const std::string& stored,
                                           const Json& patch, QueueSettings* over) const {
  if (!patch.is_object()) return Error(Code::kInvalid, "The settings of a queue are an object.");
  Json document = stored.empty() ? Json::object() : Json::parse(stored, nullptr, false);
  if (!document.is_object()) document = Json::object();
  document.merge_patch(patch);
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(*over, Overlaid(queue, document));
  return document.empty() ? std::string() : Dump(document);
}

}  // namespace mediagen
