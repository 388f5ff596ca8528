// fal's answers to a paid request, by their bytes.
#include <doctest/doctest.h>

#include "provider/fal_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::NotSent;
using testing::fal::Config;
using testing::fal::New;
using testing::fal::Submitted;

const std::string kOwn = "https://queue.fal.run/fal-ai/flux/requests/764c";

SubmitAnswer Parse(const HttpResponse& response) { return New()->ParseSubmit(response); }

TEST_CASE("fal: an answer with an id is submitted, with its URLs and its place in the queue") {
  SubmitAnswer answer = Parse(Submitted(200, R"({"status":"IN_QUEUE","request_id":"764c",
      "gateway_request_id":"other","queue_position":3,
      "response_url":"https://queue.fal.run/fal-ai/flux/requests/764c/response",
      "status_url":"https://queue.fal.run/fal-ai/flux/requests/764c/status",
      "cancel_url":"https://queue.fal.run/fal-ai/flux/requests/764c/cancel"})"));
  CHECK(answer.kind == SubmitAnswer::kSubmitted);
  CHECK(answer.remote.id == "764c");
  CHECK(answer.remote.status_url == kOwn + "/status");
  CHECK(answer.remote.result_url == kOwn + "/response");
  CHECK(answer.remote.cancel_url == kOwn + "/cancel");
  CHECK(answer.result.kind == PollAnswer::kPending);
  CHECK(answer.result.progress.queue_position == 3);
}

TEST_CASE("fal: URLs that are missing, unacceptable or of another origin are built from what was submitted") {
  for (const Json& url :
       {Json(), Json(7), Json(""), Json("http://169.254.169.254/"), Json("file:///etc/passwd"),
        Json("https://evil.example/fal-ai/evil/requests/764c/status"), Json("https://queue.fal.run:444/x"),
        Json("https://u:p@queue.fal.run/x")}) {
    CAPTURE(url.dump());
    SubmitAnswer answer = Parse(Submitted(
        200,
        Json{{"request_id", "764c"}, {"status_url", url}, {"response_url", url}, {"cancel_url", url}}.dump(),
        "https://queue.fal.run/fal-ai/flux/dev?fal_webhook=https%3A%2F%2Fh"));
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.status_url == kOwn + "/status");
    CHECK(answer.remote.result_url == kOwn);
    CHECK(answer.remote.cancel_url == kOwn + "/cancel");
    CHECK(answer.result.kind == PollAnswer::kPending);  // an older deployment, which tells no state
  }
  SubmitAnswer relative =
      Parse(Submitted(200, R"({"request_id":"764c","status_url":"/fal-ai/flux/requests/764c/status"})"));
  CHECK(relative.remote.status_url == "https://queue.fal.run:443/fal-ai/flux/requests/764c/status");
}

TEST_CASE("fal: behind a proxy the URLs of fal's own host become the proxy's") {
  ProviderConfig config = Config();
  config.base_url = "https://proxy.example/fal";
  auto adapter = New(config);
  const std::string body = Json{{"request_id", "764c"}, {"status_url", kOwn + "/status"}}.dump();
  RemoteHandle known =
      adapter->ParseSubmit(Submitted(200, body, "https://proxy.example/fal/fal-ai/flux/dev")).remote;
  CHECK(known.status_url == "https://proxy.example/fal/fal-ai/flux/requests/764c/status");
  RemoteHandle unknown = adapter->ParseSubmit(Answer(200, body)).remote;
  CHECK(adapter->BuildResult(unknown).value().url == "https://proxy.example/fal/fal-ai/flux/requests/764c");
}

