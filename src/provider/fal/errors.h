// fal's errors, in two families: its platform's {"detail": "…", "error_type": "…"}, and its models'
// {"detail": [{"loc": […], "msg": "…", "type": "…"}]}.
//
// Thread-safe: pure functions over hostile input.
#pragma once

#include <string>
#include <string_view>

#include "provider/provider.h"

namespace mediagen::fal {

// What an answer that is no success, or a broken exchange, says; with fal's hints about trying again.
Failure ReadError(const HttpResponse& response, std::string_view secret);

// What a request that ended with `error` (a text, or anything that is none) and `error_type` says; either may
// be empty. `response` carries the hints.
Failure EndedWith(const Json& error, std::string_view error_type, const HttpResponse& response,
                  std::string_view secret);

// The failure that a document with a "detail" of the models' family holds beside HTTP 200.
Failure ReadModelError(const Json& document, std::string_view secret);

// Whether this complete answer to a submit is a platform error that stands for a request that is over, which
// fal does not bill: "5xx are not billed" (its documentation of the queue's retries).
bool IsUnbilledError(const HttpResponse& response);

// Whether a request that ended with this error type was not billed, by the same citation.
bool IsUnbilledType(std::string_view error_type);

// Whether this answer to the GET of a result is the request's own end, the model's or the platform's word on
// it. All else is trouble with the GET: the work is done, and the result is asked for again.
bool IsEnd(const HttpResponse& response);

// Whether the answer is the one for a result that was asked for too early, under whatever status it comes.
bool IsStillInProgress(const Json& document);

}  // namespace mediagen::fal
