// A queue's settings as a document: of the configuration, and of what was changed at run time.
//
// Pure; thread-safe.
#pragma once

#include <string>

#include "base/json.h"
#include "jobs/queue.h"

namespace mediagen {

// Reads the fields that are there into `settings`; every refusal names its field. The caller finishes
// `fields`.
void ReadQueueSettings(FieldReader& fields, QueueSettings* settings);

// The whole document.
std::string QueueSettingsJson(const QueueSettings& settings);

}  // namespace mediagen
