// Rate limits of the HTTP surface: who is charged for what, and what a refusal says.
#include "api/rate.h"

#include <doctest/doctest.h>

#include "api/exchange.h"
#include "base/json.h"
#include "limit/memory/memory.h"

using namespace mediagen;
using mediagen::testing::BodyOf;
using mediagen::testing::HeaderOf;

namespace {

struct Fixture {
  FakeClock clock;
  std::unique_ptr<Limiter> limiter;
  std::unique_ptr<Router> router;

  explicit Fixture(std::vector<LimitRule> rules) {
    auto made = NewMemoryLimiter(&clock, WithAddressRules(std::move(rules)));
    REQUIRE(made.ok());
    limiter = *std::move(made);
    RouterParts parts;
    parts.limiter = limiter.get();
    parts.clock = &clock;
    router = std::make_unique<Router>(parts, RouterOptions{});
  }

  // The refusal, or nothing.
  std::optional<Response> Charge(const std::string& user, const std::string& ip,
                                 const std::string& rule = "writes") {
    auto exchange = std::make_shared<ApiExchange>();
    exchange->request.method = "POST";
    exchange->request.principal.user = user;
    exchange->request.principal.ip = ip;
    std::optional<Response> refusal;
    exchange->done = [&](Response response) { refusal = std::move(response); };
    bool allowed = false;
    ChargeRate(*router, exchange, {.rule = rule}, [&] { allowed = true; });
    CHECK(allowed == !refusal);
    return refusal;
  }
  int Allowed(const std::string& user, const std::string& ip, int tries) {
    int allowed = 0;
    for (int i = 0; i < tries; ++i) allowed += Charge(user, ip) ? 0 : 1;
    return allowed;
  }
};

const std::vector<LimitRule> kTwoAMinute = {{"writes", 2, 60'000}};

}  // namespace

TEST_CASE("a signed-in user is charged by user, and its address twenty times later") {
  Fixture f(kTwoAMinute);
  CHECK(f.Allowed("u1", "192.0.2.1", 5) == 2);
  CHECK(f.Allowed("u2", "192.0.2.1", 5) == 2);   // behind the same address
  CHECK(f.Allowed("u1", "192.0.2.99", 5) == 0);  // the same user, elsewhere
  int allowed = 4;
  for (int i = 3; i < 60; ++i) allowed += f.Allowed("u" + std::to_string(i), "::ffff:192.0.2.1", 2);
  CHECK(allowed == 40);
}

TEST_CASE("who is not signed in is charged by address, IPv6 by its /64") {
  Fixture f(kTwoAMinute);
  CHECK(f.Allowed("", "2001:db8::1", 1) == 1);
  CHECK(f.Allowed("", "2001:db8::2", 5) == 1);
  CHECK(f.Allowed("", "2001:db8:0:1::1", 5) == 2);
  CHECK(f.Allowed("u1", "2001:db8::1", 5) == 2);  // signing in helps
}

TEST_CASE("a request that one rule refuses is charged by none") {
  Fixture f(kTwoAMinute);
  CHECK(f.Allowed("u1", "192.0.2.1", 50) == 2);  // the 48 refused ones cost the address nothing
  int allowed = 2;
  for (int i = 2; i < 60; ++i) allowed += f.Allowed("u" + std::to_string(i), "192.0.2.1", 2);
  CHECK(allowed == 40);
  CHECK(f.Charge("other", "192.0.2.1"));
  CHECK(f.Allowed("other", "192.0.2.2", 5) == 2);  // nor did the address's refusal cost the user anything
}

TEST_CASE("users whose address nobody knows are charged by user alone") {
  Fixture f(kTwoAMinute);
  int allowed = 0;
  for (int i = 0; i < 60; ++i) allowed += f.Allowed("u" + std::to_string(i), "", 3);
  CHECK(allowed == 120);
}

TEST_CASE("a refusal says which limit, how long, and until when") {
  Fixture f(kTwoAMinute);
  f.clock.Advance(500);
  f.Charge("u1", "192.0.2.1");
  f.clock.Advance(10'000);
  f.Charge("u1", "192.0.2.1");
  f.clock.Advance(1'000);
  const auto by_user = f.Charge("u1", "192.0.2.1");
  REQUIRE(by_user);
  CHECK(by_user->status == 429);
  CHECK(HeaderOf(*by_user, "Retry-After") == "49");
  CHECK(HeaderOf(*by_user, "RateLimit-Policy") == "\"user\";q=2;w=60");
  CHECK(HeaderOf(*by_user, "RateLimit") == "\"user\";r=0;t=59");
  CHECK(HeaderOf(*by_user, "X-RateLimit-Limit") == "2");
  CHECK(HeaderOf(*by_user, "X-RateLimit-Remaining") == "0");
  CHECK(HeaderOf(*by_user, "X-RateLimit-Reset") == std::to_string((f.clock.WallMs() + 59'000 + 999) / 1000));
  CHECK(HeaderOf(*by_user, "Cache-Control") == "no-store");
  CHECK(Json::parse(BodyOf(*by_user))["retryAfterMs"] == 49'000);
  f.clock.Advance(48'999);
  CHECK(f.Charge("u1", "192.0.2.1"));
  f.clock.Advance(1);
  CHECK_FALSE(f.Charge("u1", "192.0.2.1"));

  f.Allowed("", "192.0.2.7", 2);
  const auto by_address = f.Charge("", "192.0.2.7");
  REQUIRE(by_address);
  CHECK(HeaderOf(*by_address, "RateLimit") == "\"ip\";r=0;t=60");
}

TEST_CASE("what a cache may keep says nothing of limits") {
  const LimitDecision decision{
      .rule = "user", .limit = 5, .remaining = 4, .window_ms = 60'000, .reset_after_ms = 11'001};
  for (const char* kept :
       {"public, max-age=3600", "private, no-cache", "private, max-age=31536000, immutable"}) {
    Response response{.headers = {{"Cache-Control", kept}}};
    AddRateHeaders(decision, &response);
    CHECK(HeaderOf(response, "RateLimit") == "-");
    CHECK(HeaderOf(response, "RateLimit-Policy") == "-");
  }
  Response response{.headers = {{"Cache-Control", "no-store"}}};
  AddRateHeaders(decision, &response);
  CHECK(HeaderOf(response, "RateLimit") == "\"user\";r=4;t=12");
  CHECK(HeaderOf(response, "RateLimit-Policy") == "\"user\";q=5;w=60");
}

TEST_CASE("the address's rule keeps within what a limiter takes") {
  const auto rules = WithAddressRules({{"a", 5, 60'000}, {"b", 900'000, 1'000}, {"c", 1'000'000, 1'000}});
  REQUIRE(rules.size() == 6);
  CHECK(rules[3].name == "a.ip");
  CHECK(rules[3].limit == 100);
  CHECK(rules[3].window_ms == 60'000);
  CHECK(rules[4].limit == 1'000'000);
  for (const LimitRule& rule : rules) CHECK(CheckLimitRule(rule).ok());
}
