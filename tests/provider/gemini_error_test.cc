// Gemini's errors, the hints in them, and its webhooks.
#include <doctest/doctest.h>

#include "base/base64.h"
#include "base/hash.h"
#include "fmt/format.h"
#include "provider/gemini_fixture.h"

namespace mediagen {
namespace {

using namespace testing::gemini;  // NOLINT(google-build-using-namespace)
using testing::Answer;

SubmitAnswer Refused(int status, const std::string& body, HttpHeaders headers = {}) {
  return NewGemini()->ParseSubmit(Answer(status, body, std::move(headers)));
}
// A 429 with these "details".
Failure Throttled(const Json& details, HttpHeaders headers = {}) {
  const Json error = {
      {"code", 429}, {"message", "slow down"}, {"status", "RESOURCE_EXHAUSTED"}, {"details", details}};
  return Refused(429, Json{{"error", error}}.dump(), std::move(headers)).failure;
}
Json RetryInfo(const Json& delay) {
  return {{"@type", "type.googleapis.com/google.rpc.RetryInfo"}, {"retryDelay", delay}};
}
Json Quota(const Json& id) {
  return {{"@type", "type.googleapis.com/google.rpc.QuotaFailure"},
          {"violations", Json::array({{{"quotaId", id}}})}};
}

TEST_CASE("Gemini: a refusal by its status and its word") {
  struct Row {
    int status;
    const char* word;
    ErrorClass error_class;
    bool retryable;
  };
  const Row rows[] = {{400, "INVALID_ARGUMENT", ErrorClass::kInvalid, false},
                      {400, "FAILED_PRECONDITION", ErrorClass::kInvalid, false},
                      {400, "OUT_OF_RANGE", ErrorClass::kInvalid, false},
                      {401, "UNAUTHENTICATED", ErrorClass::kAuth, false},
                      {402, "FAILED_PRECONDITION", ErrorClass::kBilling, false},
                      {403, "PERMISSION_DENIED", ErrorClass::kAuth, false},
                      {404, "NOT_FOUND", ErrorClass::kNotFound, false},
                      {413, "", ErrorClass::kInvalid, false},
                      {429, "RESOURCE_EXHAUSTED", ErrorClass::kRateLimited, true},
                      {429, "", ErrorClass::kRateLimited, true},
                      {400, "A_NEW_WORD", ErrorClass::kInvalid, false}};
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.word);
    const Json error = {{"code", row.status}, {"message", "so it is"}, {"status", row.word}};
    for (const Json& body : {Json{{"error", error}}, Json::array({{{"error", error}}})}) {
      SubmitAnswer answer = Refused(row.status, body.dump());
      CHECK(answer.kind == SubmitAnswer::kRejected);
      CHECK(answer.failure.error_class == row.error_class);
      CHECK(answer.failure.retryable == row.retryable);
      CHECK(answer.failure.provider_code == row.word);
    }
    CHECK(Refused(row.status, Json{{"error", error}}.dump()).failure.message ==
          fmt::format("The provider answered HTTP {}: so it is", row.status));
  }
}

TEST_CASE("Gemini: a failing poll's word decides its class") {
  struct Row {
    int status;
    const char* word;
    ErrorClass error_class;
  };
  for (const Row& row :
       {Row{500, "INTERNAL", ErrorClass::kServer}, Row{500, "UNKNOWN", ErrorClass::kServer},
        Row{503, "UNAVAILABLE", ErrorClass::kOverloaded}, Row{503, "", ErrorClass::kOverloaded},
        Row{504, "DEADLINE_EXCEEDED", ErrorClass::kTimeout}, Row{408, "", ErrorClass::kTimeout},
        Row{502, "", ErrorClass::kServer}}) {
    CAPTURE(row.status);
    PollAnswer answer = NewGemini()->ParsePoll(
        Answer(row.status, Json{{"error", {{"message", "m"}, {"status", row.word}}}}.dump()));
    CHECK(answer.kind == PollAnswer::kTransient);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable);
  }
}

