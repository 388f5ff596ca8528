// The answers of generateContent, by their bytes.
#include <doctest/doctest.h>

#include "provider/gemini_fixture.h"

namespace mediagen {
namespace {

using namespace testing::gemini;  // NOLINT(google-build-using-namespace)
using testing::Answer;
using testing::Broken;
using testing::NotSent;

Json Picture(const char* base64 = "aGVsbG8=", const char* type = "image/png") {
  return {{"inlineData", {{"mimeType", type}, {"data", base64}}}};
}
Json Candidate(Json parts, const char* reason = "STOP") {
  return {
      {"index", 0}, {"finishReason", reason}, {"content", {{"role", "model"}, {"parts", std::move(parts)}}}};
}
Json AnswerOf(Json candidates) {
  return {{"candidates", std::move(candidates)},
          {"usageMetadata", {{"promptTokenCount", 15}, {"totalTokenCount", 1305}}},
          {"modelVersion", "m"},
          {"responseId", "mS77"}};
}

TEST_CASE("Gemini: all pictures of an answer are taken, in their order, and what was counted is noted") {
  const Json body = AnswerOf(Json::array(
      {Candidate(Json::array({{{"text", "Here you go"}}, Picture(), Picture("aGk=", "image/webp")})),
       Candidate(Json::array({Picture("eW8=")}))}));
  SubmitAnswer answer = SubmitOf(body);
  REQUIRE(answer.kind == SubmitAnswer::kReceived);
  CHECK(answer.remote.id.empty());
  CHECK(answer.result.kind == PollAnswer::kSucceeded);
  REQUIRE(answer.result.outputs.size() == 3);
  CHECK(answer.result.outputs[0].bytes.view() == "hello");
  CHECK(answer.result.outputs[0].media_type == "image/png");
  CHECK(answer.result.outputs[0].safety == "ok");
  CHECK(answer.result.outputs[1].bytes.view() == "hi");
  CHECK(answer.result.outputs[1].media_type == "image/webp");
  CHECK(answer.result.outputs[2].bytes.view() == "yo");
  CHECK_FALSE(answer.result.cost_micros.has_value());
  CHECK(answer.result.progress.message == "Response mS77. 1305 tokens.");
}

TEST_CASE("Gemini: drafts that the model thought with are not its answer") {
  Json draft = Picture();
  draft["thought"] = true;
  SubmitAnswer answer = SubmitOf(AnswerOf(Json::array({Candidate(Json::array({draft, Picture("aGk=")}))})));
  REQUIRE(answer.result.outputs.size() == 1);
  CHECK(answer.result.outputs[0].bytes.view() == "hi");
}

TEST_CASE("Gemini: a picture that a safety reason came with is flagged") {
  SubmitAnswer answer = SubmitOf(AnswerOf(Json::array({Candidate(Json::array({Picture()}), "IMAGE_SAFETY"),
                                                       Candidate(Json::array({Picture()}), "MAX_TOKENS")})));
  REQUIRE(answer.result.outputs.size() == 2);
  CHECK(answer.result.outputs[0].safety == "flagged");
  CHECK(answer.result.outputs[1].safety == "ok");
}

TEST_CASE("Gemini: a file in the answer is fetched, with the key only from the API's own origin") {
  auto file = [](const char* uri) {
    return SubmitOf(AnswerOf(Json::array({Candidate(
                        Json::array({{{"fileData", {{"mimeType", "image/png"}, {"fileUri", uri}}}}}))})))
        .result;
  };
  CHECK(file("https://generativelanguage.googleapis.com/v1beta/files/a").outputs.at(0).needs_credentials);
  CHECK_FALSE(file("https://h.example/a.png").outputs.at(0).needs_credentials);
  for (const char* bad : {"http://169.254.169.254/", "gs://bucket/a", "", "file:///etc/passwd", "/files/a"}) {
    CAPTURE(bad);
    CHECK(file(bad).kind == PollAnswer::kFailed);
  }
}

TEST_CASE("Gemini: an end without a picture, by its reason; it counts as charged") {
  struct Row {
    const char* reason;
    ErrorClass error_class;
  };
  const Row rows[] = {{"SAFETY", ErrorClass::kSafety},
                      {"PROHIBITED_CONTENT", ErrorClass::kSafety},
                      {"BLOCKLIST", ErrorClass::kSafety},
                      {"SPII", ErrorClass::kSafety},
                      {"RECITATION", ErrorClass::kSafety},
                      {"IMAGE_SAFETY", ErrorClass::kSafety},
                      {"IMAGE_PROHIBITED_CONTENT", ErrorClass::kSafety},
                      {"IMAGE_RECITATION", ErrorClass::kSafety},
                      {"NO_IMAGE", ErrorClass::kServer},
                      {"IMAGE_OTHER", ErrorClass::kServer},
                      {"STOP", ErrorClass::kServer},
                      {"MAX_TOKENS", ErrorClass::kServer},
                      {"SOMETHING_NEW", ErrorClass::kServer}};
  for (const Row& row : rows) {
    CAPTURE(row.reason);
    for (const Json& candidate : {Json{{"finishReason", row.reason}}, Candidate(Json::array(), row.reason),
                                  Json{{"finishReason", row.reason}, {"content", nullptr}}}) {
      SubmitAnswer answer = SubmitOf(AnswerOf(Json::array({candidate})));
      CHECK(answer.kind == SubmitAnswer::kReceived);
      CHECK(answer.result.kind == PollAnswer::kFailed);
      CHECK(answer.result.failure.error_class == row.error_class);
      CHECK(answer.result.failure.provider_code == row.reason);
      CHECK_FALSE(answer.result.failure.message.empty());
      CHECK_FALSE(answer.result.failure.retryable);
      CHECK(answer.result.charged);
    }
  }
}

TEST_CASE("Gemini: a refused prompt is a safety failure with the API's own word") {
  SubmitAnswer answer = SubmitOf({{"promptFeedback", {{"blockReason", "PROHIBITED_CONTENT"}}},
                                  {"usageMetadata", {{"promptTokenCount", 9}, {"totalTokenCount", 9}}}});
  CHECK(answer.kind == SubmitAnswer::kReceived);
  CHECK(answer.result.failure.error_class == ErrorClass::kSafety);
  CHECK(answer.result.failure.provider_code == "PROHIBITED_CONTENT");
  CHECK(answer.result.failure.message == "The prompt was refused (PROHIBITED_CONTENT).");
}

TEST_CASE("Gemini: text instead of a picture is quoted, made safe") {
  SubmitAnswer answer = SubmitOf(AnswerOf(Json::array(
      {Candidate(Json::array({{{"text", "I cannot, AIza_secret_key, see https://h/x?sig=1\x01"}}}))})));
  CHECK(answer.result.kind == PollAnswer::kFailed);
  CHECK(answer.result.failure.message ==
        "The model ended without making a picture. It said: I cannot, [key], see https://h/x?…");
  answer = SubmitOf(AnswerOf(Json::array({Candidate(Json::array({{{"text", std::string(50'000, 'x')}}}))})));
  CHECK(answer.result.failure.message.size() < 500);
}

TEST_CASE("Gemini: hostile answers are no crash and no picture") {
  const char* rows[] = {
      R"({"candidates":[7,null,"x",[],{}],"responseId":7})",
      R"({"candidates":[{"finishReason":7,"content":{"parts":{"inlineData":{}}}}]})",
      R"({"candidates":[{"content":{"parts":[7,null,[],"x",{"inlineData":7},{"inlineData":{"data":7}}]}}]})",
      R"({"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"***"}}]}}]})",
      R"({"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":""}}]}}]})",
      R"({"candidates":[{"content":{"parts":[{"text":7,"thought":"x","fileData":[]}]}}]})",
      R"({"promptFeedback":{"blockReason":7},"candidates":{}})",
      R"({"usageMetadata":{"totalTokenCount":-1},"candidates":null})",
      R"({"candidates":[],"responseId":"x"})",
  };
  for (const char* row : rows) {
    CAPTURE(row);
    SubmitAnswer answer = NewGemini()->ParseSubmit(Answer(200, row));
    CHECK(answer.kind == SubmitAnswer::kReceived);
    CHECK(answer.result.kind == PollAnswer::kFailed);
    CHECK(answer.result.outputs.empty());
  }
  Json many = Json::array();
  for (int i = 0; i < 200; ++i) many.push_back(Picture());
  CHECK(SubmitOf(AnswerOf(Json::array({Candidate(many)}))).result.outputs.size() == 64);
}

TEST_CASE("Gemini: an answer that does not say what became of the request leaves it unknown") {
  const std::string whole = AnswerOf(Json::array({Candidate(Json::array({Picture()}))})).dump();
  const HttpResponse responses[] = {
      Answer(200, ""),
      Answer(200, "[]"),
      Answer(200, "{}"),
      Answer(200, "null"),
      Answer(200, R"({"candidates":[]})"),
      Answer(200, R"({"candidates":7})"),
      Answer(200, R"({"error":{"code":500,"message":"boom"}})"),
      Answer(200, whole.substr(0, whole.size() / 2)),
      Broken(200, whole.substr(0, whole.size() / 2)),
      Broken(0, ""),
      Answer(500, R"({"error":{"code":500,"message":"boom","status":"INTERNAL"}})"),
      Answer(503, R"({"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}})"),
      Answer(502, "<html>nginx</html>"),
      Answer(302, "")};
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    SubmitAnswer answer = NewGemini()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kUnknown);
    CHECK(answer.failure.error_class == ErrorClass::kUnknownOutcome);
    CHECK_FALSE(answer.failure.message.empty());
  }
  CHECK(NewGemini()->ParseSubmit(NotSent(Error(Code::kUnavailable, "no route"))).kind ==
        SubmitAnswer::kRejected);
}

}  // namespace
}  // namespace mediagen
