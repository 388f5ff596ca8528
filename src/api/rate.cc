#include "api/rate.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "api/problem.h"
#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

int64_t SecondsCeil(int64_t ms) { return (ms + 999) / 1000; }

std::string AddressRuleName(std::string_view rule) { return fmt::format("{}.ip", rule); }

// X-RateLimit-* of a refusal, with the reset in epoch seconds.
Response Refusal(const LimitDecision& decision, std::string_view rule, int64_t wall_ms) {
  const int64_t retry_s = SecondsCeil(decision.retry_after_ms);
  Response response = ProblemResponse(
      Error(Code::kRateLimited,
            fmt::format("{} requests of the kind \"{}\" are allowed {} in {} s.", decision.limit, rule,
                        decision.rule == "ip" ? "from one address" : "to one user",
                        SecondsCeil(decision.window_ms)),
            {.hint = fmt::format("Try again in {} s.", retry_s), .retry_after_ms = decision.retry_after_ms}));
  response.headers.emplace_back("X-RateLimit-Limit", std::to_string(decision.limit));
  response.headers.emplace_back("X-RateLimit-Remaining", std::to_string(decision.remaining));
  response.headers.emplace_back("X-RateLimit-Reset",
                                std::to_string(SecondsCeil(wall_ms + decision.reset_after_ms)));
  return response;
}

}  // namespace

std::vector<LimitRule> WithAddressRules(std::vector<LimitRule> rules) {
  const size_t count = rules.size();
  for (size_t i = 0; i < count; ++i) {
    const int64_t most = rules[i].window_ms * 1000;  // one in a microsecond, as CheckLimitRule says
    const int64_t limit = rules[i].limit > most / kAddressFactor ? most : rules[i].limit * kAddressFactor;
    rules.push_back({AddressRuleName(rules[i].name), limit, rules[i].window_ms});
  }
  return rules;
}

std::string AddressKey(std::string_view ip) {
  const std::string text(ip.substr(0, ip.find('%')));  // without the zone of a link-local address
  char spelled[INET6_ADDRSTRLEN];
  in_addr v4;
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1)
    return fmt::format("ip/{}", inet_ntop(AF_INET, &v4, spelled, sizeof spelled));
  in6_addr v6;
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return fmt::format("ip/{}", ToLower(ip));
  if (IN6_IS_ADDR_V4MAPPED(&v6))
    return fmt::format("ip/{}", inet_ntop(AF_INET, v6.s6_addr + 12, spelled, sizeof spelled));
  std::memset(v6.s6_addr + 8, 0, 8);
  return fmt::format("ip/{}/64", inet_ntop(AF_INET6, &v6, spelled, sizeof spelled));
}

std::optional<Response> RefusedByRate(Router& router, ApiExchange& exchange, std::string_view rule,
                                      int64_t cost) {
  const Principal& principal = exchange.request.principal;
  Limiter* limiter = router.parts().limiter;
  if (limiter == nullptr || principal.host) return std::nullopt;
  const std::string address = AddressKey(principal.ip), address_rule = AddressRuleName(rule);
  const std::string user = principal.user.empty() ? address : "user/" + principal.user;
  if (cost > 1) {  // a look, for the limit
    const LimitCheck look{rule, user, 0};
    auto decision = limiter->Check({&look, 1});
    if (!decision.ok()) return ProblemResponse(decision.status());
    cost = std::min(cost, decision->limit);
  }
  // A host that does not say where its users are has no rule by address.
  const LimitCheck checks[] = {{rule, user, cost}, {address_rule, address, cost}};
  const bool by_address = !principal.user.empty() && !principal.ip.empty();
  auto decision = limiter->Check(std::span(checks, by_address ? 2 : 1));
  if (!decision.ok()) return ProblemResponse(decision.status());
  decision->rule = principal.user.empty() || decision->rule == address_rule ? "ip" : "user";
  exchange.rate = *decision;
  if (decision->allowed) return std::nullopt;
  return Refusal(*decision, rule, router.parts().clock->WallMs());
}

bool ChargeRate(Router& router, ApiExchange& exchange, std::string_view rule, int64_t cost) {
  auto refusal = RefusedByRate(router, exchange, rule, cost);
  if (!refusal) return true;
  exchange.Reply(std::move(*refusal));
  return false;
}

void AddRateHeaders(const LimitDecision& decision, Response* response) {
  const bool kept = std::none_of(response->headers.begin(), response->headers.end(), [](const auto& header) {
    return header.first == "Cache-Control" && header.second == "no-store";
  });
  if (kept) return;
  response->headers.emplace_back(
      "RateLimit-Policy",
      fmt::format("\"{}\";q={};w={}", decision.rule, decision.limit, SecondsCeil(decision.window_ms)));
  response->headers.emplace_back("RateLimit",
                                 fmt::format("\"{}\";r={};t={}", decision.rule, decision.remaining,
                                             SecondsCeil(decision.reset_after_ms)));
}

}  // namespace mediagen
