// Errors of Google's APIs: {"error": {"code", "message", "status", "details": […]}}, and the same object
// inside of operations and interactions.
//
// Thread-safe: pure functions. The answers are hostile input.
#pragma once

#include <string_view>

#include "base/json.h"
#include "net/http_client.h"
#include "provider/provider.h"

namespace mediagen::gemini {

// What a complete answer that is no success, or a broken exchange, says. The hint when to come back is in the
// body; one in the headers counts only where the body has none. A daily quota that is used up is not
// retryable.
Failure ReadHttpFailure(const HttpResponse& response, std::string_view secret);

// The failure that an ended operation or interaction reports: a number of google.rpc.Code or an HTTP status,
// a word, or only a sentence. `otherwise` is said when there is no sentence.
Failure ReadErrorObject(const Json& error, std::string_view otherwise, std::string_view secret);

// "34.4s" in ms, rounded up, an hour at most; -1 for anything else.
int64_t DurationMs(std::string_view text);

}  // namespace mediagen::gemini
