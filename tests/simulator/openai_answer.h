// The documents that the simulated OpenAI answers with.
//
// Thread-safe: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulator/prediction.h"
#include "simulator/server.h"

namespace mediagen::simulator::openai {

Reply Problem(int status, const std::string& code, const std::string& message,
              const std::string& type = "invalid_request_error");
// A missing, bad or empty-pursed key.
std::optional<Reply> CheckKey(const Request& request);
// An error in the place of an answer, with the hint in the form that was asked for.
Reply ErrorReply(const Json& fault);

// What Pictures draws by: {prompt, width, height, num_outputs, seed} of a request's fields, in which numbers
// may be digit strings.
Json NormalisedInput(const Json& fields);

Json VideoDocument(const Prediction& prediction, int64_t now_ms);
// The smallest file that is known as MP4: a file type box and a box of media data that `seed` fills.
std::string Mp4(const std::string& seed);

// A unit vector that is the same for the same text, and nearer to another the more words both share.
std::vector<float> Embedding(const std::string& text, size_t dimensions);

}  // namespace mediagen::simulator::openai
