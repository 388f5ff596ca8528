// Rate limits of the HTTP surface (http.md "Limits").
//
// Who is signed in is charged by user under the route's rule, and by address under the rule of the same name
// with ".ip" behind it, which allows kAddressFactor times as much: a school stands behind one address. Who is
// not is charged by address under the route's rule. A request that one of the two refuses is charged by none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/router.h"
#include "limit/limiter.h"

namespace mediagen {

constexpr int64_t kAddressFactor = 20;

// The configured rules and those by address that belong to them: what a router's limiter is made with.
std::vector<LimitRule> WithAddressRules(std::vector<LimitRule> rules);

// What an address is charged as: IPv4 by itself, also when it comes mapped into IPv6 (::ffff:192.0.2.1), IPv6
// by its /64, in one spelling for all that mean the same. Another text is its own key.
std::string AddressKey(std::string_view ip);

// The 429 of what is refused; nothing when it was charged `cost`, or the whole limit of the user where that
// is less: the dearest thing is still to be had once in a window.
std::optional<Response> RefusedByRate(Router& router, ApiExchange& exchange, std::string_view rule,
                                      int64_t cost);
// Charges the exchange's principal `cost` under `rule`. False: it was refused, and the exchange is answered
// with 429. The host itself is not limited.
bool ChargeRate(Router& router, ApiExchange& exchange, std::string_view rule, int64_t cost = 1);

// RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-10 on an answer that no cache keeps
// (no-store): a kept one would repeat numbers of the past.
void AddRateHeaders(const LimitDecision& decision, Response* response);

}  // namespace mediagen
