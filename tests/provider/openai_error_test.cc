// OpenAI's errors, their hints, and its webhooks.
#include <doctest/doctest.h>

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"
#include "provider/openai_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::LocalConfig;
using testing::NewOpenAi;
using testing::NotSent;
using testing::OpenAiConfig;

Failure FailureOfSubmit(const HttpResponse& response) {
  SubmitAnswer answer = NewOpenAi()->ParseSubmit(response);
  CHECK(answer.kind == SubmitAnswer::kRejected);
  return answer.failure;
}

TEST_CASE("what OpenAI and servers like it refuse, by their own words before the status") {
  struct Row {
    int status;
    const char* body;
    ErrorClass error_class;
    const char* provider_code;
    bool retryable;
  };
  const Row rows[] = {
      {429,
       R"({"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}})",
       ErrorClass::kRateLimited, "rate_limit_exceeded", true},
      {429,
       R"({"error":{"message":"no money","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})",
       ErrorClass::kBilling, "insufficient_quota", false},
      {429,
       R"({"error":{"message":"no money","type":"insufficient_quota","code":"credit_balance_exhausted"}})",
       ErrorClass::kBilling, "credit_balance_exhausted", false},
      {429, R"({"error":{"message":"no money","type":"insufficient_quota","code":null}})",
       ErrorClass::kBilling, "insufficient_quota", false},
      {400,
       R"({"error":{"message":"limit","type":"invalid_request_error","code":"billing_hard_limit_reached"}})",
       ErrorClass::kBilling, "billing_hard_limit_reached", false},
      {400,
       R"({"error":{"message":"blocked","type":"image_generation_user_error","code":"moderation_blocked"}})",
       ErrorClass::kSafety, "moderation_blocked", false},
      {400, R"({"error":{"message":"no","type":"invalid_request_error","code":"content_policy_violation"}})",
       ErrorClass::kSafety, "content_policy_violation", false},
      {400,
       R"({"error":{"message":"rejected. safety_violations=[sexual].","type":"image_generation_user_error","code":null}})",
       ErrorClass::kSafety, "image_generation_user_error", false},
      {400,
       R"({"error":{"message":"bad picture","type":"image_generation_user_error","code":"invalid_image"}})",
       ErrorClass::kInvalid, "invalid_image", false},
      {400,
       R"({"error":{"message":"Unknown parameter: 'response_format'.","type":"invalid_request_error","param":"response_format","code":"unknown_parameter"}})",
       ErrorClass::kInvalid, "unknown_parameter", false},
      {401, R"({"error":{"message":"wrong key","type":"invalid_request_error","code":"invalid_api_key"}})",
       ErrorClass::kAuth, "invalid_api_key", false},
      {403, R"({"error":{"message":"verify","type":"invalid_request_error","code":null}})", ErrorClass::kAuth,
       "invalid_request_error", false},
      {404, R"({"error":{"message":"no model","type":"invalid_request_error","code":"model_not_found"}})",
       ErrorClass::kNotFound, "model_not_found", false},
      {402, R"({"error":{"message":"pay","code":402}})", ErrorClass::kBilling, "402", false},
      {422, R"({"detail":[{"loc":["body"],"msg":"bad"}]})", ErrorClass::kInvalid, "", false},
      {400, R"({"object":"error","message":"bad","type":"BadRequestError","param":null,"code":400})",
       ErrorClass::kInvalid, "400", false},
      {400, R"({"error":"no such backend"})", ErrorClass::kInvalid, "", false},
      {400, R"({"error":{"message":7,"type":[],"code":{}}})", ErrorClass::kInvalid, "", false},
      {413, "<html>nginx</html>", ErrorClass::kInvalid, "", false},
      {429, "", ErrorClass::kRateLimited, "", true},
      {429, "[]", ErrorClass::kRateLimited, "", true},
      {429, R"({"error":{"code":)", ErrorClass::kRateLimited, "", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    const Failure failure = FailureOfSubmit(Answer(row.status, row.body));
    CHECK(failure.error_class == row.error_class);
    CHECK(failure.provider_code == row.provider_code);
    CHECK(failure.retryable == row.retryable);
    CHECK_FALSE(failure.message.empty());
  }
  CHECK(FailureOfSubmit(NotSent(Error(Code::kUnavailable, "refused"))).retryable);
}

TEST_CASE("the key is shown nowhere, whatever the provider repeats of it") {
  const Failure failure = FailureOfSubmit(Answer(
      401, R"({"error":{"message":"Incorrect API key provided: sk-secret-key.","code":"sk-secret-key"}})"));
  CHECK(failure.message.find("sk-secret-key") == std::string::npos);
  CHECK(failure.message.find("Incorrect API key") != std::string::npos);
  CHECK(failure.provider_code == "[key]");
  // Not a part of it either, where a long text is cut.
  const Json long_code = {{"error", {{"code", std::string(75, 'x') + "sk-secret-key"}}}};
  CHECK(FailureOfSubmit(Answer(400, long_code.dump())).provider_code.find("sk-") == std::string::npos);
}

