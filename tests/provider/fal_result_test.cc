// What fal's models give back: files, flags and seeds.
#include <doctest/doctest.h>

#include "provider/fal_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::fal::New;
using testing::fal::ResultOf;

const std::string kA = "https://v3.fal.media/files/a.jpeg", kB = "https://v3.fal.media/files/b.jpeg";

Json File(const std::string& url, const char* type = "image/jpeg") {
  return {
      {"url", url}, {"content_type", type}, {"width", 1024}, {"file_name", nullptr}, {"file_size", nullptr}};
}

TEST_CASE("fal: a whole result, with the seed and the safety of each picture") {
  PollAnswer answer = New()->ParseResult(Answer(200, R"({"images":[
      {"url":"https://v3.fal.media/files/a.jpeg","content_type":"image/jpeg","width":1024,"height":1024},
      {"url":"https://v3.fal.media/files/b.jpeg","content_type":"image/png"}],
      "seed":17454220438242315174,"has_nsfw_concepts":[false,true],
      "timings":{"inference":2.1},"prompt":"x"})"));
  CHECK(answer.kind == PollAnswer::kSucceeded);
  REQUIRE(answer.outputs.size() == 2);
  CHECK(answer.outputs[0].url == kA);
  CHECK(answer.outputs[0].media_type == "image/jpeg");
  CHECK(answer.outputs[0].safety == "ok");
  CHECK_FALSE(answer.outputs[0].needs_credentials);
  CHECK(answer.outputs[1].url == kB);
  CHECK(answer.outputs[1].safety == "flagged");
  CHECK(answer.seed == 17454220438242315174u);
  CHECK_FALSE(answer.cost_micros.has_value());
}

TEST_CASE("fal: outputs in every shape") {
  auto urls = [](const Json& result) {
    std::vector<std::string> list;
    for (const RemoteOutput& one : ResultOf(result).outputs) list.push_back(one.url);
    return list;
  };
  CHECK(urls({{"images", {File(kA), File(kB)}}}) == std::vector{kA, kB});
  CHECK(urls({{"image", File(kA)}}) == std::vector{kA});
  CHECK(urls({{"image", kA}}) == std::vector{kA});
  CHECK(urls({{"images", {kB, kA}}}) == std::vector{kB, kA});
  CHECK(urls({{"images",
               {nullptr,
                7,
                File(kA),
                "text",
                File("http://plain/x"),
                File("file:///etc/passwd"),
                Json::object(),
                {{"url", 9}}}}}) == std::vector{kA});
  CHECK(urls({{"image", File(kA)}, {"images", {File(kB), File(kA)}}}) == std::vector{kB, kA});  // once each
  Json many = Json::array();
  for (int i = 0; i < 200; ++i) many.push_back(File(kA + std::to_string(i)));
  CHECK(urls({{"images", many}}).size() == 64);
  // A workflow's, under names of its own; what is no picture or video is not taken.
  CHECK(urls({{"output", {{"final", {File(kA), File("https://h/x.zip", "application/zip")}}}},
              {"notes", {{"url", 7}}}}) == std::vector{kA});
  CHECK(urls({{"images", Json::array()}, {"outputs", {{"9", {{"images", {File(kB)}}}}}}}) == std::vector{kB});

  PollAnswer video = ResultOf({{"video",
                                {{"url", "https://v3.fal.media/v.mp4"},
                                 {"content_type", "video/mp4"},
                                 {"duration", 5.0},
                                 {"fps", 24}}},
                               {"seed", "7"}});
  REQUIRE(video.outputs.size() == 1);
  CHECK(video.outputs[0].media_type == "video/mp4");
  CHECK(video.seed == 7);
}

TEST_CASE("fal: data URIs are decoded all the same") {
  PollAnswer answer =
      ResultOf({{"images",
                 {File("data:image/webp;base64,aGVsbG8="),
                  "data:image/png;base64,aGk=", File("data:image/png;base64,***"), "data:,x"}}});
  REQUIRE(answer.outputs.size() == 2);
  CHECK(answer.outputs[0].bytes.view() == "hello");
  CHECK(answer.outputs[0].media_type == "image/webp");
  CHECK(answer.outputs[1].bytes.view() == "hi");
}

