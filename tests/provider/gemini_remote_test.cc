// What a submit answers of work that goes on, its operations, and polls that fail.
#include <doctest/doctest.h>

#include "provider/gemini_fixture.h"

namespace mediagen {
namespace {

using namespace testing::gemini;  // NOLINT(google-build-using-namespace)
using testing::Answer;
using testing::Broken;
using testing::NotSent;

constexpr const char* kOperation = "models/veo-3.1/operations/abc";
constexpr const char* kFile = "https://generativelanguage.googleapis.com/v1beta/files/x:download?alt=media";

Json Done(Json response) {
  return {
      {"name", kOperation}, {"done", true}, {"response", {{"generateVideoResponse", std::move(response)}}}};
}
Json Sample(const Json& uri) { return {{"video", {{"uri", uri}}}}; }

TEST_CASE("Gemini: an operation's name or an interaction's id is a submit accepted") {
  struct Row {
    const char *body, *id;
    PollAnswer::Kind kind;
  };
  const Row rows[] = {
      {R"({"name":"models/veo-3.1/operations/abc"})", kOperation, PollAnswer::kPending},
      {R"({"name":"models/veo-3.1/operations/abc","metadata":{},"done":false})", kOperation,
       PollAnswer::kPending},
      {R"({"name":"models/veo-3.1/operations/abc","done":true,"error":{"code":13}})", kOperation,
       PollAnswer::kFailed},
      {R"({"id":"v1_x","status":"queued"})", "v1_x", PollAnswer::kPending},
      {R"({"id":"v1_x"})", "v1_x", PollAnswer::kPending},
      {R"({"id":"v1_eA==","status":"in_progress"})", "v1_eA==", PollAnswer::kPending},
      {R"({"id":"v1_x","status":"completed","steps":[{"type":"model_output","content":
          [{"type":"video","uri":"https://h/x.mp4"}]}]})",
       "v1_x", PollAnswer::kSucceeded},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    SubmitAnswer answer = NewGemini()->ParseSubmit(Answer(200, row.body));
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.id == row.id);
    CHECK(answer.result.kind == row.kind);
    CHECK(NewGemini()->BuildPoll(answer.remote).ok());
  }
}

