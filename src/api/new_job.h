// Requests to make jobs, as documents (docs/documents.md).
//
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "jobs/queue.h"

namespace mediagen {

// Bytes of a payload, a result or a checkpoint; larger things are blobs.
constexpr size_t kMaxPayload = 1 << 20;

// Whether `queue` is mediagen's own: hosts neither add to it, claim from it nor cancel in it (they cancel the
// generation).
bool IsInternalQueue(std::string_view queue);
// Whether `queue` is that of a provider which the host itself is: hosts claim from it, the pipeline adds to
// it.
bool IsProviderQueue(std::string_view queue);
// kInvalid for what is no name of a queue, kForbidden for an internal one and, where jobs would be added or
// made again (`adds`), for a provider's: nobody would wait for those.
Status CheckQueue(std::string_view name, bool adds);

// The text of a field that is an object (with `any`: anything); kTooLarge past kMaxPayload.
Status TakeDocument(FieldReader& fields, std::string_view name, bool any, std::string* out);

// One {"queue", "kind", "payload", …} with its children, or with the items that become its children. `what`
// names it in errors.
StatusOr<NewJob> ParseNewJob(const Json& json, std::string_view what);
// One job or an array; 1 to 1,000 jobs, children counted.
StatusOr<std::vector<NewJob>> ParseNewJobs(std::string_view text);

}  // namespace mediagen
