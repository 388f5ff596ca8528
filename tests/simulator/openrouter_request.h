// What OpenRouter's simulated wire makes of a request before it accepts it.
//
// Thread-safe: pure functions.
#pragma once

#include <optional>
#include <string>

#include "simulator/wire.h"

namespace mediagen::simulator::openrouter {

// {"error": {"code", "message"}}.
Reply Problem(int status, const std::string& message);
// The refusal of a missing key, of "bad", and of "broke".
std::optional<Reply> CheckKey(const Request& request);
// An error in the place of an answer, with the hint in the form that was asked for: fault.h's, and "retryAs":
// "availability".
Reply ErrorReply(const Json& fault);
// What the real one answers 400 to, and what no request of ours may hold; "" when nothing is wrong.
std::string WrongWith(const Json& body, const std::string& path);
// What the drawing goes by, out of a body of any of the three paths: Replicate's names.
Json Normalise(const Json& body);

}  // namespace mediagen::simulator::openrouter