TEST_CASE("Gemini: an answer that breaks off counts when its name or id can be read for certain") {
  struct Row {
    const char *body, *id;
  };
  for (const Row& row :
       {Row{"{\n  \"name\": \"models/veo-3.1/operations/abc\"\n", kOperation},
        Row{R"({"name":"models/veo-3.1/operations/abc","meta)", kOperation},
        Row{R"({"id":"v1_x","status":"in_pro)", "v1_x"}, Row{R"({"id":"v1_x")", "v1_x"},
        Row{R"({"name":"models/veo-3.1/operations/ab)", ""}, Row{R"({"id":"v1_)", ""},
        Row{R"({"status":"queued","id":"v1_x")", ""}, Row{R"({"name":"v1_x")", ""},
        Row{R"({"id":"models/veo/operations/a")", ""}, Row{R"({"name":"../../x")", ""},
        Row{R"({"name":7)", ""}, Row{R"({"name")", ""}, Row{R"({"name":)", ""}, Row{"{", ""}, Row{"", ""}}) {
    CAPTURE(row.body);
    SubmitAnswer answer = NewGemini()->ParseSubmit(Broken(200, row.body));
    CHECK(answer.kind == (*row.id == 0 ? SubmitAnswer::kUnknown : SubmitAnswer::kSubmitted));
    CHECK(answer.remote.id == row.id);
    if (*row.id != 0) CHECK(answer.result.kind == PollAnswer::kPending);
  }
  CHECK(NewGemini()->ParseSubmit(Broken(500, R"({"id":"v1_x")")).kind == SubmitAnswer::kUnknown);
}

TEST_CASE("Gemini: a name that cannot stand in a path is no handle") {
  for (const Json& body :
       {Json{{"name", "models/veo/operations/.."}}, Json{{"name", "models/../operations/a"}},
        Json{{"name", "operations/a?key=1"}}, Json{{"name", 7}}, Json{{"name", nullptr}},
        Json{{"id", "../files"}}, Json{{"id", "a/b"}}, Json{{"id", ""}}, Json{{"id", 7}},
        Json{{"id", std::string(500, 'a')}},
        Json{{"name", "models/veo/operations/" + std::string(500, 'a')}}}) {
    CAPTURE(body.dump());
    CHECK(SubmitOf(body).kind == SubmitAnswer::kUnknown);
  }
}

TEST_CASE("Gemini: an operation is pending until it says that it is done") {
  for (const Json& body :
       {Json{{"name", kOperation}}, Json{{"name", kOperation}, {"done", false}},
        Json{{"name", kOperation}, {"done", "true"}}, Json{{"name", kOperation}, {"done", 1}},
        Json{{"name", kOperation}, {"response", {{"generateVideoResponse", Json::object()}}}}}) {
    CAPTURE(body.dump());
    PollAnswer answer = PollOf(body);
    CHECK(answer.kind == PollAnswer::kPending);
    CHECK(answer.next_poll_ms == 10'000);
  }
}

TEST_CASE("Gemini: an operation's videos are fetched with the key") {
  PollAnswer answer = PollOf(Done(
      {{"generatedSamples", Json::array({Sample(kFile), Sample("https://h.example/v.mp4"), Sample(7),
                                         Sample("gs://b/v"), Sample("http://169.254.169.254/"), 7, nullptr})},
       {"raiMediaFilteredCount", 1}}));
  CHECK(answer.kind == PollAnswer::kSucceeded);
  REQUIRE(answer.outputs.size() == 2);
  CHECK(answer.outputs[0].url == kFile);
  CHECK(answer.outputs[0].needs_credentials);
  CHECK_FALSE(answer.outputs[1].needs_credentials);
  CHECK_FALSE(answer.cost_micros.has_value());
}

TEST_CASE("Gemini: an operation that is done without a video says why, and counts as charged") {
  struct Row {
    const char* body;
    ErrorClass error_class;
    const char* message;
    bool retryable;
  };
  const Row rows[] = {
      {R"({"done":true,"response":{"generateVideoResponse":{"raiMediaFilteredCount":1,
          "raiMediaFilteredReasons":["No faces.","Try another.",7]}}})",
       ErrorClass::kSafety, "No faces. Try another.", false},
      {R"({"done":true,"response":{"generateVideoResponse":{"raiMediaFilteredCount":2}}})",
       ErrorClass::kSafety, "The video was withheld by a safety filter.", false},
      {R"({"done":true,"response":{"generateVideoResponse":{"generatedSamples":[]}}})", ErrorClass::kServer,
       "The operation is done, and there is no video in it.", false},
      {R"({"done":true,"response":{"generateVideoResponse":7}})", ErrorClass::kServer,
       "The operation is done, and there is no video in it.", false},
      {R"({"done":true})", ErrorClass::kServer, "The operation is done, and there is no video in it.", false},
      {R"({"done":true,"error":{}})", ErrorClass::kServer,
       "The operation is done, and there is no video in it.", false},
      {R"({"done":true,"error":{"code":3,"message":"bad duration"}})", ErrorClass::kInvalid, "bad duration",
       false},
      {R"({"done":true,"error":{"code":8,"message":"quota"}})", ErrorClass::kRateLimited, "quota", true},
      {R"({"done":true,"error":{"code":14,"message":"busy"}})", ErrorClass::kOverloaded, "busy", true},
      {R"({"done":true,"error":{"code":13}})", ErrorClass::kServer,
       "The operation failed and gave no reason.", true},
      {R"({"done":true,"error":{"code":1,"message":"stopped"}})", ErrorClass::kCanceled, "stopped", false},
      {R"({"done":true,"error":{"code":404,"message":"gone"}})", ErrorClass::kNotFound, "gone", false},
      {R"({"done":true,"error":{"code":99,"message":["x"]}})", ErrorClass::kServer,
       "The operation failed and gave no reason.", true},
      {R"({"done":true,"error":"words alone"})", ErrorClass::kServer, "words alone", true},
      {R"({"done":true,"error":7})", ErrorClass::kServer, "The operation failed and gave no reason.", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    PollAnswer answer = PollOf(Json::parse(row.body));
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.charged);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.message == row.message);
    CHECK(answer.failure.retryable == row.retryable);
  }
  CHECK(PollOf({{"done", true}, {"error", {{"code", 3}}}}).failure.provider_code == "INVALID_ARGUMENT");
}

TEST_CASE("Gemini: an answer to a poll that says nothing about the work is transient") {
  const HttpResponse responses[] = {Answer(500, ""),
                                    Answer(502, "<html>"),
                                    Answer(401, R"({"error":{"code":401,"status":"UNAUTHENTICATED"}})"),
                                    Answer(404, "<html>not here"),
                                    Answer(200, ""),
                                    Answer(200, "[]"),
                                    Answer(200, "{}"),
                                    Answer(200, R"({"error":{"code":500}})"),
                                    Answer(200, R"({"name":"a","name":"b"})"),
                                    Answer(302, ""),
                                    Broken(200, R"({"name":"models/veo-3.1/operations/abc","done":true)"),
                                    NotSent(Error(Code::kTimeout, "slow"))};
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    PollAnswer answer = NewGemini()->ParsePoll(response);
    CHECK(answer.kind == PollAnswer::kTransient);
    CHECK_FALSE(answer.failure.message.empty());
  }
  PollAnswer gone = NewGemini()->ParsePoll(
      Answer(404, R"({"error":{"code":404,"message":"not found","status":"NOT_FOUND"}})"));
  CHECK(gone.kind == PollAnswer::kFailed);
  CHECK(gone.failure.error_class == ErrorClass::kNotFound);
  CHECK(gone.charged);
  PollAnswer throttled = NewGemini()->ParsePoll(Answer(429, R"({"error":{"code":429,"status":
      "RESOURCE_EXHAUSTED","details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"30s"}]}})"));
  CHECK(throttled.kind == PollAnswer::kTransient);
  CHECK(throttled.next_poll_ms == 30'000);
}

}  // namespace
}  // namespace mediagen