TEST_CASE("fal: flags stand beside pictures by their place, under either name") {
  auto safety = [](Json result) {
    std::string words;
    result["images"] = {File(kA), nullptr, File(kB)};
    for (const RemoteOutput& one : ResultOf(result).outputs) words += one.safety + " ";
    return words;
  };
  CHECK(safety({{"has_nsfw_concepts", {true, false, false}}}) == "flagged ok ");
  CHECK(safety({{"has_nsfw_concepts", {false, true, false}}}) == "ok ok ");  // of the picture that is missing
  CHECK(safety({{"nsfw_content_detected", {false, false, true}}}) == "ok flagged ");
  CHECK(safety({{"has_nsfw_concepts", {false, false, false}}, {"nsfw_content_detected", {true}}}) ==
        "flagged ok ");
  CHECK(safety({{"has_nsfw_concepts", {true}}}) == "flagged ok ");
  CHECK(safety({{"has_nsfw_concepts", true}}) == "flagged flagged ");
  for (const Json& odd : {Json(nullptr), Json(7), Json("true"), Json::object(), Json::array(),
                          Json::array({1, "true", nullptr})})
    CHECK(safety({{"has_nsfw_concepts", odd}}) == "ok ok ");
  CHECK(ResultOf({{"image", File(kA)}, {"has_nsfw_concepts", {true}}}).outputs[0].safety == "flagged");
}

TEST_CASE("fal: a seed is taken to its last bit, or not at all") {
  auto seed = [](const char* text) {
    return New()
        ->ParseResult(Answer(200, R"({"image":"https://h/x.png","seed":)" + std::string(text) + "}"))
        .seed;
  };
  CHECK(seed("18446744073709551615") == 18446744073709551615u);
  CHECK(seed("0") == 0u);
  CHECK(seed("\"17454220438242315174\"") == 17454220438242315174u);
  for (const char* bad : {"-1", "1.5", "1e3", "null", "18446744073709551616", "\"\"", "[7]", "true"}) {
    CAPTURE(bad);
    CHECK_FALSE(seed(bad).has_value());
  }
}

TEST_CASE("fal: a result without a picture is a charged failure, and says why") {
  for (const Json& result :
       {Json::object(), Json{{"images", nullptr}}, Json{{"images", Json::array()}}, Json{{"images", 7}},
        Json{{"output", "a poem"}}, Json{{"image", {{"url", "http://169.254.169.254/"}}}}}) {
    CAPTURE(result.dump());
    PollAnswer answer = ResultOf(result);
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.charged);
    CHECK(answer.failure.error_class == ErrorClass::kServer);
    CHECK_FALSE(answer.failure.retryable);
  }
  PollAnswer refused = ResultOf({{"detail", {{{"type", "content_policy_violation"}, {"msg", "no"}}}}});
  CHECK(refused.failure.error_class == ErrorClass::kSafety);
  CHECK(refused.charged);
  Json deep = File(kA);
  for (int i = 0; i < 40; ++i) deep = Json{{"x", deep}};
  CHECK(ResultOf(deep).kind == PollAnswer::kFailed);
}

TEST_CASE("fal: asked too early, whatever the status says, it is still at work") {
  for (int status : {200, 202, 400, 404, 422, 500, 503}) {
    CAPTURE(status);
    PollAnswer answer = New()->ParseResult(Answer(status, R"({"detail":"Request is still in progress"})"));
    CHECK(answer.kind == PollAnswer::kPending);
    CHECK(answer.next_poll_ms > 0);
  }
  CHECK(ResultOf({{"request_id", "764c"}, {"status", "IN_PROGRESS"}}).kind == PollAnswer::kPending);
  CHECK(ResultOf({{"request_id", "764c"}, {"status", "COMPLETED"}, {"error", "x"}}).failure.message == "x");
  CHECK(ResultOf({{"request_id", "764c"}, {"status", "COMPLETED"}}).kind == PollAnswer::kFailed);
}

}  // namespace
}  // namespace mediagen
