// Synchronous answers: POST /images and POST /chat/completions.
//
// Thread-safe: pure functions over hostile input.
#pragma once

#include <optional>
#include <string_view>

#include "provider/endpoint.h"
#include "provider/provider.h"

namespace mediagen::openrouter {

// The result in an answer of either path, told apart by their documents alone: a stored answer comes back
// without its URL. nullopt when it is of neither. An error beside, or instead of, pictures came with HTTP
// 200.
std::optional<PollAnswer> ReadSynchronous(const Json& document, const Endpoint& endpoint,
                                          std::string_view secret);

}  // namespace mediagen::openrouter
