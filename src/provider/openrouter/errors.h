// What OpenRouter's errors say: {"error": {"code", "message", "metadata": {"error_type", …},
// "availability"}}.
//
// Thread-safe: pure functions over hostile input.
#pragma once

#include <optional>
#include <string_view>

#include "provider/provider.h"

namespace mediagen::openrouter {

// The member "error" of a document, an object or a text; nullptr when there is none, to which null, "" and {}
// amount.
const Json* ErrorIn(const Json& document);

// What `error` says. `status` is the answer's; where it is a success, the error's own code counts.
Failure ReadError(const Json& error, int status, std::string_view secret);

// The failure of a whole answer: ReadError with the hints of its headers; FailureOf where the body is none of
// OpenRouter's errors.
Failure ReadErrorAnswer(const HttpResponse& response, std::string_view secret);

// "usage": {"cost": USD}.
std::optional<int64_t> CostOf(const Json& document);

// Whether work that came to nothing was billed, by what its document says: the reported cost, else the code
// of an error that stands for a request not accepted. Where it says neither, it may have been.
bool WasCharged(const Json& document);

}  // namespace mediagen::openrouter
