// Replicate's webhooks: the secret that signs them, and the one thing that is read of their body.
#include <doctest/doctest.h>

#include "provider/replicate_fixture.h"

using namespace mediagen;
using mediagen::testing::Answer;
using mediagen::testing::NewReplicate;

TEST_CASE("the secret is asked for at Replicate's own origin, with the key") {
  auto request = NewReplicate()->BuildWebhookKeys();
  REQUIRE(request.ok());
  CHECK(request->url == "https://api.replicate.com/v1/webhooks/default/secret");
  CHECK(request->method == "GET");
  CHECK(NewReplicate()->takes_webhook_url());
}

TEST_CASE("a secret is taken from a whole answer alone") {
  auto good = NewReplicate()->ParseWebhookKeys(Answer(200, R"({"key":"whsec_AAAA"})"));
  REQUIRE(good.ok());
  CHECK(*good == std::vector<std::string>{"whsec_AAAA"});
  for (const auto& [status, body] : std::vector<std::pair<int, std::string>>{{200, "{}"},
                                                                             {200, R"({"key":"whsec_"})"},
                                                                             {200, R"({"key":7})"},
                                                                             {200, "<html>"},
                                                                             {401, R"({"key":"whsec_AAAA"})"},
                                                                             {500, ""}}) {
    CAPTURE(status);
    CAPTURE(body);
    CHECK(CodeOf(NewReplicate()->ParseWebhookKeys(Answer(status, body)).status()) == Code::kUnavailable);
  }
}

TEST_CASE("a webhook names its prediction, whatever was removed from it, and nothing else is read") {
  WebhookRequest request{.headers = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}}, .authenticated = true};
  request.body = R"({"id":"hdwst0abc","status":"succeeded","input":{},"output":null,"data_removed":true})";
  auto webhook = NewReplicate()->ReadWebhook(request);
  REQUIRE(webhook.ok());
  CHECK(webhook->remote_id == "hdwst0abc");
  CHECK(webhook->delivery == "msg_p5jXN8AQM9LWM0D4loKWxJek");
  for (const char* body : {"", "[]", "{}", R"({"id":7})", R"({"id":"../secrets"})", R"({"id":""})"}) {
    CAPTURE(body);
    request.body = body;
    CHECK(CodeOf(NewReplicate()->ReadWebhook(request).status()) == Code::kInvalid);
  }
  request.authenticated = false;  // then the signature is asked for, and there is none
  CHECK(CodeOf(NewReplicate()->ReadWebhook(request).status()) == Code::kUnauthorized);
}
