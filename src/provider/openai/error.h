// OpenAI's errors, and those of servers that are like it. Pictures, videos and embeddings share them.
//
// Thread-safe: pure functions over hostile input.
#pragma once

#include <string_view>

#include "base/json.h"
#include "net/http_client.h"
#include "provider/provider.h"

namespace mediagen::openai {

// What a complete answer that is no success, or a broken exchange, says. Known codes come before the status:
// a 429 may be an empty account, a 400 a refusal by the safety system.
Failure ReadError(const HttpResponse& response, std::string_view secret);

// Whether a document of a 2xx holds an error all the same.
bool HoldsError(const Json& document);
// That error; `document` is {"error": {"code", "type", "message"}}, each of which may be missing or of
// another type. kServer where nothing says better.
Failure ErrorIn(const Json& document, std::string_view secret);

}  // namespace mediagen::openai
