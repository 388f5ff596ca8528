// What answers with pictures, of OpenAI and of servers like it, are taken for, by their bytes.
#include <doctest/doctest.h>

#include "provider/openai_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::LocalConfig;
using testing::NewOpenAi;

SubmitAnswer Submit(const std::string& body) { return NewOpenAi()->ParseSubmit(Answer(200, body)); }

TEST_CASE("a whole answer is received, with its pictures") {
  SubmitAnswer answer = Submit(R"({"created":1770935200,"background":"opaque","output_format":"webp",
      "quality":"high","size":"1024x1024",
      "data":[{"b64_json":"AAAA","revised_prompt":"x"},{"b64_json":"BBBB"}],
      "usage":{"input_tokens":50,"output_tokens":4160,"total_tokens":4210}})");
  CHECK(answer.kind == SubmitAnswer::kReceived);
  CHECK(answer.result.kind == PollAnswer::kSucceeded);
  REQUIRE(answer.result.outputs.size() == 2);
  CHECK(answer.result.outputs[0].bytes.view() == std::string_view("\0\0\0", 3));
  CHECK(answer.result.outputs[1].bytes.view() == "\x04\x10\x41");
  CHECK(answer.result.outputs[0].media_type == "image/webp");
  CHECK(answer.result.outputs[0].safety == "ok");
  CHECK_FALSE(answer.result.cost_micros.has_value());  // tokens are no price
}

TEST_CASE("pictures are found in every form that servers give them") {
  struct Row {
    Json data;
    const char* url;  // "": bytes
    const char* media_type;
    bool with_key;
  };
  const Row rows[] = {
      {{{{"b64_json", "AAAA"}}}, "", "", false},
      {{{{"b64_json", "AA\nAA"}, {"url", nullptr}}}, "", "", false},
      {{{{"b64_json", "data:image/png;base64,AAAA"}}}, "", "image/png", false},
      {{{{"url", "data:image/jpeg;base64,AAAA"}}}, "", "image/jpeg", false},
      {{{{"b64_json", "AAAA"}, {"url", "https://h/x.png"}}}, "", "", false},
      {{{{"b64_json", nullptr}, {"url", "https://h/x.png"}}}, "https://h/x.png", "", false},
      {{{{"b64_json", ""}, {"url", "https://h/x.png?sig=1"}}}, "https://h/x.png?sig=1", "", false},
      {{{{"b64_json", "!!"}, {"url", "https://h/x.png"}}}, "https://h/x.png", "", false},
      {{{{"url", "http://127.0.0.1:8080/generated/x.png"}}},
       "http://127.0.0.1:8080/generated/x.png",
       "",
       true},
      {{{{"url", "/generated/x.png"}}}, "http://127.0.0.1:8080/generated/x.png", "", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.data.dump());
    // Neither "created" nor "usage": a local server's answer.
    SubmitAnswer answer = NewOpenAi(LocalConfig())->ParseSubmit(Answer(200, Json{{"data", row.data}}.dump()));
    CHECK(answer.kind == SubmitAnswer::kReceived);
    REQUIRE(answer.result.outputs.size() == 1);
    const RemoteOutput& output = answer.result.outputs[0];
    CHECK(output.url == row.url);
    CHECK((output.bytes.get() != nullptr) == output.url.empty());
    CHECK(output.media_type == row.media_type);
    CHECK(output.needs_credentials == row.with_key);
  }
}

TEST_CASE("the pictures that can be read count; the others are left out") {
  SubmitAnswer answer = Submit(
      R"({"data":[{"b64_json":"AAAA"},null,7,"x",[],{},{"b64_json":7},{"b64_json":"!"},{"url":"http://169.254.169.254/"},
      {"url":"file:///etc/passwd"},{"url":"//evil.example/x"},{"url":"https://u:p@h/"},{"b64_json":"BBBB"}],
      "error":{"message":"two of them were blocked"}})");
  CHECK(answer.kind == SubmitAnswer::kReceived);
  CHECK(answer.result.kind == PollAnswer::kSucceeded);
  CHECK(answer.result.outputs.size() == 2);
  Json many = {{"data", Json::array()}};
  for (int i = 0; i < 1000; ++i) many["data"].push_back({{"b64_json", "AAAA"}});
  CHECK(Submit(many.dump()).result.outputs.size() == 64);
}

TEST_CASE("a complete answer without a picture is received as a failure that was charged") {
  for (const char* body :
       {R"({"data":[]})", R"({"data":[{}]})", R"({"data":[{"url":"ftp://x"}],"error":null})",
        R"({"data":[],"error":""})", R"({"data":[],"error":{}})"}) {
    CAPTURE(body);
    SubmitAnswer answer = Submit(body);
    CHECK(answer.kind == SubmitAnswer::kReceived);
    CHECK(answer.result.kind == PollAnswer::kFailed);
    CHECK(answer.result.failure.error_class == ErrorClass::kServer);
    CHECK_FALSE(answer.result.failure.retryable);
    CHECK(answer.result.charged);
  }
}

