// The states of fal's queue, in every shape.
#include <doctest/doctest.h>

#include "provider/fal_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::NotSent;
using testing::fal::New;
using testing::fal::PollOf;

TEST_CASE("fal: the states, by a closed list") {
  CHECK(PollOf({{"status", "IN_QUEUE"}}).kind == PollAnswer::kPending);
  CHECK(PollOf({{"status", "IN_PROGRESS"}}).kind == PollAnswer::kPending);
  CHECK(PollOf({{"status", "COMPLETED"}}).kind == PollAnswer::kReady);
  CHECK(PollOf({{"status", "COMPLETED"}, {"error", "x"}}).kind == PollAnswer::kFailed);
  for (const Json& unknown : {Json("QUEUED"), Json(nullptr), Json(7), Json("completed"), Json("SUCCESS"),
                              Json("ERROR"), Json("FAILED"), Json::array()}) {
    CAPTURE(unknown.dump());
    PollAnswer answer = PollOf({{"request_id", "764c"}, {"status", unknown}, {"error", "x"}});
    CHECK(answer.kind == PollAnswer::kPending);
    CHECK(answer.progress.message.find("not known") != std::string::npos);
  }
  // 202 while waiting, 200 when complete; the document decides.
  CHECK(New()->ParsePoll(Answer(202, R"({"status":"IN_QUEUE"})")).kind == PollAnswer::kPending);
  CHECK(New()->ParsePoll(Answer(202, R"({"status":"COMPLETED"})")).kind == PollAnswer::kReady);
}

TEST_CASE(
    "fal: COMPLETED with an error is a failure, by its type; what is cited as unbilled is not charged") {
  struct Row {
    const char* type;
    ErrorClass error_class;
    bool retryable, charged;
  };
  for (const Row& row :
       {Row{"request_timeout", ErrorClass::kTimeout, true, false},
        Row{"startup_timeout", ErrorClass::kTimeout, true, false},
        Row{"runner_scheduling_failure", ErrorClass::kOverloaded, true, false},
        Row{"runner_connection_timeout", ErrorClass::kOverloaded, true, false},
        Row{"runner_disconnected", ErrorClass::kOverloaded, true, false},
        Row{"runner_connection_refused", ErrorClass::kOverloaded, true, false},
        Row{"runner_connection_error", ErrorClass::kOverloaded, true, false},
        Row{"runner_incomplete_response", ErrorClass::kServer, true, false},
        Row{"runner_server_error", ErrorClass::kServer, true, false},
        Row{"internal_error", ErrorClass::kServer, true, false},
        Row{"client_disconnected", ErrorClass::kCanceled, false, true},
        Row{"client_cancelled", ErrorClass::kCanceled, false, true},
        Row{"bad_request", ErrorClass::kInvalid, false, true},
        Row{"content_policy_violation", ErrorClass::kSafety, false, true},
        Row{"of_tomorrow", ErrorClass::kServer, false, true}, Row{"", ErrorClass::kServer, false, true}}) {
    CAPTURE(row.type);
    PollAnswer answer = PollOf({{"status", "COMPLETED"}, {"error", "it broke"}, {"error_type", row.type}});
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable == row.retryable);
    CHECK(answer.failure.message == "it broke");
    CHECK(answer.failure.provider_code == row.type);
    CHECK(answer.charged == row.charged);
  }
}

TEST_CASE("fal: null, empty and missing errors are no errors; an error type alone is one") {
  for (const Json& error : {Json(nullptr), Json("")}) {
    for (const Json& type : {Json(nullptr), Json(""), Json(7)}) {
      CHECK(
          PollOf({{"status", "COMPLETED"}, {"error", error}, {"error_type", type}, {"logs", nullptr}}).kind ==
          PollAnswer::kReady);
    }
  }
  PollAnswer typed = PollOf({{"status", "COMPLETED"}, {"error_type", "runner_disconnected"}});
  CHECK(typed.kind == PollAnswer::kFailed);
  CHECK(typed.failure.message == "The request failed: runner_disconnected.");
  CHECK(PollOf({{"status", "COMPLETED"}, {"error", {{"detail", "an object"}}}})
            .failure.message.find("an object") != std::string::npos);
  CHECK(PollOf({{"status", "COMPLETED"}, {"error", false}}).kind == PollAnswer::kFailed);
  CHECK(PollOf({{"status", "COMPLETED"}, {"error_type", "a b\"c"}}).failure.provider_code.empty());
}

