// fal's webhooks: where the keys are had, and what a signed one says.
#include <doctest/doctest.h>

#include "provider/fal_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::fal::Config;
using testing::fal::HeaderOf;
using testing::fal::New;

const std::string kKey = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg";

WebhookRequest Signed() {
  return {
      .headers =
          {{"x-fal-webhook-request-id", "r-1"},
           {"x-fal-webhook-user-id", "user-1"},
           {"x-fal-webhook-timestamp", "1767225600"},
           {"x-fal-webhook-signature",
            "5d8b2cfed283613f8690cf527944e546b96ebd1a40940b696318e8a484054eaf21bff660737d91e3061d71517c57bded"
            "48d4894e55d9acc7c6c890ec0d3a6900"}},
      .body = R"({"request_id":"r-1","gateway_request_id":"r-1","status":"OK","error":null,"payload":{}})",
      .now_s = 1767225600,
      .keys = {kKey}};
}

TEST_CASE("fal: a signed webhook names its request; anything changed is refused") {
  Webhook webhook = New()->ReadWebhook(Signed()).value();
  CHECK(webhook.remote_id == "r-1");
  CHECK(webhook.delivery == "r-1 1767225600");
  WebhookRequest changed = Signed();
  changed.body = R"({"request_id":"r-2"})";
  CHECK(CodeOf(New()->ReadWebhook(changed).status()) == Code::kUnauthorized);
  changed = Signed();
  changed.now_s += 301;
  CHECK(CodeOf(New()->ReadWebhook(changed).status()) == Code::kUnauthorized);
  changed = Signed();
  changed.keys.clear();
  CHECK(CodeOf(New()->ReadWebhook(changed).status()) == Code::kUnauthorized);
}

TEST_CASE("fal: the webhook keys are fetched without the API key") {
  HttpRequest request = New()->BuildWebhookKeys().value();
  CHECK(request.method == "GET");
  CHECK(request.url == "https://rest.alpha.fal.ai/.well-known/jwks.json");
  CHECK(HeaderOf(request, "authorization").empty());
  CHECK(request.guard_address);
  struct Row {
    const char *base, *url;
  };
  for (const Row& row : {Row{"https://queue.fal.run/", "https://rest.alpha.fal.ai/.well-known/jwks.json"},
                         Row{"https://proxy.example/fal", "https://proxy.example:443/.well-known/jwks.json"},
                         Row{"http://127.0.0.1:7/fal", "http://127.0.0.1:7/.well-known/jwks.json"}}) {
    CAPTURE(row.base);
    ProviderConfig config = Config();
    config.base_url = row.base;
    config.allow_private_network = true;
    HttpRequest own = New(config)->BuildWebhookKeys().value();
    CHECK(own.url == row.url);
    CHECK(HeaderOf(own, "authorization").empty());
  }
}

TEST_CASE("fal: a key set gives its Ed25519 keys, and nothing else") {
  auto keys = [](const Json& set) { return New()->ParseWebhookKeys(Answer(200, set.dump())); };
  const Json good = {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", kKey}};
  CHECK(keys({{"keys", {good}}}).value() == std::vector{kKey});
  CHECK(keys({{"keys", {{{"x", kKey}}}}}).value() == std::vector{kKey});
  CHECK(keys({{"keys",
               {nullptr,
                7,
                Json::object(),
                {{"kty", "RSA"}, {"x", kKey}},
                {{"crv", "X25519"}, {"x", kKey}},
                {{"x", "AAAA"}},
                {{"x", "no base64!"}},
                {{"x", 7}},
                good}}})
            .value() == std::vector{kKey});
  CHECK(keys({{"keys", Json::array_t(100, good)}}).value().size() == 16);
  for (const Json& bad :
       {Json(), Json::array(), Json::object(), Json{{"keys", nullptr}}, Json{{"keys", {{{"x", "AAAA"}}}}}}) {
    CAPTURE(bad.dump());
    CHECK(CodeOf(keys(bad).status()) == Code::kUnavailable);
  }
  CHECK(CodeOf(New()->ParseWebhookKeys(Answer(200, "not json")).status()) == Code::kUnavailable);
  CHECK(CodeOf(New()->ParseWebhookKeys(Answer(503, Json{{"keys", {good}}}.dump())).status()) ==
        Code::kUnavailable);
  CHECK(CodeOf(New()->ParseWebhookKeys(Broken(200, Json{{"keys", {good}}}.dump())).status()) ==
        Code::kUnavailable);
}

}  // namespace
}  // namespace mediagen
