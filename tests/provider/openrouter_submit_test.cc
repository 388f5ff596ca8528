// OpenRouter's synchronous results, by their bytes: pictures and chats.
#include <doctest/doctest.h>

#include "base/base64.h"
#include "provider/openrouter_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::AnswerOf;
using testing::NewOpenRouter;
using testing::SubmitOf;

const std::string kPng = Base64Encode("\x89PNG\r\n\x1a\n picture");
const std::string kSvg = Base64Encode("<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>");

Json Image(const std::string& base64, const char* media_type) {
  return {{"b64_json", base64}, {"media_type", media_type}};
}
Json Chat(const Json& message, const char* reason = "stop") {
  return {{"id", "gen-1"}, {"choices", Json::array({{{"finish_reason", reason}, {"message", message}}})}};
}
Json ChatImage(const Json& url) { return {{"type", "image_url"}, {"image_url", {{"url", url}}}}; }

TEST_CASE("pictures come with the answer, with their types and their cost") {
  SubmitAnswer answer = NewOpenRouter()->ParseSubmit(Answer(
      200, R"({"created":1748372400,"data":[{"b64_json":")" + kPng +
               R"(","media_type":"image/png"},{"b64_json":")" + kPng +
               R"("}],"usage":{"prompt_tokens":0,"completion_tokens":4175,"total_tokens":4175,"cost":0.04,
               "cost_details":{},"completion_tokens_details":{"image_tokens":4175},"is_byok":false}})"));
  CHECK(answer.kind == SubmitAnswer::kReceived);
  CHECK(answer.failure.message.empty());
  CHECK(answer.result.kind == PollAnswer::kSucceeded);
  REQUIRE(answer.result.outputs.size() == 2);
  CHECK(answer.result.outputs[0].bytes.view() == "\x89PNG\r\n\x1a\n picture");
  CHECK(answer.result.outputs[0].media_type == "image/png");
  CHECK(answer.result.outputs[1].media_type.empty());  // the bytes are sniffed
  CHECK(answer.result.outputs[0].safety == "ok");
  CHECK(answer.result.cost_micros == 40'000);
}

TEST_CASE("the same document says the same without headers and URL, as it is read from the store") {
  const std::string body = Json{{"data", {Image(kPng, "image/png")}}}.dump();
  HttpResponse live = AnswerOf("/images", 200, body, {{"content-type", "application/json"}});
  HttpResponse stored = Answer(200, body);
  for (const HttpResponse& response : {live, stored}) {
    SubmitAnswer answer = NewOpenRouter()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kReceived);
    CHECK(answer.result.outputs.size() == 1);
    CHECK_FALSE(answer.result.cost_micros.has_value());
  }
}

TEST_CASE("fewer pictures than asked for are what there is: n is an upper bound") {
  SubmitAnswer answer = SubmitOf(200, {{"data", {Image(kPng, "image/png")}}});
  CHECK(answer.result.kind == PollAnswer::kSucceeded);
  CHECK(answer.result.outputs.size() == 1);
  CHECK(answer.result.failure.message.empty());
}

