#include "api/rate.h"

#include "api/problem.h"
#include "fmt/format.h"

namespace mediagen {

bool ChargeRate(Router& router, ApiExchange& exchange, std::string_view rule) {
  const Principal& principal = exchange.request.principal;
  if (router.parts().limiter == nullptr || principal.host) return true;
  const std::string key = principal.user.empty() ? "ip/" + principal.ip : "user/" + principal.user;
  const LimitCheck check{rule, key, 1};
  auto decision = router.parts().limiter->Check(std::span(&check, 1));
  if (!decision.ok()) {
    exchange.Fail(decision.status());
    return false;
  }
  if (decision->allowed) return true;
  const int64_t retry_s = (decision->retry_after_ms + 999) / 1000;
  Response response = ProblemResponse(Error(
      Code::kRateLimited,
      fmt::format("{} requests of the kind \"{}\" are allowed in {} s.", decision->limit, rule,
                  decision->window_ms / 1000),
      {.hint = fmt::format("Try again in {} s.", retry_s), .retry_after_ms = decision->retry_after_ms}));
  response.headers.emplace_back(
      "RateLimit-Policy", fmt::format("\"{}\";q={};w={}", rule, decision->limit, decision->window_ms / 1000));
  response.headers.emplace_back("RateLimit",
                                fmt::format("\"{}\";r={};t={}", rule, decision->remaining, retry_s));
  response.headers.emplace_back("X-RateLimit-Limit", std::to_string(decision->limit));
  response.headers.emplace_back("X-RateLimit-Remaining", std::to_string(decision->remaining));
  response.headers.emplace_back(
      "X-RateLimit-Reset",
      std::to_string((router.parts().clock->WallMs() + decision->reset_after_ms) / 1000));
  exchange.Reply(std::move(response));
  return false;
}

}  // namespace mediagen
