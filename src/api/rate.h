// Rate limits of the HTTP surface (http.md "Limits").
//
// Who is signed in is charged by user under the route's rule, and by address under the rule of the same name
// with ".ip" behind it, which allows kAddressFactor times as much: a school stands behind one address. Who is
// not is charged by address under the route's rule. A generation is charged to its provider's rule, too,
// where there is one. All of them are one step: what one of them refuses is charged by none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/router.h"
#include "limit/limiter.h"

namespace mediagen {

constexpr int64_t kAddressFactor = 20;

// The configured rules and those by address that belong to them: what a router's limiter is made with,
// together with those of providers.
std::vector<LimitRule> WithAddressRules(std::vector<LimitRule> rules);
// The name of the rule of all requests to one provider.
std::string ProviderRuleName(std::string_view provider);

struct RateCharge {
  std::string_view rule;
  // The whole limit of the user where that is less: the dearest thing is still to be had once in a window.
  int64_t cost = 1;
  std::string_view provider = {};  // "": none is asked
  bool lease = false;              // to be given back if what it pays for fails: into exchange.lease
};

// Charges the exchange's principal and calls `allowed`, or answers the exchange with 429. At once with a
// limiter in memory; else on a thread of the executor's. The host itself is not limited.
void ChargeRate(Router& router, std::shared_ptr<ApiExchange> exchange, const RateCharge& charge,
                std::function<void()> allowed);
// The same for a thread that may wait: what is to be answered, or nothing.
std::optional<Response> RefusedByRate(Router& router, ApiExchange& exchange, const RateCharge& charge);

// Gives back what exchange.lease holds, if anything; the answer then says nothing of limits.
void GiveBackRate(Router& router, ApiExchange& exchange);

// RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-10 on an answer that no cache keeps
// (no-store): a kept one would repeat numbers of the past.
void AddRateHeaders(const LimitDecision& decision, Response* response);

}  // namespace mediagen
