// Errors as RFC 9457 problem documents.
#pragma once

#include <string_view>

#include "api/http.h"

namespace mediagen {

// The HTTP status of a code: 404 for kNotFound, 422 for kInvalid about a body's content is decided by the
// route, 400 here.
int HttpStatusOf(Code code);

// {"type": "urn:mediagen:problem:<code>", "title", "status", "detail", "code", "hint", "retryAfterMs",
// "object"}; no-store, Retry-After where there is a hint.
Response ProblemResponse(const Status& status);
Response ProblemResponse(const Status& status, int http_status);
// Of what could not be read as a request of `method` (ParseRequest): 414 for a target and 431 (RFC 6585 §5)
// for header fields that are too large; without content for HEAD.
Response UnreadableResponse(std::string_view method, const Status& status);

}  // namespace mediagen
