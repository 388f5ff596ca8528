// What adapters share in reading failures: the class of an HTTP answer, the provider's words made safe to
// show, and its hint when to come back.
//
// Thread-safe: pure functions. The answers are hostile input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/http_client.h"
#include "provider/provider.h"

namespace mediagen {

// Whether a paid request was certainly not accepted: no request byte was written, or the answer is a complete
// 400, 401, 402, 403, 404, 413, 415, 422 or 429. Everything that is neither this nor a success is unknown.
bool RejectedForCertain(const HttpResponse& response);

// The class of a complete answer that is no success.
ErrorClass ClassOfStatus(int status);

// Whether trying the same again later may help.
bool IsRetryable(ErrorClass value);

// The failure that `response` tells, in any state of progress; its body's `detail`, `title`, `message` or
// `error` become the message. `secret` (the key) is taken out wherever the provider repeats it.
Failure FailureOf(const HttpResponse& response, std::string_view secret);

// The failure of a paid request whose fate is not known: unknown_outcome, never retryable.
Failure UnknownOutcome(const HttpResponse& response, std::string_view secret);

// `text` for readers: without `secret`, without queries of URLs (they may be signatures), without data URIs
// and control characters; valid UTF-8 of at most 400 bytes.
std::string SafeText(std::string_view text, std::string_view secret);

// When the provider says to come back, in ms from now, or -1: the header retry-after-ms, Retry-After
// (seconds, or a date measured against the answer's own Date), or the words "expected available in 1 second"
// or "resets in ~30s" of the body. At most an hour is believed.
int64_t RetryAfterMs(const HttpResponse& response);

}  // namespace mediagen
