// OpenRouter's video jobs: accepted, polled, told of by webhooks.
#include <doctest/doctest.h>

#include "provider/openrouter_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::JobOf;
using testing::NewOpenRouter;
using testing::OpenRouterConfig;
using testing::SubmitOf;

const std::string kJob = "https://openrouter.ai/api/v1/videos/job-abc";
const std::string kContent = kJob + "/content?index=0";

TEST_CASE("a 202 with an id is submitted, with a polling URL of either form") {
  struct Row {
    Json polling_url;
    std::string status_url;
  };
  for (const Row& row :
       {Row{"/api/v1/videos/job-abc", kJob}, Row{kJob, kJob}, Row{"//evil.example/x", ""},
        Row{"https://evil.example/x", ""}, Row{"http://openrouter.ai/api/v1/videos/job-abc", ""},
        Row{"videos/job-abc", ""}, Row{"javascript:x", ""}, Row{nullptr, ""}, Row{7, ""}}) {
    CAPTURE(row.polling_url.dump());
    SubmitAnswer answer =
        SubmitOf(202, {{"id", "job-abc"}, {"polling_url", row.polling_url}, {"status", "pending"}});
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.id == "job-abc");
    CHECK(answer.remote.status_url == row.status_url);
    CHECK(answer.result.kind == PollAnswer::kPending);
    CHECK(answer.failure.message.empty());
    CHECK(NewOpenRouter()->BuildPoll(answer.remote).value().url == kJob);
  }
}

TEST_CASE("a job whose id cannot stand in a path is kept when OpenRouter's own polling URL names it") {
  SubmitAnswer answer =
      SubmitOf(202, {{"id", "a/b"}, {"polling_url", "/api/v1/videos/a%2Fb"}, {"status", "pending"}});
  CHECK(answer.kind == SubmitAnswer::kSubmitted);
  CHECK(NewOpenRouter()->BuildPoll(answer.remote).value().url == "https://openrouter.ai/api/v1/videos/a%2Fb");
  for (const char* url : {"https://evil.example/a", "", "../x"}) {
    CAPTURE(url);
    CHECK(SubmitOf(202, {{"id", "a/b"}, {"polling_url", url}, {"status", "pending"}}).kind ==
          SubmitAnswer::kUnknown);
  }
}

TEST_CASE("a 202 without a readable id is unknown") {
  for (const char* body :
       {"", "{}", "[]", R"({"status":"pending"})", R"({"id":"","status":"pending"})",
        R"({"id":7,"status":"pending"})", R"({"id":"..","status":"pending"})",
        R"({"status":"pending","id":"job-)", R"({"status":"pending","data":{"id":"job-abc"}})"}) {
    CAPTURE(body);
    CHECK(NewOpenRouter()->ParseSubmit(Answer(202, body)).kind == SubmitAnswer::kUnknown);
  }
}

