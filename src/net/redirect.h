// Redirects, followed by hand: where a Location leads, and which headers may come along.
//
// Thread-safe: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http_client.h"

namespace mediagen {

// Whether `status` with a Location asks for the same GET elsewhere (RFC 9110 §15.4).
bool IsRedirect(int status);

// The absolute URL that `location` names, seen from `base` (RFC 3986 §5.2; dot segments are left to the
// server). kInvalid like ParseUrl.
StatusOr<Url> ResolveLocation(const Url& base, std::string_view location);

// What of `headers` may be sent to another origin: a short list of names that carry no secret. libcurl itself
// would drop only Authorization and pass on x-goog-api-key and its like.
HttpHeaders WithoutCredentials(const HttpHeaders& headers);

// The text that curl is given: rebuilt from the parts that were checked, so that no second parser reads
// anything else.
std::string UrlText(const Url& url);

}  // namespace mediagen
