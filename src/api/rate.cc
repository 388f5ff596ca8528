#include "api/rate.h"

#include <algorithm>
#include <span>
#include <utility>

#include "api/client_address.h"
#include "api/problem.h"
#include "base/text.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

int64_t SecondsCeil(int64_t ms) { return (ms + 999) / 1000; }

std::string AddressRuleName(std::string_view rule) { return fmt::format("{}.ip", rule); }

// The checks of one charge, and the texts that they point to.
class RateStep {
 public:
  RateStep(const Router& router, const ApiExchange& exchange, const RateCharge& charge)
      : rule_(charge.rule), cost_(charge.cost) {
    const Principal& principal = exchange.request.principal;
    const AddressRules& addresses = router.options().addresses;
    const Limiter& limiter = *router.parts().limiter;
    if (cost_ > 1) {
      if (const int64_t limit = limiter.LimitOf(rule_); limit > 0) cost_ = std::min(cost_, limit);
    }
    const std::string ip = ClientAddress(exchange.request, addresses);
    // A host that does not say where its users are has no rule by address.
    if (principal.user.empty() || !ip.empty()) address_ = AddressKey(ip, addresses.ipv6_prefix);
    user_ = principal.user.empty() ? address_ : "user/" + principal.user;
    checks_[count_++] = {rule_, user_, cost_};
    if (!principal.user.empty() && !address_.empty()) {
      address_rule_ = AddressRuleName(rule_);
      checks_[count_++] = {address_rule_, address_, cost_};
    }
    if (charge.provider.empty()) return;
    provider_rule_ = ProviderRuleName(charge.provider);
    if (limiter.LimitOf(provider_rule_) > 0) checks_[count_++] = {provider_rule_, "all", 1};
  }
  RateStep(const RateStep&) = delete;
  RateStep& operator=(const RateStep&) = delete;

  std::span<const LimitCheck> checks() const { return {checks_, count_}; }

 private:
  const std::string_view rule_;
  int64_t cost_;
  std::string user_, address_, address_rule_, provider_rule_;
  LimitCheck checks_[3];
  size_t count_ = 0;
};

// Which kind of rule decided, as the header fields name it.
std::string_view KindOf(std::string_view decided_by, const ApiExchange& exchange) {
  if (decided_by.starts_with("provider.")) return "provider";
  if (decided_by.ends_with(".ip") || exchange.request.principal.user.empty()) return "ip";
  return "user";
}

std::string_view WhoseOf(std::string_view kind) {
  return kind == "ip" ? "from one address" : kind == "user" ? "to one user" : "to one provider";
}

// X-RateLimit-* of a refusal, with the reset in epoch seconds.
Response Refusal(const LimitDecision& decision, std::string_view rule, int64_t wall_ms) {
  const int64_t retry_s = SecondsCeil(decision.retry_after_ms);
  Response response = ProblemResponse(
      Error(Code::kRateLimited,
            fmt::format("{} requests of the kind \"{}\" are allowed {} in {} s.", decision.limit, rule,
                        WhoseOf(decision.rule), SecondsCeil(decision.window_ms)),
            {.hint = fmt::format("Try again in {} s.", retry_s), .retry_after_ms = decision.retry_after_ms}));
  response.headers.emplace_back("X-RateLimit-Limit", std::to_string(decision.limit));
  response.headers.emplace_back("X-RateLimit-Remaining", std::to_string(decision.remaining));
  response.headers.emplace_back("X-RateLimit-Reset",
                                std::to_string(SecondsCeil(wall_ms + decision.reset_after_ms)));
  return response;
}

// Notes what was decided; the answer when that is no.
std::optional<Response> Settle(Router& router, ApiExchange& exchange, std::string_view rule,
                               StatusOr<LimitReservation> reserved) {
  if (!reserved.ok()) return ProblemResponse(reserved.status());
  LimitDecision decision = reserved->decision;
  exchange.lease = std::move(reserved->lease);
  if (decision.rule.empty()) return std::nullopt;  // the limiter is away, and that is to be no obstacle
  decision.rule = KindOf(decision.rule, exchange);
  exchange.rate = decision;
  if (decision.allowed) return std::nullopt;
  return Refusal(decision, rule, router.parts().clock->WallMs());
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

std::string ProviderRuleName(std::string_view provider) { return fmt::format("provider.{}", provider); }

void ChargeRate(Router& router, std::shared_ptr<ApiExchange> exchange, const RateCharge& charge,
                std::function<void()> allowed) {
  Limiter* limiter = router.parts().limiter;
  if (limiter == nullptr || exchange->request.principal.host) return allowed();
  if (!limiter->remote()) {
    auto refusal = RefusedByRate(router, *exchange, charge);
    return refusal ? exchange->Reply(std::move(*refusal)) : allowed();
  }
  const RateStep step(router, *exchange, charge);
  // The answer comes on the limiter's thread, which is not for what follows.
  auto go_on = [&router, exchange, rule = std::string(charge.rule),
                allowed = std::move(allowed)](StatusOr<LimitReservation> reserved) {
    const bool posted = router.parts().executor->Post([&router, exchange, rule, allowed, reserved] {
      auto refusal = Settle(router, *exchange, rule, reserved);
      refusal ? exchange->Reply(std::move(*refusal)) : allowed();
    });
    if (!posted) exchange->Fail(Error(Code::kClosed, "The engine is closed."));
  };
  if (charge.lease) return limiter->ReserveAsync(step.checks(), std::move(go_on));
  limiter->CheckAsync(step.checks(), [go_on = std::move(go_on)](StatusOr<LimitDecision> decision) {
    decision.ok() ? go_on(LimitReservation{*decision, {}}) : go_on(decision.status());
  });
}

std::optional<Response> RefusedByRate(Router& router, ApiExchange& exchange, const RateCharge& charge) {
  Limiter* limiter = router.parts().limiter;
  if (limiter == nullptr || exchange.request.principal.host) return std::nullopt;
  const RateStep step(router, exchange, charge);
  if (charge.lease) return Settle(router, exchange, charge.rule, limiter->Reserve(step.checks()));
  auto decision = limiter->Check(step.checks());
  if (!decision.ok()) return Settle(router, exchange, charge.rule, decision.status());
  return Settle(router, exchange, charge.rule, LimitReservation{*decision, {}});
}

void GiveBackRate(Router& router, ApiExchange& exchange) {
  if (exchange.lease.parts.empty()) return;
  router.parts().limiter->RefundLeaseAsync(exchange.lease, [](StatusOr<bool>) {});
  exchange.lease = {};
  exchange.rate.reset();
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
