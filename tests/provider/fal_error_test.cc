// The errors that fal's result call answers with.
#include <doctest/doctest.h>

#include "provider/fal_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::NotSent;
using testing::fal::New;

TEST_CASE("fal: the model's own error ends the request, by its type and never by its words") {
  struct Row {
    int status;
    Json body;
    ErrorClass error_class;
    const char *code, *message;
    bool charged;
  };
  const Json refusal = {{"loc", {"body", "prompt"}},
                        {"msg", "flagged"},
                        {"type", "content_policy_violation"},
                        {"url", "https://docs.fal.ai/errors#x"},
                        {"ctx", Json::object()},
                        {"input", "the secret prompt"}};
  const Json missing = {{"loc", {"body", "image_urls", 0}}, {"msg", "required"}, {"type", "missing"}};
  for (const Row& row : {
           Row{422,
               {{"detail", {refusal}}},
               ErrorClass::kSafety,
               "content_policy_violation",
               "The provider answered HTTP 422: body.prompt: flagged",
               true},
           Row{422,
               {{"detail", {missing}}},
               ErrorClass::kInvalid,
               "missing",
               "The provider answered HTTP 422: body.image_urls.0: required",
               true},
           Row{422,
               {{"detail", {missing, refusal}}},
               ErrorClass::kSafety,
               "content_policy_violation",
               "The provider answered HTTP 422: body.image_urls.0: required; body.prompt: flagged",
               true},
           Row{422,
               {{"detail", "nsfw content policy"}},
               ErrorClass::kInvalid,
               "",
               "The provider answered HTTP 422: nsfw content policy",
               true},
           Row{422,
               {{"detail", {7, nullptr, {{"loc", 7}, {"msg", 9}, {"type", {}}}}}},
               ErrorClass::kInvalid,
               "",
               "The provider answered HTTP 422.",
               true},
           Row{400,
               {{"detail", "x"}, {"error_type", "bad_request"}},
               ErrorClass::kInvalid,
               "bad_request",
               "The provider answered HTTP 400: x",
               true},
           Row{499,
               {{"detail", "x"}, {"error_type", "client_cancelled"}},
               ErrorClass::kCanceled,
               "client_cancelled",
               "The provider answered HTTP 499: x",
               true},
           Row{500,
               {{"detail", "Internal Server Error"}},
               ErrorClass::kServer,
               "",
               "The provider answered HTTP 500: Internal Server Error",
               false},
           Row{504,
               {{"detail", "x"}, {"error_type", "request_timeout"}},
               ErrorClass::kTimeout,
               "request_timeout",
               "The provider answered HTTP 504: x",
               false},
           Row{404,
               {{"detail", "gone"}},
               ErrorClass::kNotFound,
               "",
               "The provider answered HTTP 404: gone",
               true},
           Row{410,
               {{"detail", "gone"}},
               ErrorClass::kExpired,
               "",
               "The provider answered HTTP 410: gone",
               true},
       }) {
    CAPTURE(row.body.dump());
    PollAnswer answer = New()->ParseResult(Answer(row.status, row.body.dump()));
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.provider_code == row.code);
    CHECK(answer.failure.message == row.message);
    CHECK(answer.charged == row.charged);
    CHECK(answer.outputs.empty());
  }
}

TEST_CASE("fal: fal's word on trying again counts, by either of its headers") {
  auto retryable = [](int status, const char* body, HttpHeaders headers) {
    return New()->ParseResult(Answer(status, body, std::move(headers))).failure.retryable;
  };
  const char* server = R"({"detail":"x"})";
  const char* safety = R"({"detail":[{"type":"content_policy_violation"}]})";
  CHECK(retryable(500, server, {}));
  CHECK_FALSE(retryable(500, server, {{"x-fal-retryable", "false"}}));
  CHECK_FALSE(retryable(500, server, {{"x-fal-needs-retry", "0"}}));
  CHECK_FALSE(retryable(422, server, {}));
  CHECK(retryable(422, server, {{"x-fal-retryable", "True"}}));
  CHECK(retryable(422, server, {{"x-fal-needs-retry", "1"}}));
  CHECK_FALSE(retryable(422, server, {{"x-fal-retryable", "maybe"}}));
  CHECK_FALSE(retryable(422, safety, {{"x-fal-retryable", "true"}}));
  CHECK_FALSE(retryable(401, server, {{"x-fal-retryable", "true"}}));
  CHECK_FALSE(retryable(504, R"({"detail":"x","error_type":"request_timeout"})",
                        {{"x-fal-request-timeout-type", "user"}, {"x-fal-retryable", "true"}}));
}

TEST_CASE("fal: what says nothing of the model's work is asked for again") {
  const HttpResponse responses[] = {
      Answer(429, R"({"detail":"x"})"),
      Answer(503, R"({"detail":"x"})"),
      Answer(503, R"({"detail":"x","error_type":"runner_disconnected"})"),
      // These may speak of the GET alone.
      Answer(500, R"({"detail":"x","error_type":"internal_error"})"),
      Answer(500, R"({"detail":"x"})", {{"x-fal-error-type", "internal_error"}}),
      Answer(499, R"({"detail":"x","error_type":"client_disconnected"})"),
      Answer(408, R"({"detail":"x"})"),
      Answer(401, R"({"detail":"x"})"),
      Answer(402, R"({"detail":"x"})"),
      Answer(403, R"({"detail":"x"})"),
      Answer(500, ""),
      Answer(500, "<html>"),
      Answer(500, "{}"),
      Answer(502, "<html>nginx"),
      Answer(504, "[]"),
      Answer(404, "<html>"),
      Answer(302, R"({"detail":"x"})"),
      Answer(200, ""),
      Answer(200, "[]"),
      Answer(200, R"({"images":[{"url":"https://h/x.png")"),
      Answer(200, R"({"images":[],"images":[]})"),
      Broken(200, R"({"image":"https://h/x.png"})"),
      Broken(422, R"({"detail":"x"})"),
      Broken(500, R"({"detail":"Request is still in progress"})"),
      NotSent(Error(Code::kTimeout, "slow")),
  };
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    PollAnswer answer = New()->ParseResult(response);
    CHECK(answer.kind == PollAnswer::kTransient);
    CHECK_FALSE(answer.failure.message.empty());
  }
  CHECK(New()->ParseResult(Answer(429, "{}", {{"retry-after", "2"}})).next_poll_ms == 2000);
}

}  // namespace
}  // namespace mediagen