TEST_CASE("an error inside of a 200 is received as what it says") {
  struct Row {
    const char* body;
    ErrorClass error_class;
    bool charged;
  };
  for (const Row& row :
       {Row{R"({"error":{"code":"insufficient_quota","message":"no money"}})", ErrorClass::kBilling, false},
        Row{R"({"error":{"code":null,"type":"insufficient_quota"}})", ErrorClass::kBilling, false},
        Row{R"({"error":{"code":"rate_limit_exceeded"}})", ErrorClass::kRateLimited, false},
        Row{R"({"error":{"code":"invalid_api_key"}})", ErrorClass::kAuth, false},
        Row{R"({"data":null,"error":{"code":"moderation_blocked"}})", ErrorClass::kSafety, true},
        Row{R"({"error":{"code":500,"message":"out of memory"}})", ErrorClass::kServer, true},
        Row{R"({"error":"out of memory"})", ErrorClass::kServer, true},
        Row{R"({"id":"r1","status":"error","error":"out of memory"})", ErrorClass::kServer, true}}) {
    CAPTURE(row.body);
    SubmitAnswer answer = Submit(row.body);
    CHECK(answer.kind == SubmitAnswer::kReceived);
    CHECK(answer.result.kind == PollAnswer::kFailed);
    CHECK(answer.result.failure.error_class == row.error_class);
    CHECK_FALSE(answer.result.failure.message.empty());
    CHECK(answer.result.charged == row.charged);
    if (row.charged) CHECK_FALSE(answer.result.failure.retryable);  // it would be paid for again
  }
}

TEST_CASE("a stream that nobody asked for is read all the same, once it is whole") {
  const std::string partial =
      "event: image_generation.partial_image\ndata: "
      "{\"type\":\"image_generation.partial_image\",\"b64_json\":\"AAAA\"}\n\n";
  const std::string done =
      "data: {\"type\":\"image_generation.completed\",\ndata: "
      "\"b64_json\":\"BBBB\",\"output_format\":\"png\"}\n\n";
  SubmitAnswer answer = Submit(partial + done + "data: [DONE]\n\n");
  CHECK(answer.kind == SubmitAnswer::kReceived);
  REQUIRE(answer.result.outputs.size() == 1);
  CHECK(answer.result.outputs[0].bytes.view() == "\x04\x10\x41");
  CHECK(answer.result.outputs[0].media_type == "image/png");
  CHECK(Submit("data:{\"type\":\"image_edit.completed\",\"b64_json\":\"BBBB\"}\r\n\r\n")
            .result.outputs.size() == 1);
  CHECK(Submit("\n: ping\n\ndata: {\"type\":\"image_edit.completed\",\"b64_json\":\"BBBB\"}")
            .result.outputs.size() == 1);

  for (const char* error :
       {"event: error\ndata: {\"error\":{\"code\":\"insufficient_quota\",\"message\":\"m\"}}\n\n",
        "data: {\"type\":\"error\",\"code\":\"insufficient_quota\",\"message\":\"m\"}\n\n"}) {
    CAPTURE(error);
    answer = Submit(partial + error);
    CHECK(answer.kind == SubmitAnswer::kReceived);
    CHECK(answer.result.failure.error_class == ErrorClass::kBilling);
    CHECK_FALSE(answer.result.failure.retryable);
  }
  // A preview is no result, and a stream without an end no answer.
  for (const std::string& body :
       {partial, std::string("data: [DONE]\n\n"), std::string("data: {\n\n"), std::string("data:")}) {
    CAPTURE(body);
    CHECK(Submit(body).kind == SubmitAnswer::kUnknown);
  }
}

TEST_CASE("what cannot be read for certain is unknown, and not for trying again") {
  const std::string whole = R"({"created":1,"data":[{"b64_json":"AAAA"}]})";
  std::vector<HttpResponse> responses = {Answer(500, R"({"error":{"message":"x"}})"),
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
                                         Answer(200, R"({"data":7})"),
                                         Answer(200, R"({"data":{"b64_json":"AAAA"}})"),
                                         Answer(200, R"({"id":"x"})"),
                                         Answer(200, R"({"object":"video"})"),
                                         Answer(200, R"({"object":"video","id":"../x"})"),
                                         Answer(200, R"({"object":"video","id":7})"),
                                         Answer(200, "\xff\xfe"),
                                         Answer(200, std::string(300, '[')),
                                         Answer(200, R"({"data":[],"data":[]})"),
                                         Broken(0, ""),
                                         Broken(429, ""),
                                         Broken(400, R"({"error":{}})"),
                                         Broken(200, whole)};
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    responses.push_back(Answer(200, whole.substr(0, cut)));
    responses.push_back(Broken(200, whole.substr(0, cut)));
  }
  for (const HttpResponse& response : responses) {
    CAPTURE(response.status);
    CAPTURE(response.body);
    SubmitAnswer answer = NewOpenAi()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kUnknown);
    CHECK(answer.failure.error_class == ErrorClass::kUnknownOutcome);
    CHECK_FALSE(answer.failure.retryable);
    CHECK_FALSE(answer.failure.message.empty());
  }
}

}  // namespace
}  // namespace mediagen
