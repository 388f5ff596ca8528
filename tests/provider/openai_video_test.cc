// What OpenAI's answers say of videos, by their bytes.
#include <doctest/doctest.h>

#include "provider/openai_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::NewOpenAi;
using testing::NotSent;

SubmitAnswer Submit(const std::string& body) { return NewOpenAi()->ParseSubmit(Answer(200, body)); }
PollAnswer Poll(const Json& video) { return NewOpenAi()->ParsePoll(Answer(200, video.dump())); }

TEST_CASE("a video is submitted, with what its answer says already") {
  SubmitAnswer answer = Submit(
      R"({"id":"video_68d7","object":"video","status":"queued","progress":0,"model":"sora-2","error":null})");
  CHECK(answer.kind == SubmitAnswer::kSubmitted);
  CHECK(answer.remote.id == "video_68d7");
  CHECK(answer.result.kind == PollAnswer::kPending);
  CHECK(answer.failure.message.empty());
  // A server that leaves out all but what it needs.
  CHECK(Submit(R"({"id":"abc","status":"processing"})").kind == SubmitAnswer::kSubmitted);
  CHECK(Submit(R"({"id":"abc","object":"video"})").result.kind == PollAnswer::kPending);
  answer = Submit(R"({"id":"abc","object":"video","status":"completed"})");
  CHECK(answer.kind == SubmitAnswer::kSubmitted);
  CHECK(answer.result.outputs.size() == 1);
  CHECK(Submit(R"({"id":"abc","status":"failed","error":{"code":"moderation_blocked"}})")
            .result.failure.error_class == ErrorClass::kSafety);
}