TEST_CASE("hints when to come back, in the order of their exactness") {
  struct Row {
    HttpHeaders headers;
    const char* message;
    int64_t ms;
  };
  const Row rows[] = {
      {{{"retry-after-ms", "250"}, {"retry-after", "2"}}, "", 250},
      {{{"retry-after", "2"}}, "", 2000},
      {{{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}},
       "",
       30'000},
      {{}, "Please try again in 20s.", 20'000},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "1s"}}, "", 1000},
      {{{"x-ratelimit-remaining-tokens", "0"},
        {"x-ratelimit-reset-tokens", "6m0s"},
        {"x-ratelimit-remaining-requests", "0"},
        {"x-ratelimit-reset-requests", "20ms"}},
       "",
       360'000},
      {{{"x-ratelimit-remaining-tokens", "3"}, {"x-ratelimit-reset-tokens", "6m0s"}}, "", -1},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "1h30m1.5s"}}, "", 3'600'000},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "soon"}}, "", -1},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "5"}}, "", -1},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "-5s"}}, "", -1},
      {{{"x-ratelimit-remaining-requests", "0"}}, "", -1},
      {{}, "", -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.ms);
    const Json body = {{"error", {{"message", row.message}, {"code", "rate_limit_exceeded"}}}};
    CHECK(FailureOfSubmit(Answer(429, body.dump(), row.headers)).retry_after_ms == row.ms);
  }
  const Failure broke = FailureOfSubmit(Answer(429, R"({"error":{"code":"insufficient_quota"}})",
                                               {{"retry-after", "2"}, {"x-should-retry", "true"}}));
  CHECK(broke.retry_after_ms == -1);  // waiting brings no money
  CHECK_FALSE(broke.retryable);
}

TEST_CASE("x-should-retry decides, except where it would pay or offend again") {
  CHECK_FALSE(FailureOfSubmit(Answer(429, "", {{"x-should-retry", "false"}})).retryable);
  CHECK(FailureOfSubmit(Answer(400, "", {{"x-should-retry", "true"}})).retryable);
  CHECK(FailureOfSubmit(Answer(429, "", {{"x-should-retry", "perhaps"}})).retryable);
  CHECK_FALSE(
      FailureOfSubmit(Answer(400, R"({"error":{"code":"moderation_blocked"}})", {{"x-should-retry", "true"}}))
          .retryable);
}

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

WebhookRequest Signed(std::string_view body, int64_t time = 1'614'265'330) {
  const std::string key = Base64Decode(std::string_view(kSecret).substr(6)).value();
  const Sha256Digest digest = HmacSha256(key, fmt::format("wh_1.{}.{}", time, body));
  WebhookRequest request;
  request.headers = {{"webhook-id", "wh_1"},
                     {"webhook-timestamp", fmt::format("{}", time)},
                     {"webhook-signature",
                      "v1," + Base64Encode({reinterpret_cast<const char*>(digest.data()), digest.size()})}};
  request.body = body;
  request.now_s = 1'614'265'330;
  return request;
}

TEST_CASE("a webhook is believed by its signature, with the configured secret or the keys given") {
  ProviderConfig config = OpenAiConfig();
  config.webhook_secret = kSecret;
  auto adapter = NewOpenAi(config);
  const char* body =
      R"({"id":"evt_1","object":"event","type":"video.completed","created_at":1,"data":{"id":"video_1"}})";
  StatusOr<Webhook> webhook = adapter->ReadWebhook(Signed(body));
  REQUIRE(webhook.ok());
  CHECK(webhook->delivery == "wh_1");
  CHECK(webhook->remote_id == "video_1");
  WebhookRequest with_keys = Signed(body);
  with_keys.keys = {kSecret};
  CHECK(NewOpenAi()->ReadWebhook(with_keys).value().remote_id == "video_1");
  // Another thing's event: true, and about no request of ours.
  CHECK(adapter->ReadWebhook(Signed(R"({"type":"batch.completed","data":{"id":"batch_1"}})"))
            .value()
            .remote_id.empty());

  CHECK(CodeOf(NewOpenAi()->ReadWebhook(Signed(body)).status()) == Code::kUnauthorized);  // no secret at all
  WebhookRequest changed = Signed(body);
  changed.body = R"({"id":"evt_1","type":"video.completed","data":{"id":"video_2"}})";
  CHECK(CodeOf(adapter->ReadWebhook(changed).status()) == Code::kUnauthorized);
  CHECK(CodeOf(adapter->ReadWebhook(Signed(body, 1'614'265'330 - 301)).status()) == Code::kUnauthorized);
  CHECK(CodeOf(adapter->ReadWebhook(Signed(body, 1'614'265'330 + 301)).status()) == Code::kUnauthorized);
  WebhookRequest bare = Signed(body);
  bare.headers.clear();
  CHECK(CodeOf(adapter->ReadWebhook(bare).status()) == Code::kUnauthorized);
  for (const char* bad :
       {"", "x", "[]", "{}", "null", R"({"data":7})", R"({"data":{"id":7}})", R"({"data":{"id":"../x"}})"}) {
    CAPTURE(bad);
    CHECK(CodeOf(adapter->ReadWebhook(Signed(bad)).status()) == Code::kInvalid);
  }
  CHECK(CodeOf(adapter->BuildWebhookKeys().status()) == Code::kUnsupported);
}

}  // namespace
}  // namespace mediagen
