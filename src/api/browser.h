// What a browser is told, and asked, about pages of other origins (http.md "Browsers"): a check against
// forged requests (Fetch Metadata; RFC 6454 for Origin), and the CORS protocol (Fetch §3.2), off until
// configured.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"

namespace mediagen {

// Whether `text` is an origin as browsers send it: scheme, host, and a port unless it is the scheme's own, in
// lower case ("https://app.example:8443"). "null", which many pages share, is none.
bool IsOrigin(std::string_view text);

struct OriginRules {
  std::vector<std::string> allowed;  // may send unsafe requests by cookie
  std::vector<std::string> cors;     // may read answers; "*": every one, without credentials
};

// Whether an unsafe request by cookie comes from a page of ours: Sec-Fetch-Site says same-origin, or Origin
// is allowed; where a browser is too old for the former, Origin must name our own Host. True for other
// requests.
bool FromOurPages(const ApiRequest& request, const OriginRules& rules);

// Lets the page that asked read the answer, if it may; nothing when rules.cors is empty. Credentials are for
// origins that are allowed, too.
void AddCors(const ApiRequest& request, const OriginRules& rules, Response* response);

// OPTIONS of a resource that takes `methods` (RFC 9110 §9.3.7), and a preflight's answer (Fetch §3.2.2).
Response OptionsResponse(const ApiRequest& request, const OriginRules& rules,
                         const std::vector<std::string_view>& methods);

}  // namespace mediagen