TEST_CASE("a video's id that came before its answer broke off is kept: it was paid for") {
  for (const HttpResponse& response : {Broken(200, R"({"id":"video_1","object":"vid)"),
                                       Answer(200, R"( { "id" : "video_1" , "status":"que)"),
                                       Broken(200, R"({"id":"video_1","object":"video","progr)"),
                                       Answer(200, R"({"id":"video_1","x":1,"x":2})")}) {
    CAPTURE(response.body);
    SubmitAnswer answer = NewOpenAi()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.id == "video_1");
    CHECK(answer.result.kind == PollAnswer::kPending);
  }
  CHECK(NewOpenAi()->ParseSubmit(Broken(200, R"({"id":"abc","object":"video","st)")).remote.id == "abc");
  // Pictures may have an id too, and an id further in is anybody's.
  for (const char* body :
       {R"({"id":"img-1","data":[{"b64_json":"AAA)", R"({"a":{"id":"video_1"},"b":)",
        R"({"x":1,"id":"video_1","y":)", R"({"id":"video_1)", R"({"id":"video_1/../x","y":)",
        R"({"id":["video_1"],"y":)", R"([{"id":"video_1"},)"}) {
    CAPTURE(body);
    CHECK(NewOpenAi()->ParseSubmit(Broken(200, body)).kind == SubmitAnswer::kUnknown);
  }
  CHECK(NewOpenAi()->ParseSubmit(Broken(500, R"({"id":"video_1","object":"video","x":)")).kind ==
        SubmitAnswer::kUnknown);
}

TEST_CASE("each state of a video") {
  struct Row {
    Json video;
    PollAnswer::Kind kind;
    double fraction;  // below 0: none
  };
  for (const Row& row :
       {Row{{{"id", "v"}, {"status", "queued"}, {"progress", 0}}, PollAnswer::kPending, 0},
        Row{{{"id", "v"}, {"status", "in_progress"}, {"progress", 33}}, PollAnswer::kPending, 0.33},
        Row{{{"id", "v"}, {"status", "in_progress"}, {"progress", 62.5}}, PollAnswer::kPending, 0.625},
        Row{{{"id", "v"}, {"status", "in_progress"}, {"progress", "50"}}, PollAnswer::kPending, 0.5},
        Row{{{"id", "v"}, {"status", "in_progress"}, {"progress", 1e300}}, PollAnswer::kPending, 1},
        Row{{{"id", "v"}, {"status", "in_progress"}, {"progress", -1}}, PollAnswer::kPending, -1},
        Row{{{"id", "v"}, {"status", "in_progress"}, {"progress", "x"}}, PollAnswer::kPending, -1},
        Row{{{"id", "v"}, {"status", "in_progress"}, {"progress", nullptr}}, PollAnswer::kPending, -1},
        Row{{{"status", "in_progress"}}, PollAnswer::kPending, -1},
        Row{{{"id", "v"}, {"status", "done!"}}, PollAnswer::kPending, -1},
        Row{{{"id", "v"}, {"status", "completed"}}, PollAnswer::kSucceeded, -1},
        Row{{{"id", "v"}, {"status", "failed"}}, PollAnswer::kFailed, -1},
        Row{{{"id", "../v"}, {"status", "completed"}}, PollAnswer::kTransient, -1},
        Row{{{"status", "completed"}}, PollAnswer::kTransient, -1},
        Row{{{"status", 7}}, PollAnswer::kTransient, -1}, Row{Json::object(), PollAnswer::kTransient, -1},
        Row{Json::array(), PollAnswer::kTransient, -1}, Row{"text", PollAnswer::kTransient, -1}}) {
    CAPTURE(row.video.dump());
    PollAnswer answer = Poll(row.video);
    CHECK(answer.kind == row.kind);
    CHECK(answer.progress.fraction.value_or(-1) == doctest::Approx(row.fraction));
    if (row.kind == PollAnswer::kTransient) CHECK(answer.failure.retryable);
  }
  CHECK(Poll({{"id", "v"}, {"status", "done!"}}).progress.message.find("done!") != std::string::npos);
  const RemoteOutput output = Poll({{"id", "video_1"}, {"status", "completed"}}).outputs.at(0);
  CHECK(output.url == "https://api.openai.com/v1/videos/video_1/content");
  CHECK(output.media_type == "video/mp4");
  CHECK(output.needs_credentials);
}

TEST_CASE("a video that failed says why, and counts as charged") {
  struct Row {
    Json error;
    ErrorClass error_class;
    const char* message;
  };
  for (const Row& row :
       {Row{{{"code", "moderation_blocked"}, {"message", "blocked"}}, ErrorClass::kSafety, "blocked"},
        Row{{{"code", "server_error"}, {"message", "sorry sk-secret-key"}},
            ErrorClass::kServer,
            "sorry [key]"},
        Row{nullptr, ErrorClass::kServer, "The provider failed and gave no reason."},
        Row{7, ErrorClass::kServer, "The provider failed and gave no reason."},
        Row{{{"code", 7}, {"message", {1}}},
            ErrorClass::kServer,
            "The provider failed and gave no reason."}}) {
    CAPTURE(row.error.dump());
    PollAnswer answer = Poll({{"id", "v"}, {"status", "failed"}, {"error", row.error}});
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.message == row.message);
    CHECK_FALSE(answer.failure.retryable);
    CHECK(answer.charged);
  }
  PollAnswer deleted = Poll({{"id", "v"}, {"object", "video.deleted"}, {"deleted", true}});
  CHECK(deleted.kind == PollAnswer::kFailed);
  CHECK(deleted.failure.error_class == ErrorClass::kCanceled);
}

TEST_CASE(
    "a poll that is not answered well says nothing, unless the API itself says that the video is gone") {
  for (const HttpResponse& response :
       {Answer(500, ""), Answer(429, ""), Answer(404, "<html>nginx</html>"), Broken(200, "{}"),
        NotSent(Error(Code::kUnavailable, "refused")), Answer(200, "x")}) {
    CHECK(NewOpenAi()->ParsePoll(response).kind == PollAnswer::kTransient);
  }
  PollAnswer gone =
      NewOpenAi()->ParsePoll(Answer(404, R"({"error":{"message":"no such video","code":null}})"));
  CHECK(gone.kind == PollAnswer::kFailed);
  CHECK(gone.failure.error_class == ErrorClass::kNotFound);
  CHECK(NewOpenAi()->ParsePoll(Answer(429, "{}", {{"retry-after", "7"}})).next_poll_ms == 7000);
}

}  // namespace
}  // namespace mediagen
