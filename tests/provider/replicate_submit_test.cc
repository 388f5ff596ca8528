// Replicate's answers to a paid request, by their bytes.
#include <doctest/doctest.h>

#include "provider/replicate_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::NewReplicate;
using testing::NotSent;

TEST_CASE("a 201 with an id is submitted, with its URLs and what it says already") {
  SubmitAnswer answer = NewReplicate()->ParseSubmit(
      Answer(201, R"({"id":"hdwst0","status":"starting","logs":"","output":null,"error":null,
      "urls":{"get":"https://api.replicate.com/v1/predictions/hdwst0","cancel":"https://api.replicate.com/v1/predictions/hdwst0/cancel","stream":"https://x/"}})"));
  CHECK(answer.kind == SubmitAnswer::kSubmitted);
  CHECK(answer.remote.id == "hdwst0");
  CHECK(answer.remote.status_url == "https://api.replicate.com/v1/predictions/hdwst0");
  CHECK(answer.remote.cancel_url == "https://api.replicate.com/v1/predictions/hdwst0/cancel");
  CHECK(answer.result.kind == PollAnswer::kPending);
}

TEST_CASE("a prediction that is over at once is submitted with its result") {
  SubmitAnswer answer = NewReplicate()->ParseSubmit(
      Answer(201, R"({"id":"a","status":"succeeded","output":["https://replicate.delivery/x.png"]})"));
  CHECK(answer.kind == SubmitAnswer::kSubmitted);
  CHECK(answer.result.kind == PollAnswer::kSucceeded);
  CHECK(answer.result.outputs.size() == 1);
}

TEST_CASE("sync mode's trap: output while processing is not taken for the end") {
  SubmitAnswer answer = NewReplicate()->ParseSubmit(
      Answer(201, R"({"id":"a","status":"processing","output":["data:image/png;base64,AAAA"]})"));
  CHECK(answer.result.kind == PollAnswer::kPending);
  CHECK(answer.result.outputs.empty());
}

TEST_CASE("URLs of an answer that are not acceptable are left out") {
  for (const char* url :
       {"http://169.254.169.254/", "file:///etc/passwd", "javascript:x", "https://u:p@h/", "/relative"}) {
    CAPTURE(url);
    SubmitAnswer answer = NewReplicate()->ParseSubmit(Answer(
        201, Json{{"id", "a"}, {"status", "starting"}, {"urls", {{"get", url}, {"cancel", 7}}}}.dump()));
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.status_url.empty());
    CHECK(answer.remote.cancel_url.empty());
  }
}

TEST_CASE("what was rejected for certain") {
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
    SubmitAnswer answer =
        NewReplicate()->ParseSubmit(Answer(row.status, R"({"title":"T","detail":"the reason"})"));
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable == row.retryable);
    CHECK(answer.failure.message.find("the reason") != std::string::npos);
  }
  SubmitAnswer unsent = NewReplicate()->ParseSubmit(NotSent(Error(Code::kUnavailable, "connection refused")));
  CHECK(unsent.kind == SubmitAnswer::kRejected);
  CHECK(unsent.failure.retryable);
  CHECK_FALSE(
      NewReplicate()->ParseSubmit(NotSent(Error(Code::kForbidden, "private address"))).failure.retryable);
}

TEST_CASE("everything else is unknown, and not for trying again") {
  const HttpResponse responses[] = {
      Answer(500, R"({"detail":"x"})"),
      Answer(502, "<html>nginx</html>"),
      Answer(503, ""),
      Answer(504, ""),
      Answer(529, ""),
      Answer(408, ""),
      Answer(409, ""),
      Answer(301, ""),
      Answer(418, ""),
      Answer(201, ""),
      Answer(201, "{}"),
      Answer(201, "[]"),
      Answer(201, "null"),
      Answer(201, "not json"),
      Answer(201, R"({"id":7})"),
      Answer(201, R"({"id":""})"),
      Answer(201, R"({"id":"../x"})"),
      Answer(201, R"({"id":null,"status":"starting"})"),
      Answer(200, "\xff\xfe"),
      Answer(201, std::string(200, '[')),
      Broken(0, ""),
      Broken(201, ""),
      Broken(201, R"({"id":"abc)"),
      Broken(429, ""),
      Broken(422, R"({"detail":"x"})"),
  };
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    SubmitAnswer answer = NewReplicate()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kUnknown);
    CHECK(answer.failure.error_class == ErrorClass::kUnknownOutcome);
    CHECK_FALSE(answer.failure.retryable);
    CHECK_FALSE(answer.failure.message.empty());
  }
}

TEST_CASE("an id that came before the answer broke off is kept: it was paid for") {
  for (const HttpResponse& response :
       {Broken(201, R"({"id":"abc","model":"o/n","inp)"), Answer(201, R"( { "id" : "abc" , "status":"start)"),
        Answer(201, R"({"id":"abc","x":1,"x":2})")}) {
    SubmitAnswer answer = NewReplicate()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.id == "abc");
    CHECK(answer.result.kind == PollAnswer::kPending);
  }
  // Only as the first member: another "id" may be anybody's.
  CHECK(NewReplicate()->ParseSubmit(Broken(201, R"({"input":{"id":"evil"},"id":"ab)")).kind ==
        SubmitAnswer::kUnknown);
  CHECK(NewReplicate()->ParseSubmit(Broken(500, R"({"id":"abc","x":)")).kind == SubmitAnswer::kUnknown);
}

}  // namespace
}  // namespace mediagen