TEST_CASE("fal: a timeout that the caller set is not for trying again") {
  const std::string body = R"({"status":"COMPLETED","error":"x","error_type":"request_timeout"})";
  CHECK(New()->ParsePoll(Answer(200, body)).failure.retryable);
  CHECK_FALSE(
      New()->ParsePoll(Answer(200, body, {{"x-fal-request-timeout-type", "user"}})).failure.retryable);
}

TEST_CASE("fal: messages hold no key, no signed query and no data URI") {
  PollAnswer answer = PollOf({{"status", "COMPLETED"},
                              {"error",
                               "cannot fetch https://h/x.png?X-Sig=abc123 with id:fal_secret_key from "
                               "data:image/png;base64,QUJD end"}});
  CHECK(answer.failure.message == "cannot fetch https://h/x.png?… with [key] from data:… end");
}

TEST_CASE("fal: the place in the queue is told, when it is one") {
  CHECK(PollOf({{"status", "IN_QUEUE"}, {"queue_position", 3}}).progress.queue_position == 3);
  CHECK(PollOf({{"status", "IN_QUEUE"}, {"queue_position", 0}}).progress.queue_position == 0);
  for (const Json& bad : {Json(nullptr), Json(-1), Json(1.5), Json("many"), Json(18446744073709551615u)}) {
    CAPTURE(bad.dump());
    PollAnswer answer = PollOf({{"status", "IN_QUEUE"}, {"queue_position", bad}});
    CHECK(answer.kind == PollAnswer::kPending);
    CHECK_FALSE(answer.progress.queue_position.has_value());
  }
}

