// Gemini's interactions, in every state and shape.
#include <doctest/doctest.h>

#include "provider/gemini_fixture.h"

namespace mediagen {
namespace {

using namespace testing::gemini;  // NOLINT(google-build-using-namespace)

constexpr const char* kFile = "https://generativelanguage.googleapis.com/v1beta/files/x:download?alt=media";

Json Interaction(const Json& status, Json steps = nullptr) {
  return {{"id", "v1_x"}, {"status", status}, {"steps", std::move(steps)}};
}
Json Output(Json content) {
  return Json::array({{{"type", "model_output"}, {"content", std::move(content)}}});
}

TEST_CASE("Gemini: an interaction's states, by a closed list") {
  struct Row {
    Json status;
    PollAnswer::Kind kind;
    ErrorClass error_class;
    const char* says;
  };
  const Row rows[] = {
      {"queued", PollAnswer::kPending, ErrorClass::kServer, "queue"},
      {"in_progress", PollAnswer::kPending, ErrorClass::kServer, ""},
      {"requires_action", PollAnswer::kPending, ErrorClass::kServer, "action"},
      {"completed", PollAnswer::kFailed, ErrorClass::kServer, "without a picture"},
      {"failed", PollAnswer::kFailed, ErrorClass::kServer, "no reason"},
      {"cancelled", PollAnswer::kFailed, ErrorClass::kCanceled, "canceled"},
      {"incomplete", PollAnswer::kFailed, ErrorClass::kServer, "before"},
      {"budget_exceeded", PollAnswer::kFailed, ErrorClass::kBilling, "budget"},
      {"COMPLETED", PollAnswer::kPending, ErrorClass::kServer, "not known"},
      {"succeeded", PollAnswer::kPending, ErrorClass::kServer, "not known"},
      {"", PollAnswer::kPending, ErrorClass::kServer, "not known"},
      {7, PollAnswer::kPending, ErrorClass::kServer, "not known"},
      {nullptr, PollAnswer::kPending, ErrorClass::kServer, "not known"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status.dump());
    PollAnswer answer = PollOf(Interaction(row.status));
    CHECK(answer.kind == row.kind);
    if (row.kind == PollAnswer::kFailed) {
      CHECK(answer.failure.error_class == row.error_class);
      CHECK(answer.charged);
    }
    const std::string said =
        row.kind == PollAnswer::kFailed ? answer.failure.message : answer.progress.message;
    CHECK(said.find(row.says) != std::string::npos);
  }
}

TEST_CASE("Gemini: an interaction's outputs are those of the model, in every form") {
  const Json content = Json::array({{{"type", "text"}, {"text", "Here"}},
                                    {{"type", "video"}, {"mime_type", "video/mp4"}, {"uri", kFile}},
                                    {{"type", "image"}, {"mime_type", "image/jpeg"}, {"data", "aGVsbG8="}},
                                    {{"type", "image"}, {"uri", "http://169.254.169.254/"}},
                                    {{"type", "image"}, {"data", 7}},
                                    {{"type", "audio"}, {"data", "aGk="}},
                                    7,
                                    nullptr});
  Json steps = Output(content);
  steps.insert(steps.begin(),
               {{"type", "user_input"}, {"content", Json::array({{{"type", "image"}, {"data", "aGk="}}})}});
  steps.push_back(7);
  PollAnswer answer = PollOf(Interaction("completed", steps));
  CHECK(answer.kind == PollAnswer::kSucceeded);
  REQUIRE(answer.outputs.size() == 2);
  CHECK(answer.outputs[0].url == kFile);
  CHECK(answer.outputs[0].needs_credentials);
  CHECK(answer.outputs[0].media_type == "video/mp4");
  CHECK(answer.outputs[1].bytes.view() == "hello");
  CHECK(answer.outputs[1].media_type == "image/jpeg");
  for (const char* partial : {"incomplete", "budget_exceeded", "failed"}) {
    CAPTURE(partial);
    CHECK(PollOf(Interaction(partial, steps)).outputs.size() == 2);  // made and paid for
  }
  for (const char* early : {"in_progress", "queued", "cancelled", "new"}) {
    CAPTURE(early);
    CHECK(PollOf(Interaction(early, steps)).outputs.empty());
  }
  for (const Json& hostile : {Json(7), Json("x"), Json::object(), Output(7), Output(Json::object())})
    CHECK(PollOf(Interaction("completed", hostile)).kind == PollAnswer::kFailed);
}

TEST_CASE("Gemini: why an interaction failed") {
  struct Row {
    const char* error;
    ErrorClass error_class;
    const char* message;
  };
  for (const Row& row :
       {Row{R"({"code":"INVALID_ARGUMENT","message":"bad"})", ErrorClass::kInvalid, "bad"},
        Row{R"({"code":"resource_exhausted","message":"quota"})", ErrorClass::kRateLimited, "quota"},
        Row{R"({"code":503,"message":"busy"})", ErrorClass::kOverloaded, "busy"},
        Row{R"({"status":"UNAVAILABLE"})", ErrorClass::kOverloaded,
            "The interaction failed and gave no reason."},
        Row{R"("AIza_secret_key leaked")", ErrorClass::kServer, "[key] leaked"},
        Row{"null", ErrorClass::kServer, "The interaction failed and gave no reason."}}) {
    CAPTURE(row.error);
    PollAnswer answer = PollOf({{"id", "v1_x"}, {"status", "failed"}, {"error", Json::parse(row.error)}});
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.message == row.message);
  }
}

}  // namespace
}  // namespace mediagen
