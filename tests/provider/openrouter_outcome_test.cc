// What becomes of a paid request to OpenRouter that brought no result: rejected, or unknown.
#include <doctest/doctest.h>

#include "provider/openrouter_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::AnswerOf;
using testing::Broken;
using testing::NewOpenRouter;
using testing::NotSent;
using testing::SubmitOf;

TEST_CASE("what was rejected for certain") {
  for (int status : {400, 401, 402, 403, 404, 413, 415, 422, 429}) {
    CAPTURE(status);
    SubmitAnswer answer = SubmitOf(status, {{"error", {{"code", status}, {"message", "the reason"}}}});
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.message.find("the reason") != std::string::npos);
  }
  CHECK(NewOpenRouter()->ParseSubmit(NotSent(Error(Code::kUnavailable, "connection refused"))).kind ==
        SubmitAnswer::kRejected);
}

TEST_CASE("an unfinished picture's 502 is rejected, since it is documented as not charged; no other 502 is") {
  const std::string body = R"({"error":{"code":502,"message":"Provider returned error",
      "metadata":{"error_type":"provider_unavailable","provider_name":"openai"}}})";
  SubmitAnswer unbilled = NewOpenRouter()->ParseSubmit(AnswerOf("/images", 502, body));
  CHECK(unbilled.kind == SubmitAnswer::kRejected);
  CHECK(unbilled.failure.error_class == ErrorClass::kOverloaded);
  CHECK(unbilled.failure.retryable);

  HttpResponse elsewhere = AnswerOf("/images", 502, body), cut = AnswerOf("/images", 502, body);
  elsewhere.final_url = "https://evil.example/api/v1/images";
  cut.progress = HttpProgress::kSent;
  cut.transport = Error(Code::kUnavailable, "the connection broke");
  for (const HttpResponse& response :
       {AnswerOf("/chat/completions", 502, body), AnswerOf("/videos", 502, body), Answer(502, body),
        elsewhere, cut, AnswerOf("/images", 502, "<html>nginx</html>"), AnswerOf("/images", 502, ""),
        AnswerOf("/images", 502, "{}"), AnswerOf("/images", 502, R"({"error":null})"),
        AnswerOf("/images", 500, body),
        AnswerOf("/images", 502, R"({"error":{"code":502},"usage":{"cost":0.04}})")}) {
    CAPTURE(response.final_url);
    CAPTURE(response.body);
    CHECK(NewOpenRouter()->ParseSubmit(response).kind == SubmitAnswer::kUnknown);
  }
}

TEST_CASE("everything else is unknown, and not for trying again") {
  const std::string error = R"({"error":{"code":500,"message":"x","availability":{"retryable":true}}})";
  const HttpResponse responses[] = {
      Answer(500, error),
      Answer(503, error),
      Answer(408, error),
      Answer(524, error),
      Answer(529, error),
      Answer(301, ""),
      Answer(409, ""),
      Answer(200, ""),
      Answer(200, "{}"),
      Answer(200, "[]"),
      Answer(200, "null"),
      Answer(200, "not json"),
      Answer(200, "\xff\xfe"),
      Answer(200, std::string(200, '[')),
      Answer(200, R"({"data":{"b64_json":"AAAA"}})"),
      Answer(200, R"({"data":[],"data":[]})"),
      Answer(200, R"({"data":[{"b64_json":"AAAA)"),
      Answer(200, "data: {\"type\":\"image_generation.completed\"}\n\ndata: [DONE]\n\n"),
      Answer(200, R"({"id":"gen-1"})"),
      Answer(200, R"({"id":7,"status":"pending"})"),
      Broken(0, ""),
      Broken(200, R"({"data":[{"b64_json":"AAAA"}]})"),
      Broken(200, R"({"id":"gen-1","choices":[{"mess)"),
      Broken(429, ""),
  };
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    SubmitAnswer answer = NewOpenRouter()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kUnknown);
    CHECK(answer.failure.error_class == ErrorClass::kUnknownOutcome);
    CHECK_FALSE(answer.failure.retryable);
    CHECK_FALSE(answer.failure.message.empty());
  }
}

}  // namespace
}  // namespace mediagen