TEST_CASE("fal: what was submitted is known by its URL however that is spelt, and by no other origin's") {
  struct Row {
    const char *base, *submit, *status;
  };
  for (const Row& row :
       {Row{"https://Proxy.example:443/fal", "https://proxy.example/fal/fal-ai/flux/dev?fal_webhook=x",
            "https://Proxy.example:443/fal/fal-ai/flux/requests/764c/status"},
        Row{"https://proxy.example", "https://proxy.example/workflows/me/mine",
            "https://proxy.example/workflows/me/mine/requests/764c/status"},
        Row{"https://proxy.example/fal", "https://proxy.example/other/fal-ai/flux/dev", ""},
        Row{"https://proxy.example", "https://evil.example/fal-ai/flux/dev", ""},
        Row{"https://proxy.example", "https://proxy.example/flux", ""},
        Row{"https://proxy.example", "", ""}}) {
    CAPTURE(row.submit);
    ProviderConfig config = Config();
    config.base_url = row.base;
    const RemoteHandle handle =
        New(config)->ParseSubmit(Submitted(200, R"({"request_id":"764c"})", row.submit)).remote;
    CHECK(handle.id == "764c");
    CHECK(handle.status_url == row.status);
  }
}

TEST_CASE("fal: a request that is over at once is submitted with what it says") {
  CHECK(Parse(Submitted(200, R"({"request_id":"a","status":"COMPLETED"})")).result.kind ==
        PollAnswer::kReady);
  SubmitAnswer failed = Parse(Submitted(200, R"({"request_id":"a","status":"COMPLETED","error":"boom"})"));
  CHECK(failed.kind == SubmitAnswer::kSubmitted);
  CHECK(failed.result.kind == PollAnswer::kFailed);
}

TEST_CASE("fal: what was rejected for certain") {
  struct Row {
    int status;
    ErrorClass error_class;
    bool retryable;
  };
  for (const Row& row : {Row{400, ErrorClass::kInvalid, false}, Row{401, ErrorClass::kAuth, false},
                         Row{402, ErrorClass::kBilling, false}, Row{403, ErrorClass::kAuth, false},
                         Row{404, ErrorClass::kNotFound, false}, Row{413, ErrorClass::kInvalid, false},
                         Row{415, ErrorClass::kInvalid, false}, Row{422, ErrorClass::kInvalid, false},
                         Row{429, ErrorClass::kRateLimited, true}}) {
    CAPTURE(row.status);
    SubmitAnswer answer = Parse(Submitted(row.status, R"({"detail":"the reason"})"));
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable == row.retryable);
    CHECK(answer.failure.message.find("the reason") != std::string::npos);
  }
  SubmitAnswer unsent = Parse(NotSent(Error(Code::kUnavailable, "connection refused")));
  CHECK(unsent.kind == SubmitAnswer::kRejected);
  CHECK(unsent.failure.retryable);
}

TEST_CASE("fal: a platform error that tells how a request ended is not billed, in body or header") {
  struct Row {
    const char* type;
    int status;
    ErrorClass error_class;
  };
  for (const Row& row :
       {Row{"request_timeout", 504, ErrorClass::kTimeout}, Row{"startup_timeout", 504, ErrorClass::kTimeout},
        Row{"runner_scheduling_failure", 503, ErrorClass::kOverloaded},
        Row{"runner_connection_timeout", 503, ErrorClass::kOverloaded},
        Row{"runner_disconnected", 503, ErrorClass::kOverloaded},
        Row{"runner_connection_refused", 503, ErrorClass::kOverloaded},
        Row{"runner_connection_error", 503, ErrorClass::kOverloaded},
        Row{"runner_incomplete_response", 502, ErrorClass::kServer},
        Row{"runner_server_error", 500, ErrorClass::kServer}}) {
    CAPTURE(row.type);
    const std::string body = Json{{"detail", "x"}, {"error_type", row.type}}.dump();
    for (const HttpResponse& response :
         {Answer(row.status, body), Answer(row.status, "<html>", {{"x-fal-error-type", row.type}})}) {
      SubmitAnswer answer = Parse(response);
      CHECK(answer.kind == SubmitAnswer::kRejected);
      CHECK(answer.failure.error_class == row.error_class);
      CHECK(answer.failure.retryable);
      CHECK(answer.failure.provider_code == row.type);
    }
    // Under another status, or broken off, it is not what fal's table speaks of.
    CHECK(Parse(Answer(row.status == 500 ? 503 : 500, body)).kind == SubmitAnswer::kUnknown);
    CHECK(Parse(Broken(row.status, body)).kind == SubmitAnswer::kUnknown);
  }
}

