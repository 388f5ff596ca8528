// The signatures of webhooks, by vectors.
#include "provider/webhook_signature.h"

#include <doctest/doctest.h>

namespace mediagen {
namespace {

// Upstream's own test vector.
WebhookRequest Standard() {
  return {.headers = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                      {"webhook-timestamp", "1614265330"},
                      {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}},
          .body = R"({"test": 2432232314})",
          .now_s = 1614265330,
          .keys = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}};
}

WebhookRequest OpenRouter() {
  return {.headers = {{"x-openrouter-signature",
                       "t=1767225600,v1=fab425ee64e1737cedaf219f6a9365a248e690edb4b9188c293371371f43da7d"},
                      {"x-openrouter-idempotency-key", "d-1"}},
          .body = R"({"type":"video.generation.completed","data":{"id":"job_test","status":"completed"}})",
          .now_s = 1767225600,
          .keys = {"or-test-secret"}};
}

WebhookRequest Fal() {
  return {
      .headers =
          {{"x-fal-webhook-request-id", "r-1"},
           {"x-fal-webhook-user-id", "user-1"},
           {"x-fal-webhook-timestamp", "1767225600"},
           {"x-fal-webhook-signature",
            "5d8b2cfed283613f8690cf527944e546b96ebd1a40940b696318e8a484054eaf21bff660737d91e3061d71517c"
            "57bded48d4894e55d9acc7c6c890ec0d3a6900"}},
      .body = R"({"request_id":"r-1","gateway_request_id":"r-1","status":"OK","error":null,"payload":{}})",
      .now_s = 1767225600,
      .keys = {"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}};
}

struct Scheme {
  const char* name;
  WebhookRequest (*make)();
  StatusOr<std::string> (*check)(const WebhookRequest&);
  const char* delivery;
  size_t signature;  // which header
};
const Scheme kSchemes[] = {
    {"standard", Standard, CheckStandardWebhook, "msg_p5jXN8AQM9LWM0D4loKWxJek", 2},
    {"openrouter", OpenRouter, CheckOpenRouterWebhook, "d-1", 0},
    {"fal", Fal, CheckFalWebhook, "r-1 1767225600", 3},
};

TEST_CASE("a signature that fits is accepted, also beside keys that do not, and up to 300 s off") {
  for (const Scheme& scheme : kSchemes) {
    CAPTURE(scheme.name);
    WebhookRequest request = scheme.make();
    CHECK(scheme.check(request).value() == scheme.delivery);
    request.keys.insert(request.keys.begin(), {"", "whsec_AAAA", "no base64!"});
    request.now_s += 300;
    CHECK(scheme.check(request).value() == scheme.delivery);
    request.now_s -= 600;
    CHECK(scheme.check(request).ok());
  }
}

TEST_CASE("whatever was changed is refused") {
  for (const Scheme& scheme : kSchemes) {
    CAPTURE(scheme.name);
    auto refused = [&](auto change) {
      WebhookRequest request = scheme.make();
      change(request);
      return CodeOf(scheme.check(request).status()) == Code::kUnauthorized;
    };
    CHECK(refused([](WebhookRequest& r) { r.body = "{}"; }));
    CHECK(refused([](WebhookRequest& r) { r.now_s += 301; }));
    CHECK(refused([](WebhookRequest& r) { r.now_s -= 301; }));
    CHECK(refused([](WebhookRequest& r) { r.keys.clear(); }));
    CHECK(refused([](WebhookRequest& r) { r.keys = {"whsec_AAAA"}; }));
    CHECK(refused([](WebhookRequest& r) { r.headers.clear(); }));
    CHECK(refused([&](WebhookRequest& r) { r.headers[scheme.signature].second.pop_back(); }));
    CHECK(refused([&](WebhookRequest& r) { r.headers[scheme.signature].second.clear(); }));
    for (size_t i = 0; i < scheme.make().headers.size();
         ++i) {  // the delivery id of OpenRouter is not signed
      if (scheme.make().headers[i].first == "x-openrouter-idempotency-key") continue;
      CHECK(refused([&](WebhookRequest& r) { r.headers[i].second.insert(0, "7"); }));
    }
  }
}

TEST_CASE("several signatures in one header: any that fits is enough, of version 1 only") {
  WebhookRequest request = Standard();
  std::string& signature = request.headers[2].second;
  const std::string good = signature;
  signature = "v1,AAAA v1a,BBBB " + good;
  CHECK(CheckStandardWebhook(request).ok());
  signature = "v2" + good.substr(2);
  CHECK_FALSE(CheckStandardWebhook(request).ok());
}

}  // namespace
}  // namespace mediagen
