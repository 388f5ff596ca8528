// Gemini's documents with every member of another type, and broken off at every byte.
#include <doctest/doctest.h>

#include "provider/gemini_fixture.h"

namespace mediagen {
namespace {

using namespace testing::gemini;  // NOLINT(google-build-using-namespace)
using testing::Answer;
using testing::Broken;

const char* const kDocuments[] = {
    R"({"candidates":[{"index":0,"finishReason":"STOP","content":{"role":"model","parts":[{"text":"Here"},
      {"inlineData":{"mimeType":"image/png","data":"aGVsbG8="}},{"thought":false,"fileData":
      {"mimeType":"image/png","fileUri":"https://h.example/a.png"}}]}}],"promptFeedback":{"blockReason":"OTHER"},
      "usageMetadata":{"totalTokenCount":1305},"responseId":"mS77"})",
    R"({"name":"models/veo-3.1/operations/abc","done":true,"response":{"generateVideoResponse":{
      "generatedSamples":[{"video":{"uri":"https://h.example/v.mp4"}}],"raiMediaFilteredCount":1,
      "raiMediaFilteredReasons":["No faces."]}}})",
    R"({"name":"models/veo-3.1/operations/abc","done":true,"error":{"code":8,"message":"quota","details":[
      {"@type":"x/google.rpc.RetryInfo","retryDelay":"2s"},{"violations":[{"quotaId":"PerDay"}]}]}})",
    R"({"id":"v1_x","status":"completed","steps":[{"type":"model_output","content":[
      {"type":"video","mime_type":"video/mp4","uri":"https://h.example/v.mp4"},
      {"type":"image","mime_type":"image/png","data":"aGVsbG8="}]}],"usage":{"total_tokens":58}})",
    R"({"id":"v1_x","status":"failed","error":{"code":"INTERNAL","status":"INTERNAL","message":"boom"}})",
    R"({"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[
      {"@type":"x/google.rpc.RetryInfo","retryDelay":"34.4s"},{"reason":"API_KEY_INVALID"},
      {"@type":"x/google.rpc.QuotaFailure","violations":[{"quotaId":"PerDay"}]}]}})",
};

// Whatever an answer says, what is made of it holds together.
void CheckResult(const PollAnswer& answer) {
  if (answer.kind == PollAnswer::kSucceeded) {
    CHECK_FALSE(answer.outputs.empty());
    for (const RemoteOutput& output : answer.outputs) CHECK(output.url.empty() == bool(output.bytes));
  } else if (answer.kind != PollAnswer::kPending) {
    CHECK(answer.outputs.empty());
    CHECK_FALSE(answer.failure.message.empty());
  }
}

void CheckAll(const HttpResponse& response) {
  auto adapter = NewGemini();
  SubmitAnswer submitted = adapter->ParseSubmit(response);
  if (submitted.kind == SubmitAnswer::kReceived) CheckResult(submitted.result);
  if (submitted.kind == SubmitAnswer::kSubmitted) CHECK(adapter->BuildPoll(submitted.remote).ok());
  if (submitted.kind == SubmitAnswer::kRejected || submitted.kind == SubmitAnswer::kUnknown)
    CHECK_FALSE(submitted.failure.message.empty());
  CheckResult(adapter->ParsePoll(response));
}

TEST_CASE("Gemini: no member of another type, and none that is missing, breaks the reading of a document") {
  const Json kOthers[] = {nullptr,
                          true,
                          -1,
                          1e300,
                          "",
                          "x",
                          Json::array(),
                          Json::object(),
                          Json::array({Json::array(), nullptr, "x", -1}),
                          18446744073709551615u};
  for (const char* text : kDocuments) {
    const Json whole = Json::parse(text), flat = whole.flatten();
    for (const auto& [leaf, value] : flat.items()) {
      for (Json::json_pointer at(leaf); !at.empty(); at = at.parent_pointer()) {
        CAPTURE(at.to_string());
        for (const Json& other : kOthers) {
          Json changed = whole;
          changed[at] = other;
          for (int status : {200, 429, 500}) CheckAll(Answer(status, changed.dump()));
        }
        Json without = whole;
        if (Json& parent = without[at.parent_pointer()]; parent.is_object()) parent.erase(at.back());
        CheckAll(Answer(200, without.dump()));
      }
    }
  }
}

TEST_CASE("Gemini: a document that breaks off anywhere is read as far as it is certain, or not at all") {
  for (const char* text : kDocuments) {
    const std::string whole = text;
    for (size_t size = 0; size < whole.size(); ++size) {
      CheckAll(Answer(200, whole.substr(0, size)));
      CheckAll(Broken(200, whole.substr(0, size)));
      CHECK(NewGemini()->ParsePoll(Broken(200, whole.substr(0, size))).kind == PollAnswer::kTransient);
    }
  }
}

}  // namespace
}  // namespace mediagen