TEST_CASE("fal: progress is the last percentage of the logs") {
  struct Row {
    Json logs;
    double fraction;
    int64_t current, total;  // -1: none
  };
  auto log = [](const char* message) { return Json{{"level", "INFO"}, {"message", message}}; };
  for (const Row& row : {
           Row{{log("50%")}, 0.5, -1, -1},
           Row{{log("10%"), log("loading weights")}, 0.1, -1, -1},
           Row{{log("90%"), log("5%")}, 0.05, -1, -1},  // a second bar
           Row{{log(" 45%|####5     | 9/20 [00:01<00:01, 8.2it/s]")}, 0.45, 9, 20},
           Row{{log(" 10%|#  | 1/10\r 20%|## | 2/10\r")}, 0.2, 2, 10},
           Row{{log("Progress: 12.5%")}, 0.125, -1, -1},
           Row{{log("progress 100 %"), log("progress=33% done")}, 0.33, -1, -1},
           Row{{"70%"}, 0.7, -1, -1},
           Row{{log("30%|x| 3-9")}, 0.3, -1, -1},
           Row{{log("30%"), nullptr, 7, Json::array(), Json{{"message", 9}}}, 0.3, -1, -1},
           Row{{log((std::string(100'000, '\n') + "5%").c_str())}, 0.05, -1, -1},
       }) {
    CAPTURE(row.logs.dump().substr(0, 200));
    Progress progress = PollOf({{"status", "IN_PROGRESS"}, {"logs", row.logs}}).progress;
    REQUIRE(progress.fraction.has_value());
    CHECK(*progress.fraction == doctest::Approx(row.fraction));
    CHECK(progress.current.value_or(-1) == row.current);
    CHECK(progress.total.value_or(-1) == row.total);
  }
  for (const char* message : {"", "50", "GPU at 93%", "-5%", "150%", "nan%", "inf%", "x50%", "%", "progress",
                              "99999999999999999999%", "1e400%"}) {
    CAPTURE(message);
    CHECK_FALSE(PollOf({{"status", "IN_PROGRESS"}, {"logs", {log(message)}}}).progress.fraction.has_value());
  }
  for (const Json& logs : {Json(nullptr), Json("50%"), Json(7), Json::object(), Json::array()})
    CHECK_FALSE(PollOf({{"status", "IN_PROGRESS"}, {"logs", logs}}).progress.fraction.has_value());
}

TEST_CASE("fal: the answers to a cancel leave the end to the polls that follow") {
  CHECK(New()->ParsePoll(Answer(202, R"({"status":"CANCELLATION_REQUESTED"})")).kind == PollAnswer::kPending);
  CHECK(New()->ParsePoll(Answer(200, R"({"status":"OK"})")).kind == PollAnswer::kPending);
  CHECK(New()->ParsePoll(Answer(400, R"({"status":"ALREADY_COMPLETED"})")).kind == PollAnswer::kPending);
  PollAnswer missing = New()->ParsePoll(Answer(404, R"({"status":"NOT_FOUND"})"));
  CHECK(missing.kind == PollAnswer::kTransient);
  CHECK(missing.failure.error_class == ErrorClass::kNotFound);
  // Never an end under an error's status.
  CHECK(New()->ParsePoll(Answer(400, R"({"status":"COMPLETED"})")).kind == PollAnswer::kTransient);
}

TEST_CASE("fal: an answer that says nothing about the request is transient") {
  const HttpResponse responses[] = {Answer(500, ""),
                                    Answer(502, "<html>"),
                                    Answer(503, R"({"detail":"x","error_type":"runner_disconnected"})"),
                                    Answer(401, R"({"detail":"x"})"),
                                    Answer(402, "{}"),
                                    Answer(403, ""),
                                    Answer(404, "<html>not here"),
                                    Answer(422, R"({"detail":[]})"),
                                    Answer(200, ""),
                                    Answer(200, "not json"),
                                    Answer(200, "[]"),
                                    Answer(200, "{}"),
                                    Answer(200, R"({"status":7})"),
                                    Answer(200, R"({"status":"COMPLETED","status":"COMPLETED"})"),
                                    Answer(200, std::string(100'000, '[')),
                                    Answer(302, ""),
                                    Broken(200, R"({"status":"COMPLETED"})"),
                                    NotSent(Error(Code::kTimeout, "slow"))};
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body.substr(0, 100));
    PollAnswer answer = New()->ParsePoll(response);
    CHECK(answer.kind == PollAnswer::kTransient);
    CHECK_FALSE(answer.failure.message.empty());
  }
  PollAnswer gone = New()->ParsePoll(Answer(404, R"({"detail":"Request not found"})"));
  CHECK(gone.kind == PollAnswer::kFailed);
  CHECK(gone.failure.error_class == ErrorClass::kNotFound);
  CHECK(gone.charged);
}

TEST_CASE("fal: a throttled poll says when to come back, by every hint") {
  const HttpResponse responses[] = {
      Answer(429, R"({"detail":"slow down"})", {{"retry-after", "30"}}),
      Answer(429, R"({"detail":"slow down"})", {{"retry-after-ms", "30000"}}),
      Answer(429, R"({"detail":"slow down"})",
             {{"date", "Thu, 01 Jan 2026 00:00:00 GMT"}, {"retry-after", "Thu, 01 Jan 2026 00:00:30 GMT"}}),
      Answer(429, R"({"detail":"Try again in 30 seconds."})")};
  for (const HttpResponse& response : responses) {
    PollAnswer answer = New()->ParsePoll(response);
    CHECK(answer.kind == PollAnswer::kTransient);
    CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
    CHECK(answer.failure.retry_after_ms == 30'000);
    CHECK(answer.next_poll_ms == 30'000);
  }
}

}  // namespace
}  // namespace mediagen
