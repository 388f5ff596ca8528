// Replicate's predictions, in every state and shape.
#include <doctest/doctest.h>

#include "provider/replicate_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::HeaderOf;
using testing::NewReplicate;
using testing::NotSent;
using testing::PollOf;

TEST_CASE("the states, by a closed list") {
  CHECK(PollOf({{"id", "a"}, {"status", "starting"}}).kind == PollAnswer::kPending);
  CHECK(PollOf({{"id", "a"}, {"status", "processing"}}).kind == PollAnswer::kPending);
  PollAnswer succeeded =
      PollOf({{"id", "a"}, {"status", "succeeded"}, {"output", "https://replicate.delivery/x.png"}});
  CHECK(succeeded.kind == PollAnswer::kSucceeded);
  CHECK_FALSE(succeeded.cost_micros.has_value());
  CHECK(PollOf({{"id", "a"}, {"status", "failed"}, {"error", "boom"}}).kind == PollAnswer::kFailed);
  CHECK(PollOf({{"id", "a"}, {"status", "canceled"}}).failure.error_class == ErrorClass::kCanceled);
  CHECK(PollOf({{"id", "a"}, {"status", "aborted"}}).failure.error_class == ErrorClass::kTimeout);
  for (const Json& unknown :
       {Json("paused"), Json(""), Json(nullptr), Json(7), Json("SUCCEEDED"), Json("success")}) {
    CAPTURE(unknown.dump());
    PollAnswer answer =
        PollOf({{"id", "a"}, {"status", unknown}, {"output", {"https://replicate.delivery/x.png"}}});
    CHECK(answer.kind == PollAnswer::kPending);
    CHECK(answer.progress.message.find("not known") != std::string::npos);
  }
  CHECK(PollOf({{"id", "a"}}).kind == PollAnswer::kPending);
}

TEST_CASE("who pays: what ran is charged, what never began is not") {
  const Json begun = {{"id", "a"}, {"started_at", "2026-01-01T00:00:01Z"}};
  auto with = [](Json json, const char* key, Json value) {
    json[key] = std::move(value);
    return json;
  };
  CHECK(PollOf(with(begun, "status", "failed")).charged);
  CHECK(PollOf(with(begun, "status", "canceled")).charged);
  CHECK_FALSE(PollOf(with(begun, "status", "aborted")).charged);
  for (const Json& idle :
       {Json{{"id", "a"}}, Json{{"id", "a"}, {"started_at", nullptr}, {"metrics", {{"predict_time", 0}}}},
        Json{{"id", "a"}, {"started_at", ""}, {"metrics", nullptr}}}) {
    CHECK_FALSE(PollOf(with(idle, "status", "failed")).charged);
    CHECK_FALSE(PollOf(with(idle, "status", "canceled")).charged);
  }
  CHECK(PollOf({{"id", "a"}, {"status", "failed"}, {"metrics", {{"predict_time", 0.4}}}}).charged);
}

TEST_CASE("null, empty and missing errors are no errors; missing fields are no crash") {
  for (const Json& error : {Json(nullptr), Json("")}) {
    PollAnswer answer = PollOf({{"id", "a"},
                                {"status", "succeeded"},
                                {"error", error},
                                {"logs", nullptr},
                                {"metrics", nullptr},
                                {"output", {"https://replicate.delivery/x.png"}}});
    CHECK(answer.kind == PollAnswer::kSucceeded);
  }
  PollAnswer failed = PollOf({{"id", "a"}, {"status", "failed"}, {"error", nullptr}});
  CHECK(failed.failure.message == "The prediction failed and gave no reason.");
  CHECK(PollOf({{"id", "a"}, {"status", "failed"}, {"error", {{"detail", "an object"}}}})
            .failure.message.find("an object") != std::string::npos);
}

TEST_CASE("a failure's words decide its class") {
  struct Row {
    const char* error;
    ErrorClass error_class;
    bool retryable;
    const char* code;
  };
  for (const Row& row :
       {Row{"NSFW content detected. Try running it again, or try a different prompt.", ErrorClass::kSafety,
            false, ""},
        Row{"The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
            ErrorClass::kSafety, false, "E005"},
        Row{"Prediction interrupted; please retry (code: PA)", ErrorClass::kServer, true, "PA"},
        Row{"CUDA out of memory (tried to allocate)", ErrorClass::kServer, false, ""},
        Row{"loading safety_checker weights", ErrorClass::kServer, false, ""}}) {
    CAPTURE(row.error);
    PollAnswer answer = PollOf({{"id", "a"}, {"status", "failed"}, {"error", row.error}});
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable == row.retryable);
    CHECK(answer.failure.provider_code == row.code);
  }
}

TEST_CASE("messages hold no key, no signed query and no data URI") {
  PollAnswer answer = PollOf({{"id", "a"},
                              {"status", "failed"},
                              {"error",
                               "cannot fetch https://h/x.png?X-Sig=abc123 with r8_secret_key from "
                               "data:image/png;base64,QUJD\x01 end"}});
  CHECK(answer.failure.message == "cannot fetch https://h/x.png?… with [key] from data:…  end");
  CHECK(
      PollOf({{"id", "a"}, {"status", "failed"}, {"error", std::string(5000, 'x')}}).failure.message.size() <
      500);
}