TEST_CASE("active content is no picture, whatever it claims to be, and the others are kept") {
  const std::string bom = "\xef\xbb\xbf \n<?xml version=\"1.0\"?><svg/>";
  const Json active[] = {Image(kSvg, "image/svg+xml"),
                         Image(kSvg, "image/SVG+XML; charset=utf-8"),
                         Image(kSvg, "image/png"),
                         Json{{"b64_json", kSvg}},
                         Image(kPng, "image/svg+xml"),
                         Image(Base64Encode(bom), "image/webp"),
                         Image(kPng, "application/xml"),
                         Image(kPng, "text/html"),
                         {{"url", "data:image/svg+xml,<svg/>"}},
                         {{"url", "data:image/svg+xml;base64," + kSvg}}};
  for (const Json& bad : active) {
    CAPTURE(bad.dump());
    PollAnswer some =
        SubmitOf(200, {{"data", {Image(kPng, "image/png"), bad}}, {"usage", {{"cost", 0.08}}}}).result;
    CHECK(some.kind == PollAnswer::kSucceeded);
    REQUIRE(some.outputs.size() == 1);
    CHECK(some.outputs[0].media_type == "image/png");
    CHECK(some.failure.message ==
          "1 of 2 pictures came as SVG or other markup, which may hold scripts, and was refused.");
    CHECK(some.cost_micros == 80'000);

    SubmitAnswer none = SubmitOf(200, {{"data", Json::array({bad})}, {"usage", {{"cost", 0.04}}}});
    CHECK(none.kind == SubmitAnswer::kReceived);
    CHECK(none.result.kind == PollAnswer::kFailed);
    CHECK(none.result.charged);
    CHECK(none.result.outputs.empty());
    CHECK(none.result.failure.message.find("SVG") != std::string::npos);
    CHECK_FALSE(none.result.failure.retryable);
  }
}

TEST_CASE("a chat's pictures come as data URIs or URLs") {
  Json document = Chat({{"content", "Here you are."},
                        {"images",
                         {ChatImage("data:image/png;base64," + kPng), ChatImage("https://cdn.example/a.png"),
                          ChatImage("https://openrouter.ai/x.png"), ChatImage("/api/v1/x.png")}}});
  document["usage"] = {{"cost", 0.039}};
  SubmitAnswer answer = SubmitOf(200, document);
  CHECK(answer.kind == SubmitAnswer::kReceived);
  CHECK(answer.result.kind == PollAnswer::kSucceeded);
  CHECK(answer.result.cost_micros == 39'000);
  REQUIRE(answer.result.outputs.size() == 4);
  CHECK(answer.result.outputs[0].bytes.view() == "\x89PNG\r\n\x1a\n picture");
  CHECK(answer.result.outputs[1].url == "https://cdn.example/a.png");
  CHECK_FALSE(answer.result.outputs[1].needs_credentials);
  CHECK(answer.result.outputs[2].needs_credentials);
  CHECK(answer.result.outputs[3].url == "https://openrouter.ai/api/v1/x.png");
}

TEST_CASE("URLs that are not acceptable are no pictures") {
  for (const char* url : {"http://169.254.169.254/", "file:///etc/passwd", "javascript:x", "//evil/x", "",
                          "data:", "data:image/png,raw", "data:image/png;base64,!!!", "https://u:p@h/x"}) {
    CAPTURE(url);
    PollAnswer chat = SubmitOf(200, Chat({{"images", {ChatImage(url)}}})).result;
    CHECK(chat.kind == PollAnswer::kFailed);
    CHECK(chat.charged);
    CHECK(chat.failure.message == "1 of 1 pictures came unreadable, and was refused.");
  }
}

TEST_CASE("a complete answer without pictures has failed, and says why and whether it was billed") {
  struct Row {
    Json document;
    ErrorClass error_class;
    bool charged;
    const char* word;
  };
  const Row rows[] = {
      {{{"data", Json::array()}}, ErrorClass::kServer, true, "no picture"},
      {{{"data", Json::array()}, {"usage", {{"cost", 0}}}}, ErrorClass::kServer, false, "no picture"},
      {{{"data", Json::array()}, {"usage", {{"cost", 0.04}}}}, ErrorClass::kServer, true, "no picture"},
      {{{"choices", Json::array()}}, ErrorClass::kServer, true, "no picture"},
      {Chat({{"content", "I can only describe it."}}), ErrorClass::kServer, true, "only describe"},
      {Chat({{"content", nullptr}}), ErrorClass::kServer, true, "no picture"},
      {Chat({{"content", ""}}, "content_filter"), ErrorClass::kSafety, true, "filter"},
      {Chat({{"refusal", "I will not draw that."}}), ErrorClass::kSafety, true, "not draw"},
      {{{"choices", {{{"error", {{"code", 429}, {"message", "slow"}}}}}}},
       ErrorClass::kRateLimited,
       true,
       "slow"},
      // HTTP 200 with an error on top: definite, and billed unless its code stands for a request not
      // accepted.
      {{{"error", {{"code", 429}, {"message", "slow down"}}}}, ErrorClass::kRateLimited, false, "slow down"},
      {{{"error", {{"code", "402"}, {"message", "no money"}}}}, ErrorClass::kBilling, false, "no money"},
      {{{"error", {{"code", 403}, {"message", "flagged"}, {"metadata", {{"reasons", {"violence"}}}}}}},
       ErrorClass::kSafety,
       false,
       "violence"},
      {{{"error", {{"code", 502}, {"message", "bad"}}}}, ErrorClass::kServer, true, "bad"},
      {{{"error", {{"code", 502}, {"message", "bad"}}}, {"usage", {{"cost", 0}}}},
       ErrorClass::kServer,
       false,
       "bad"},
      {{{"error", {{"code", 400}, {"message", "x"}}}, {"usage", {{"cost", 0.01}}}},
       ErrorClass::kInvalid,
       true,
       "x"},
      {{{"error", {{"message", "x"}}}, {"choices", Json::array()}}, ErrorClass::kServer, true, "x"},
      {{{"error", "words alone"}}, ErrorClass::kServer, true, "words alone"},
      {{{"error", {{"code", 7}}}}, ErrorClass::kServer, true, "without a message"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.document.dump());
    SubmitAnswer answer = SubmitOf(200, row.document);
    CHECK(answer.kind == SubmitAnswer::kReceived);
    CHECK(answer.result.kind == PollAnswer::kFailed);
    CHECK(answer.result.failure.error_class == row.error_class);
    CHECK(answer.result.charged == row.charged);
    CHECK(answer.result.failure.message.find(row.word) != std::string::npos);
  }
}

TEST_CASE("pictures are kept although the answer reports an error beside them") {
  PollAnswer result =
      SubmitOf(200, {{"error", {{"code", 500}, {"message", "late"}}}, {"data", {Image(kPng, "image/png")}}})
          .result;
  CHECK(result.kind == PollAnswer::kSucceeded);
  CHECK(result.outputs.size() == 1);
  for (const Json& none : {Json(nullptr), Json(""), Json::object(), Json(7), Json::array()}) {
    CAPTURE(none.dump());
    CHECK(SubmitOf(200, {{"error", none}, {"data", {Image(kPng, "image/png")}}}).result.kind ==
          PollAnswer::kSucceeded);
  }
}

TEST_CASE("wrong types anywhere are no pictures, and no crash") {
  const Json odd[] = {nullptr,        7,         -1,    1.5,  true, "no base64!", Json::array(),
                      Json::object(), {nullptr}, {{1}}, {"a"}};
  for (const Json& value : odd) {
    CAPTURE(value.dump());
    for (const Json& document :
         {Json{{"data", {value}}}, Json{{"data", {{{"b64_json", value}}}}},
          Json{{"data", {{{"url", value}}}}}, Json{{"choices", {value}}},
          Json{{"choices", {{{"message", value}}}}}, Chat({{"images", value}}), Chat({{"images", {value}}}),
          Chat({{"images", {{{"image_url", value}}}}}), Chat({{"images", {ChatImage(value)}}}),
          Json{{"data", Json::array()}, {"usage", value}},
          Json{{"data", Json::array()}, {"usage", {{"cost", value}}}},
          Json{{"data", Json::array()}, {"error", value}}}) {
      CAPTURE(document.dump());
      SubmitAnswer answer = SubmitOf(200, document);
      CHECK(answer.kind == SubmitAnswer::kReceived);
      CHECK(answer.result.kind == PollAnswer::kFailed);
      CHECK(answer.result.outputs.empty());
    }
    PollAnswer typed =
        SubmitOf(200, {{"data", {{{"b64_json", kPng}, {"media_type", value}}}}, {"created", value}}).result;
    CHECK(typed.kind == PollAnswer::kSucceeded);
  }
  for (const char* cost : {"-1", "1e300", "1e10", "\"0.04\""}) {
    CAPTURE(cost);
    CHECK_FALSE(NewOpenRouter()
                    ->ParseSubmit(Answer(200, R"({"data":[],"usage":{"cost":)" + std::string(cost) + "}}"))
                    .result.cost_micros.has_value());
  }
}

TEST_CASE("a large picture is read whole, and outputs are bounded") {
  const std::string bytes(6 << 20, 'x');
  PollAnswer large = SubmitOf(200, {{"data", {Image(Base64Encode(bytes), "image/png")}}}).result;
  REQUIRE(large.outputs.size() == 1);
  CHECK(large.outputs[0].bytes.size() == bytes.size());
  Json many = Json::array();
  for (int i = 0; i < 1000; ++i) many.push_back(Image(kPng, "image/png"));
  CHECK(SubmitOf(200, {{"data", many}}).result.outputs.size() == 64);
}

}  // namespace
}  // namespace mediagen