TEST_CASE("an id that came before a 202 broke off is kept: it was paid for") {
  for (const HttpResponse& response :
       {Broken(202, R"({"id":"job-abc","polling_ur)"), Answer(202, R"( { "id" : "job-abc" , "status":"pend)"),
        Answer(202, R"({"id":"job-abc","x":1,"x":2})"), Answer(202, R"({"id":"job-abc"})")}) {
    CAPTURE(response.body);
    SubmitAnswer answer = NewOpenRouter()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.id == "job-abc");
    CHECK(answer.result.kind == PollAnswer::kPending);
    CHECK(answer.failure.message.empty());
  }
  // Not half an id, not one of another object, and not a chat's, which comes with 200.
  for (const HttpResponse& response :
       {Broken(202, R"({"id":"job-ab)"), Broken(202, R"({"x":{"id":"evil"},"id":"ab)"),
        Broken(202, R"({"id":"../key","x)"), Broken(200, R"({"id":"gen-1","choices":[)"),
        Broken(500, R"({"id":"job-abc","x)"), Answer(200, R"({"id":"gen-1","choi)")}) {
    CAPTURE(response.body);
    SubmitAnswer answer = NewOpenRouter()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kUnknown);
    CHECK(answer.remote.id.empty());
  }
}

TEST_CASE("each state of a job is told apart, and an unknown one waits") {
  struct Row {
    const char* status;
    PollAnswer::Kind kind;
    ErrorClass error_class;
    bool retryable;
  };
  for (const Row& row : {Row{"pending", PollAnswer::kPending, ErrorClass::kServer, false},
                         Row{"in_progress", PollAnswer::kPending, ErrorClass::kServer, false},
                         Row{"warming_up", PollAnswer::kPending, ErrorClass::kServer, false},
                         Row{"COMPLETED", PollAnswer::kPending, ErrorClass::kServer, false},
                         Row{"completed", PollAnswer::kSucceeded, ErrorClass::kServer, false},
                         Row{"failed", PollAnswer::kFailed, ErrorClass::kServer, false},
                         Row{"dead", PollAnswer::kFailed, ErrorClass::kServer, false},
                         Row{"cancelled", PollAnswer::kFailed, ErrorClass::kCanceled, false},
                         Row{"expired", PollAnswer::kFailed, ErrorClass::kExpired, false}}) {
    CAPTURE(row.status);
    PollAnswer answer = JobOf({{"id", "job-abc"}, {"status", row.status}});
    CHECK(answer.kind == row.kind);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable == row.retryable);
    CHECK(answer.next_poll_ms == (row.kind == PollAnswer::kPending ? 2000 : 0));
    CHECK(answer.failure.message.empty() == (row.kind != PollAnswer::kFailed));
  }
  CHECK(JobOf({{"status", "warming_up"}}).progress.message.find("warming_up") != std::string::npos);
}

TEST_CASE("a completed job names its content, its cost, and where the key may go") {
  PollAnswer answer =
      NewOpenRouter()->ParsePoll(Answer(200, R"({"id":"job-abc","polling_url":"…","status":"completed",
      "generation_id":"gen-1","unsigned_urls":["https://openrouter.ai/api/v1/videos/job-abc/content?index=0"],
      "usage":{"cost":0.25,"is_byok":false}})"));
  CHECK(answer.kind == PollAnswer::kSucceeded);
  CHECK(answer.cost_micros == 250'000);
  REQUIRE(answer.outputs.size() == 1);
  CHECK(answer.outputs[0].url == kContent);
  CHECK(answer.outputs[0].needs_credentials);

  struct Row {
    Json urls;
    std::string url;
    bool needs;
  };
  for (const Row& row :
       {Row{{"/api/v1/videos/job-abc/content?index=1"}, kJob + "/content?index=1", true},
        Row{{"https://cdn.example/v.mp4"}, "https://cdn.example/v.mp4", false},
        Row{{"http://169.254.169.254/x", 7, "https://cdn.example/v.mp4"}, "https://cdn.example/v.mp4", false},
        // Where no URL can be used, the content is where OpenRouter documents it.
        Row{{"http://169.254.169.254/x"}, kContent, true}, Row{{"file:///x"}, kContent, true},
        Row{Json::array(), kContent, true}, Row{nullptr, kContent, true}, Row{7, kContent, true},
        Row{"https://cdn.example/v.mp4", kContent, true}}) {
    CAPTURE(row.urls.dump());
    PollAnswer one = JobOf({{"id", "job-abc"}, {"status", "completed"}, {"unsigned_urls", row.urls}});
    CHECK(one.kind == PollAnswer::kSucceeded);
    REQUIRE(one.outputs.size() == 1);
    CHECK(one.outputs[0].url == row.url);
    CHECK(one.outputs[0].needs_credentials == row.needs);
  }
  for (const Json& id : {Json(nullptr), Json("../key"), Json(7)}) {
    PollAnswer nothing = JobOf({{"id", id}, {"status", "completed"}});
    CHECK(nothing.kind == PollAnswer::kFailed);
    CHECK(nothing.charged);
  }
}

TEST_CASE("a failed job says why, and counts as billed unless its cost says otherwise") {
  struct Row {
    Json error, usage;
    ErrorClass error_class;
    bool charged;
    const char* word;
  };
  for (const Row& row :
       {Row{"the model crashed", nullptr, ErrorClass::kServer, true, "crashed"},
        Row{"the model crashed", {{"cost", 0}}, ErrorClass::kServer, false, "crashed"},
        Row{"the model crashed", {{"cost", 0.1}}, ErrorClass::kServer, true, "crashed"},
        Row{"Blocked by our Content Policy", nullptr, ErrorClass::kSafety, true, "Policy"},
        Row{"moderation refused it", nullptr, ErrorClass::kSafety, true, "moderation"},
        Row{nullptr, nullptr, ErrorClass::kServer, true, "no reason"},
        Row{"", nullptr, ErrorClass::kServer, true, "no reason"},
        Row{7, 7, ErrorClass::kServer, true, "no reason"},
        Row{{{"code", 400}, {"message", "too short"}}, nullptr, ErrorClass::kInvalid, true, "too short"},
        Row{{{"metadata", {{"error_type", "refusal"}}}}, nullptr, ErrorClass::kSafety, true, "without"}}) {
    CAPTURE(row.error.dump());
    PollAnswer answer =
        JobOf({{"id", "job-abc"}, {"status", "failed"}, {"error", row.error}, {"usage", row.usage}});
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.charged == row.charged);
    CHECK(answer.failure.message.find(row.word) != std::string::npos);
  }
  CHECK(JobOf({{"status", "expired"}, {"error", "sk-or-secret-key ran out"}}).failure.message ==
        "[key] ran out");
}

TEST_CASE("an answer that tells nothing about the job is asked for again; one that says it is gone ends it") {
  for (const HttpResponse& response :
       {Answer(200, "{}"), Answer(200, "[]"), Answer(200, ""), Answer(200, "not json"),
        Answer(200, R"({"id":"a"})"), Answer(200, R"({"status":7})"),
        Answer(200, R"({"error":{"code":500,"message":"x"}})"), Answer(503, ""),
        Answer(429, R"({"error":{"code":429,"message":"x"}})"), Answer(401, R"({"error":{"code":401}})"),
        Answer(404, "<html>nginx</html>"), Broken(200, R"({"id":"a","status":"completed"})")}) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    PollAnswer answer = NewOpenRouter()->ParsePoll(response);
    CHECK(answer.kind == PollAnswer::kTransient);
    CHECK_FALSE(answer.failure.message.empty());
  }
  PollAnswer gone =
      NewOpenRouter()->ParsePoll(Answer(404, R"({"error":{"code":404,"message":"Job not found"}})"));
  CHECK(gone.kind == PollAnswer::kFailed);
  CHECK(gone.failure.error_class == ErrorClass::kNotFound);
  CHECK(gone.charged);
}

// The vector that the signature was checked with.
WebhookRequest Signed() {
  return {.headers = {{"x-openrouter-signature",
                       "t=1767225600,v1=fab425ee64e1737cedaf219f6a9365a248e690edb4b9188c293371371f43da7d"},
                      {"x-openrouter-idempotency-key", "d-1"}},
          .body = R"({"type":"video.generation.completed","data":{"id":"job_test","status":"completed"}})",
          .now_s = 1767225600};
}

TEST_CASE("a signed webhook tells which job it is about; the configured secret is the key") {
  ProviderConfig config = OpenRouterConfig();
  config.webhook_secret = "or-test-secret";
  auto adapter = NewOpenRouter(config);
  CHECK(adapter->takes_webhook_url());
  CHECK(CodeOf(adapter->BuildWebhookKeys().status()) == Code::kUnsupported);
  StatusOr<Webhook> webhook = adapter->ReadWebhook(Signed());
  REQUIRE(webhook.ok());
  CHECK(webhook->delivery == "d-1");
  CHECK(webhook->remote_id == "job_test");

  WebhookRequest given = Signed();
  given.keys = {"wrong", "or-test-secret"};
  CHECK(NewOpenRouter()->ReadWebhook(given).ok());
  given.keys = {"wrong"};
  CHECK(CodeOf(adapter->ReadWebhook(given).status()) == Code::kUnauthorized);
  CHECK(CodeOf(NewOpenRouter()->ReadWebhook(Signed()).status()) == Code::kUnauthorized);  // no secret at all
  WebhookRequest old = Signed(), early = Signed(), other = Signed(), bare = Signed();
  old.now_s += 301;
  early.now_s -= 301;
  other.body = R"({"type":"video.generation.completed","data":{"id":"job_evil","status":"completed"}})";
  bare.headers.clear();
  for (const WebhookRequest& bad : {old, early, other, bare})
    CHECK(CodeOf(adapter->ReadWebhook(bad).status()) == Code::kUnauthorized);
}

}  // namespace
}  // namespace mediagen