TEST_CASE("fal: everything else is unknown, and not for trying again") {
  const HttpResponse responses[] = {
      Answer(500, R"({"detail":"x"})"),
      // May be in the queue all the same; and a 499 is none of the 5xx that are not billed.
      Answer(500, R"({"detail":"x","error_type":"internal_error"})"),
      Answer(499, R"({"detail":"x","error_type":"client_disconnected"})"),
      Answer(499, R"({"detail":"x","error_type":"client_cancelled"})"),
      Answer(503, R"({"detail":"x","error_type":"runner_of_tomorrow"})"),
      Answer(503, R"({"detail":"x","error_type":7})"),
      Answer(503, R"({"detail":"x","error_type":"runner_disconnected","error_type":"runner_disconnected"})"),
      Answer(502, "<html>nginx</html>"),
      Answer(503, ""),
      Answer(504, ""),
      Answer(408, ""),
      Answer(409, ""),
      Answer(301, ""),
      Answer(200, ""),
      Answer(200, "{}"),
      Answer(200, "[]"),
      Answer(200, "null"),
      Answer(200, "not json"),
      Answer(200, R"({"request_id":7})"),
      Answer(200, R"({"request_id":""})"),
      Answer(200, R"({"request_id":"../x"})"),
      Answer(200, R"({"request_id":null,"status":"IN_QUEUE","gateway_request_id":"764c"})"),
      Answer(200, R"({"status":"IN_QUEUE","payload":{"request_id":"764c"}})"),
      Answer(200, R"([{"request_id":"764c"}])"),
      Answer(200, R"({"request_id":"764c","request_id":"other"})"),
      Answer(200, R"({"request_id":"764c","request_id":7})"),
      Answer(200, Json{{"request_id", std::string(300, 'a')}}.dump()),
      Answer(200, "\xff\xfe"),
      Answer(200, std::string(100'000, '[')),
      Answer(200, "{\"a\":" + std::string(100'000, '{')),
      Broken(0, ""),
      Broken(200, ""),
      Broken(200, R"({"request_id":"764c)"),
      Broken(200, R"({"status":"IN_QUEUE","requ)"),
      Broken(200, R"({"input":{"request_id":"evil"},"request_id":"76)"),
      Broken(429, ""),
      Broken(422, R"({"detail":"x"})"),
      Broken(500, R"({"request_id":"764c","x":)"),
  };
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body.substr(0, 100));
    SubmitAnswer answer = Parse(response);
    CHECK(answer.kind == SubmitAnswer::kUnknown);
    CHECK(answer.failure.error_class == ErrorClass::kUnknownOutcome);
    CHECK_FALSE(answer.failure.retryable);
    CHECK_FALSE(answer.failure.message.empty());
  }
}

TEST_CASE("fal: an id that came whole before the answer broke off is kept: it was paid for") {
  for (HttpResponse response :
       {Broken(200, R"({"status":"IN_QUEUE","request_id":"764c","gateway_req)"),
        Broken(200, R"({"queue_position":0,"logs":[{"request_id":"x"}],"request_id" : "764c" )"),
        Broken(202, R"({"a":{"b":[1,{"c":null}]},"request_id":"764c","status_url":"https://queue.)"),
        Answer(200, R"({"request_id":"764c","status":"IN_QU)"),
        Answer(200, R"({"request_id":"764c","x":1,"x":2})"), Answer(200, R"({"request_id":"764c"} and more)"),
        Answer(200, "{\"request_id\":\"764c\",\"x\":\"\xff\"}")}) {
    CAPTURE(response.body);
    response.final_url = "https://queue.fal.run/fal-ai/flux/dev";
    SubmitAnswer answer = Parse(response);
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.id == "764c");
    CHECK(answer.remote.status_url == kOwn + "/status");
    CHECK(answer.result.kind == PollAnswer::kPending);
  }
}

}  // namespace
}  // namespace mediagen