TEST_CASE("Gemini: a bad key is told as an invalid argument, and known by its reason") {
  SubmitAnswer answer = Refused(400, R"({"error":{"code":400,"message":"API key not valid.",
      "status":"INVALID_ARGUMENT",
      "details":[{"@type":"x/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}})");
  CHECK(answer.failure.error_class == ErrorClass::kAuth);
  CHECK_FALSE(answer.failure.retryable);
}

TEST_CASE("Gemini: the hint when to come back is in the body") {
  struct Row {
    Json delay;
    int64_t ms;
  };
  for (const Row& row :
       {Row{"34.4s", 34'400}, Row{"2s", 2000}, Row{"0s", 0}, Row{"0.0001s", 1}, Row{"99999999s", 3'600'000},
        Row{"-1s", -1}, Row{"34.4", -1}, Row{"s", -1}, Row{"", -1}, Row{"1m", -1}, Row{"nans", -1},
        Row{"infs", -1}, Row{" 1s", -1}, Row{"1s ", -1}, Row{34, -1}, Row{nullptr, -1}}) {
    CAPTURE(row.delay.dump());
    Failure failure = Throttled(Json::array({Quota("PerMinute"), RetryInfo(row.delay)}));
    CHECK(failure.retry_after_ms == row.ms);
    CHECK(failure.retryable);
  }
  CHECK(Throttled(Json::array({RetryInfo("34.4s")}), {{"retry-after", "2"}}).retry_after_ms == 34'400);
  CHECK(Throttled(Json::array(), {{"retry-after", "2"}}).retry_after_ms == 2000);
  CHECK(Throttled(Json::array(), {{"retry-after-ms", "250"}}).retry_after_ms == 250);
  CHECK(Throttled(Json::array()).retry_after_ms == -1);
}

TEST_CASE("Gemini: a daily quota is not tried again soon, whatever delay comes along") {
  Failure failure =
      Throttled(Json::array({Quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), RetryInfo("34.4s")}),
                {{"retry-after", "2"}});
  CHECK(failure.error_class == ErrorClass::kRateLimited);
  CHECK_FALSE(failure.retryable);
  CHECK(failure.retry_after_ms == -1);
  CHECK(failure.message.find("daily") != std::string::npos);
}

TEST_CASE("Gemini: hostile errors are no crash, and messages hold no secret") {
  for (const char* body :
       {"", "[]", "[7]", "null", "{}", "{\"error\":7}", "{\"error\":\"x\"}", "{\"error\":null}",
        R"({"error":{"code":{},"message":[],"status":7,"details":{}}})",
        R"({"error":{"details":[7,null,"x",[],{"@type":7},{"violations":{}},
           {"violations":[7,{"quotaId":7}]}]}})",
        "<html>429</html>", "{\"error\":"}) {
    CAPTURE(body);
    SubmitAnswer answer = Refused(429, body);
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
    CHECK_FALSE(answer.failure.message.empty());
  }
  SubmitAnswer answer =
      Refused(400, R"({"error":{"message":"AIza_secret_key https://h/x?key=1","status":"AIza_secret_key"}})");
  CHECK(answer.failure.message == "The provider answered HTTP 400: [key] https://h/x?…");
  CHECK(answer.failure.provider_code == "[key]");
  CHECK(Refused(400, R"({"error":{"message":"m","status":")" + std::string(5000, 'X') + "\"}}")
            .failure.provider_code.size() < 70);
}

constexpr int64_t kNow = 1767225600;
const std::string kSecret = "whsec_" + Base64Encode("a secret of a project's own");

struct SignedWebhook {
  std::string body, time = fmt::format("{}", kNow);
  WebhookRequest request;

  explicit SignedWebhook(std::string text, const std::string& secret = kSecret) : body(std::move(text)) {
    const std::string message = fmt::format("msg_1.{}.{}", time, body);
    const Sha256Digest mac = HmacSha256(Base64Decode(secret.substr(6)).value(), message);
    const std::string_view raw(reinterpret_cast<const char*>(mac.data()), mac.size());
    request = {.headers = {{"webhook-id", "msg_1"},
                           {"webhook-timestamp", time},
                           {"webhook-signature", "v1," + Base64Encode(raw)}},
               .body = body,
               .now_s = kNow};
  }
};

TEST_CASE("Gemini: a project's webhook is read when the project's secret signed it") {
  struct Row {
    const char *body, *id;
  };
  for (const Row& row :
       {Row{R"({"type":"interaction.completed","version":"v1","data":{"id":"v1_x"}})", "v1_x"},
        Row{R"({"type":"video.generated","data":{"id":"models/veo-3.1/operations/abc",
           "file_name":"files/x"}})",
            "models/veo-3.1/operations/abc"},
        Row{R"({"type":"video.generated","data":{"name":"models/veo-3.1/operations/abc"}})",
            "models/veo-3.1/operations/abc"},
        Row{R"({"type":"batch.succeeded","data":{"id":"../etc"}})", ""},
        Row{R"({"type":"batch.succeeded","data":{"id":7,"x":1}})", ""}}) {
    CAPTURE(row.body);
    SignedWebhook hook(row.body);
    for (bool configured : {true, false}) {
      if (!configured) hook.request.keys = {kSecret};
      StatusOr<Webhook> webhook = NewGemini(configured ? kSecret : "")->ReadWebhook(hook.request);
      REQUIRE(webhook.ok());
      CHECK(webhook->delivery == "msg_1");
      CHECK(webhook->remote_id == row.id);
    }
  }
  for (const char* other : {"[]", "7", "{}", R"({"type":7,"data":{"id":"x"}})", R"({"type":"x","data":7})",
                            R"({"data":{"id":"x"}})", "not json"}) {
    CAPTURE(other);
    CHECK(CodeOf(NewGemini(kSecret)->ReadWebhook(SignedWebhook(other).request).status()) == Code::kInvalid);
  }
}

TEST_CASE("Gemini: a webhook that the secret did not sign, that is old, or that has a JWT is refused") {
  const std::string body = R"({"type":"interaction.completed","data":{"id":"v1_x"}})";
  auto code = [&](auto change, const std::string& secret = kSecret) {
    SignedWebhook hook(body);
    change(hook.request);
    return CodeOf(NewGemini(secret)->ReadWebhook(hook.request).status());
  };
  CHECK(code([](WebhookRequest&) {}) == Code::kOk);
  CHECK(code([](WebhookRequest&) {}, "") == Code::kUnauthorized);
  CHECK(code([](WebhookRequest&) {}, "whsec_AAAA") == Code::kUnauthorized);
  CHECK(code([](WebhookRequest& r) { r.body = "{}"; }) == Code::kUnauthorized);
  CHECK(code([](WebhookRequest& r) { r.now_s += 301; }) == Code::kUnauthorized);
  CHECK(code([](WebhookRequest& r) { r.headers.clear(); }) == Code::kUnauthorized);
  CHECK(code([](WebhookRequest& r) { r.headers[2].second = "eyJhbGciOiJub25lIn0.e30."; }) ==
        Code::kUnauthorized);
  CHECK(CodeOf(NewGemini()->BuildWebhookKeys().status()) == Code::kUnsupported);
}

}  // namespace
}  // namespace mediagen