TEST_CASE("outputs in every shape") {
  const std::string a = "https://replicate.delivery/a.png", b = "https://replicate.delivery/b.png";
  auto urls = [](const Json& output) {
    std::vector<std::string> list;
    for (const RemoteOutput& one : PollOf({{"id", "p"}, {"status", "succeeded"}, {"output", output}}).outputs)
      list.push_back(one.url);
    return list;
  };
  CHECK(urls(a) == std::vector{a});
  CHECK(urls({b, a}) == std::vector{b, a});
  CHECK(urls({{"image", a}, {"seed", 1}}) == std::vector{a});
  CHECK(urls({{"images", {a, b}}, {"meta", {{"ok", true}}}}) == std::vector{a, b});
  CHECK(urls({{{"url", a}}, {{"url", b}}}) == std::vector{a, b});
  CHECK(urls({a, nullptr, "text", "http://plain/x.png", "file:///etc/passwd", ""}) == std::vector{a});
  CHECK(urls(Json::array_t(200, a)).size() == 64);
}

TEST_CASE("data URIs are decoded") {
  PollAnswer answer = PollOf({{"id", "p"},
                              {"status", "succeeded"},
                              {"output",
                               {"data:image/webp;base64,aGVsbG8=", "data:image/png;charset=x;base64,aGk=",
                                "data:image/png;base64,***", "data:,x", "data:"}}});
  REQUIRE(answer.outputs.size() == 2);
  CHECK(answer.outputs[0].bytes.view() == "hello");
  CHECK(answer.outputs[0].media_type == "image/webp");
  CHECK(answer.outputs[1].bytes.view() == "hi");
  CHECK(answer.outputs[1].media_type == "image/png");
}

TEST_CASE("a success without a picture is a charged failure, and says why") {
  for (const Json& output :
       {Json(nullptr), Json(""), Json::array(), Json("a poem"), Json(7), Json::object()}) {
    PollAnswer answer = PollOf({{"id", "p"}, {"status", "succeeded"}, {"output", output}});
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.charged);
    CHECK(answer.failure.error_class == ErrorClass::kServer);
  }
  PollAnswer removed =
      PollOf({{"id", "p"}, {"status", "succeeded"}, {"output", nullptr}, {"data_removed", true}});
  CHECK(removed.failure.error_class == ErrorClass::kExpired);
  CHECK(PollOf({{"id", "p"}, {"status", "succeeded"}}).kind == PollAnswer::kFailed);
}

TEST_CASE("progress is the last bar of the log") {
  struct Row {
    const char* logs;
    double fraction;
    int64_t current, total;
  };
  for (const Row& row :
       {Row{"Using seed: 7\n  0%|          | 0/20 [00:00<?]\n 45%|####5     | 9/20 [00:01<00:01, 8.2it/s]\n",
            0.45, 9, 20},
        Row{" 10%|#  | 1/10\r 20%|## | 2/10\r", 0.2, 2, 10},
        Row{"100%|###| 10/10\n  5%|# | 1/20\nwriting file\n", 0.05, 1, 20}, Row{"50%|x| 3/0", 0.5, 3, 0},
        Row{"200%|x| 30/10", 1.0, 30, 10}}) {
    CAPTURE(row.logs);
    Progress progress = PollOf({{"id", "a"}, {"status", "processing"}, {"logs", row.logs}}).progress;
    REQUIRE(progress.fraction.has_value());
    CHECK(*progress.fraction == doctest::Approx(row.fraction));
    CHECK(progress.current == row.current);
    CHECK(progress.total == row.total);
  }
  for (const char* logs :
       {"", "45%", "45% | 9/20", "45%|| 9/20", "x45%|#| 9/20", "45%|#| 9-20", "-5%|#| 9/20",
        "99999999999999999999%|#| 1/2", "5%|#| 99999999999999999999/2", "5%|#| 1/"}) {
    CAPTURE(logs);
    CHECK_FALSE(
        PollOf({{"id", "a"}, {"status", "processing"}, {"logs", logs}}).progress.fraction.has_value());
  }
  CHECK(PollOf({{"id", "a"}, {"status", "processing"}, {"logs", std::string(300'000, '\n') + "5%|#| 1/20"}})
            .progress.current == 1);
  CHECK(
      PollOf({{"id", "a"}, {"status", "processing"}, {"logs", "Using seed: 17454220438242315174\n"}}).seed ==
      17454220438242315174u);
  CHECK_FALSE(
      PollOf({{"id", "a"}, {"status", "processing"}, {"logs", "Using seed: random"}}).seed.has_value());
}

TEST_CASE("an answer that says nothing about the prediction is transient") {
  const HttpResponse responses[] = {Answer(500, ""),
                                    Answer(502, "<html>"),
                                    Answer(401, R"({"detail":"x"})"),
                                    Answer(402, "{}"),
                                    Answer(403, ""),
                                    Answer(404, "<html>not here"),
                                    Answer(200, ""),
                                    Answer(200, "not json"),
                                    Answer(200, "[]"),
                                    Answer(200, "{}"),
                                    Answer(200, R"({"id":"a","id":"b","status":"failed"})"),
                                    Answer(302, ""),
                                    Broken(200, R"({"id":"a"})"),
                                    NotSent(Error(Code::kTimeout, "slow"))};
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    PollAnswer answer = NewReplicate()->ParsePoll(response);
    CHECK(answer.kind == PollAnswer::kTransient);
    CHECK_FALSE(answer.failure.message.empty());
  }
  PollAnswer gone = NewReplicate()->ParsePoll(
      Answer(404, R"({"detail":"The requested resource could not be found.","status":404})"));
  CHECK(gone.kind == PollAnswer::kFailed);
  CHECK(gone.failure.error_class == ErrorClass::kNotFound);
  CHECK(gone.charged);
}

TEST_CASE("a throttled poll says when to come back") {
  PollAnswer answer = NewReplicate()->ParsePoll(
      Answer(429, R"({"detail":"Request was throttled. Your rate limit resets in ~30s."})"));
  CHECK(answer.kind == PollAnswer::kTransient);
  CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
  CHECK(answer.failure.retry_after_ms == 30'000);
  CHECK(answer.next_poll_ms == 30'000);
}

}  // namespace
}  // namespace mediagen
