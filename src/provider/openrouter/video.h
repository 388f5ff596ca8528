// Video jobs: what POST /videos and GET /videos/{id} answer.
//
// Thread-safe: pure functions over hostile input.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "provider/endpoint.h"
#include "provider/provider.h"

namespace mediagen::openrouter {

// What the job can be asked about by: an id that may stand in a path, or an unusual one with a polling URL of
// the configured origin (absolute, or a path: OpenRouter documents both). nullopt when the document is no
// job.
std::optional<RemoteHandle> ReadHandle(const Json& document, const Endpoint& endpoint);

// How the job is doing. kTransient when the document is no job.
PollAnswer ReadJob(const Json& document, const Endpoint& endpoint, std::string_view secret);

}  // namespace mediagen::openrouter
