// What Gemini made, in the three forms that its routes answer in.
//
// Thread-safe: pure functions. The answers are hostile input: members may be missing or of another type.
//
// Whatever was accepted and failed counts as charged: Google counts the tokens of refused prompts and of
// answers without a picture, and nothing on this wire says that something was not billed. There are no prices
// on it either: the cost stays absent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "provider/endpoint.h"
#include "provider/provider.h"

namespace mediagen::gemini {

// The whole answer of generateContent: kSucceeded or kFailed. nullopt when `answer` is none.
std::optional<PollAnswer> ReadGenerated(const Json& answer, const Endpoint& endpoint,
                                        std::string_view secret);

// An operation, {"name", "done", "error" | "response"}.
PollAnswer ReadOperation(const Json& operation, const Endpoint& endpoint, std::string_view secret);

// An interaction, {"id", "status", "steps"}.
PollAnswer ReadInteraction(const Json& interaction, const Endpoint& endpoint, std::string_view secret);

// By what a document is known: an operation's name, an interaction's id; "" when it is neither.
std::string HandleIdOf(const Json& document);
// The same from an answer that breaks off, where the name or the id stands first.
std::string SalvageHandleId(std::string_view body);

// A file to be fetched, with the key where it is of the API's own origin; nullopt for a URL that is not
// acceptable.
std::optional<RemoteOutput> FileOutput(std::string_view uri, std::string_view media_type,
                                       const Endpoint& endpoint);

// An end without outputs, after the request was accepted.
PollAnswer Failed(Failure failure);
PollAnswer Failed(ErrorClass error_class, std::string message, std::string_view provider_code = "");

}  // namespace mediagen::gemini
