// Replicate's wire, row by row.
#include <doctest/doctest.h>

#include "provider/provider.h"
#include "support/wire.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::NotSent;

const std::string kHex(64, 'a');

ProviderConfig Config() {
  ProviderConfig config;
  config.name = "replicate";
  config.api_key = "r8_secret_key";
  return config;
}
std::unique_ptr<Adapter> New(ProviderConfig config = Config()) {
  return NewAdapter(std::move(config)).value();
}

PartRequest Part(std::string model = "black-forest-labs/flux-schnell") {
  PartRequest part;
  part.model = std::move(model);
  part.prompt = "a red fox";
  return part;
}
Json InputOf(const PartRequest& part) {
  return Json::parse(New()->BuildSubmit(part, Id{}, "").value().body)["input"];
}

std::string_view HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

// --- the request ---

TEST_CASE("each form of model name goes to its own path") {
  const std::string base = "https://api.replicate.com/v1";
  struct Row {
    std::string model, url, version;
  };
  const Row rows[] = {
      {"o/n", base + "/models/o/n/predictions", ""},
      {"o/n:" + kHex, base + "/predictions", kHex},
      {kHex, base + "/predictions", kHex},
      {std::string(64, 'A'), base + "/predictions", kHex},
      {"deployments/o/n", base + "/deployments/o/n/predictions", ""},
      {"black-forest-labs/flux-1.1-pro", base + "/models/black-forest-labs/flux-1.1-pro/predictions", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.model);
    StatusOr<HttpRequest> request = New()->BuildSubmit(Part(row.model), Id{}, "");
    REQUIRE(request.ok());
    CHECK(request->url == row.url);
    CHECK(Json::parse(request->body).value("version", "") == row.version);
  }
  for (const std::string& bad :
       {std::string(""), std::string("flux"), std::string("../x"), std::string("o/.."), std::string("o/n/m"),
        std::string("o/n:abc"), std::string("o/n?x"), std::string("o/n:") + std::string(64, 'g'),
        std::string("deployments/o"), std::string("deployments/o/n/m"), std::string("o /n"),
        std::string("o/n\r\nX: 1")}) {
    CAPTURE(bad);
    CHECK(CodeOf(New()->BuildSubmit(Part(bad), Id{}, "").status()) == Code::kInvalid);
  }
}

TEST_CASE("the paid request is sent once, with key and idempotency key, never in sync mode") {
  const Id attempt = Id::Parse("01932c5e-0000-7000-8000-000000000001").value();
  HttpRequest request = New()->BuildSubmit(Part(), attempt, "https://me.example/hook?attempt=1").value();
  CHECK(request.method == "POST");
  CHECK(request.once);
  CHECK(request.max_redirects == 0);
  CHECK(request.guard_address);
  CHECK(request.https_only);
  CHECK(HeaderOf(request, "authorization") == "Bearer r8_secret_key");
  CHECK(HeaderOf(request, "idempotency-key") == attempt.text());
  CHECK(HeaderOf(request, "content-type") == "application/json");
  CHECK(HeaderOf(request, "prefer").empty());
  const Json body = Json::parse(request.body);
  CHECK(body["webhook"] == "https://me.example/hook?attempt=1");
  CHECK(body["webhook_events_filter"] == Json::array({"completed"}));
  CHECK_FALSE(Json::parse(New()->BuildSubmit(Part(), attempt, "").value().body).contains("webhook"));
}

TEST_CASE("without a key nothing is built, and the error names the variable") {
  ProviderConfig config = Config();
  config.api_key = "";
  config.api_key_env = "MY_TOKEN";
  auto adapter = New(config);
  const Status status = adapter->CheckReady();
  CHECK(CodeOf(status) == Code::kUnauthorized);
  CHECK(InfoOf(status).hint.find("MY_TOKEN") != std::string::npos);
  CHECK(CodeOf(adapter->BuildSubmit(Part(), Id{}, "").status()) == Code::kUnauthorized);
  CHECK(CodeOf(adapter->BuildPoll({.id = "abc"}).status()) == Code::kUnauthorized);
}

TEST_CASE("the input carries what was asked for, and nothing that was not") {
  CHECK(InputOf(Part()) == Json{{"prompt", "a red fox"}});
  PartRequest part = Part();
  part.negative_prompt = "snow";
  part.seed = 17454220438242315174u;  // above 2^63
  part.n = 3;
  part.size = "1024x768";
  CHECK(InputOf(part) == Json{{"prompt", "a red fox"},
                              {"negative_prompt", "snow"},
                              {"seed", 17454220438242315174u},
                              {"num_outputs", 3},
                              {"width", 1024},
                              {"height", 768}});
  part.size = "";
  part.aspect_ratio = "16:9";
  CHECK(InputOf(part)["aspect_ratio"] == "16:9");
  CHECK(New()->BuildSubmit(part, Id{}, "").value().body.find("17454220438242315174") != std::string::npos);
  part.size = "10";
  CHECK(CodeOf(New()->BuildSubmit(part, Id{}, "").status()) == Code::kInvalid);
}

TEST_CASE("options fill in the model's own inputs; what the request sets wins") {
  PartRequest part = Part();
  part.options = {{"go_fast", true}, {"prompt", "another"}, {"seed", 9}};
  CHECK(InputOf(part) == Json{{"prompt", "a red fox"}, {"go_fast", true}, {"seed", 9}});
  part.options = Json::array();
  CHECK(CodeOf(New()->BuildSubmit(part, Id{}, "").status()) == Code::kInvalid);
}

TEST_CASE("references go under the names that the model knows") {
  const Json one = Json::array({{{"url", "https://h/1.png"}}});
  const Json two = Json::array({{{"url", "https://h/1.png"}}, {{"url", "data:image/png;base64,AAAA"}}});
  auto input = [](const char* model, const Json& references) {
    PartRequest part = Part(model);
    part.references = references;
    return InputOf(part);
  };
  CHECK(input("o/n", one)["image"] == "https://h/1.png");
  CHECK(input("black-forest-labs/flux-kontext-pro", one)["input_image"] == "https://h/1.png");
  CHECK(input("black-forest-labs/flux-2-pro", two)["input_image_2"] == "data:image/png;base64,AAAA");
  CHECK(input("google/nano-banana", two)["image_input"].size() == 2);
  PartRequest part = Part("o/n");
  part.references = two;
  CHECK(CodeOf(New()->BuildSubmit(part, Id{}, "").status()) == Code::kUnsupported);
  for (const Json& bad : {Json::array({"https://h/"}), Json::array({Json::object()}),
                          Json::array({{{"url", "file:///etc/passwd"}}}), Json::array({{{"url", 7}}}),
                          Json::object({{"a", 1}})}) {
    part.references = bad;
    CHECK(CodeOf(New()->BuildSubmit(part, Id{}, "").status()) == Code::kInvalid);
  }
}

TEST_CASE("only models that are known to make several pictures are asked for several") {
  CHECK(New()->CapabilitiesOf("black-forest-labs/flux-schnell").max_n_per_request == 4);
  CHECK(New()->CapabilitiesOf("stability-ai/sdxl:" + kHex).max_n_per_request == 4);
  CHECK(New()->CapabilitiesOf("black-forest-labs/flux-1.1-pro").max_n_per_request == 1);
  CHECK(New()->CapabilitiesOf("stability-ai/stable-diffusion-3.5-large").max_n_per_request == 1);
  CHECK(New()->CapabilitiesOf("").max_n_per_request == 1);
}

// --- the answer to a submit ---

TEST_CASE("a 201 with an id is submitted, with its URLs and what it says already") {
  SubmitAnswer answer = New()->ParseSubmit(
      Answer(201, R"({"id":"hdwst0","status":"starting","logs":"","output":null,"error":null,
      "urls":{"get":"https://api.replicate.com/v1/predictions/hdwst0","cancel":"https://api.replicate.com/v1/predictions/hdwst0/cancel","stream":"https://x/"}})"));
  CHECK(answer.kind == SubmitAnswer::kSubmitted);
  CHECK(answer.remote.id == "hdwst0");
  CHECK(answer.remote.status_url == "https://api.replicate.com/v1/predictions/hdwst0");
  CHECK(answer.remote.cancel_url == "https://api.replicate.com/v1/predictions/hdwst0/cancel");
  CHECK(answer.result.kind == PollAnswer::kPending);
}

TEST_CASE("a prediction that is over at once is submitted with its result") {
  SubmitAnswer answer = New()->ParseSubmit(
      Answer(201, R"({"id":"a","status":"succeeded","output":["https://replicate.delivery/x.png"]})"));
  CHECK(answer.kind == SubmitAnswer::kSubmitted);
  CHECK(answer.result.kind == PollAnswer::kSucceeded);
  CHECK(answer.result.outputs.size() == 1);
}

TEST_CASE("sync mode's trap: output while processing is not taken for the end") {
  SubmitAnswer answer = New()->ParseSubmit(
      Answer(201, R"({"id":"a","status":"processing","output":["data:image/png;base64,AAAA"]})"));
  CHECK(answer.result.kind == PollAnswer::kPending);
  CHECK(answer.result.outputs.empty());
}

TEST_CASE("URLs of an answer that are not acceptable are left out") {
  for (const char* url :
       {"http://169.254.169.254/", "file:///etc/passwd", "javascript:x", "https://u:p@h/", "/relative"}) {
    CAPTURE(url);
    SubmitAnswer answer = New()->ParseSubmit(Answer(
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
    SubmitAnswer answer = New()->ParseSubmit(Answer(row.status, R"({"title":"T","detail":"the reason"})"));
    CHECK(answer.kind == SubmitAnswer::kRejected);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable == row.retryable);
    CHECK(answer.failure.message.find("the reason") != std::string::npos);
  }
  SubmitAnswer unsent = New()->ParseSubmit(NotSent(Error(Code::kUnavailable, "connection refused")));
  CHECK(unsent.kind == SubmitAnswer::kRejected);
  CHECK(unsent.failure.retryable);
  CHECK_FALSE(New()->ParseSubmit(NotSent(Error(Code::kForbidden, "private address"))).failure.retryable);
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
    SubmitAnswer answer = New()->ParseSubmit(response);
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
    SubmitAnswer answer = New()->ParseSubmit(response);
    CHECK(answer.kind == SubmitAnswer::kSubmitted);
    CHECK(answer.remote.id == "abc");
    CHECK(answer.result.kind == PollAnswer::kPending);
  }
  // Only as the first member: another "id" may be anybody's.
  CHECK(New()->ParseSubmit(Broken(201, R"({"input":{"id":"evil"},"id":"ab)")).kind == SubmitAnswer::kUnknown);
  CHECK(New()->ParseSubmit(Broken(500, R"({"id":"abc","x":)")).kind == SubmitAnswer::kUnknown);
}

// --- polls ---

PollAnswer Poll(const Json& prediction) { return New()->ParsePoll(Answer(200, prediction.dump())); }

TEST_CASE("the states, by a closed list") {
  CHECK(Poll({{"id", "a"}, {"status", "starting"}}).kind == PollAnswer::kPending);
  CHECK(Poll({{"id", "a"}, {"status", "processing"}}).kind == PollAnswer::kPending);
  PollAnswer succeeded =
      Poll({{"id", "a"}, {"status", "succeeded"}, {"output", "https://replicate.delivery/x.png"}});
  CHECK(succeeded.kind == PollAnswer::kSucceeded);
  CHECK_FALSE(succeeded.cost_micros.has_value());
  CHECK(Poll({{"id", "a"}, {"status", "failed"}, {"error", "boom"}}).kind == PollAnswer::kFailed);
  CHECK(Poll({{"id", "a"}, {"status", "canceled"}}).failure.error_class == ErrorClass::kCanceled);
  CHECK(Poll({{"id", "a"}, {"status", "aborted"}}).failure.error_class == ErrorClass::kTimeout);
  for (const Json& unknown :
       {Json("paused"), Json(""), Json(nullptr), Json(7), Json("SUCCEEDED"), Json("success")}) {
    CAPTURE(unknown.dump());
    PollAnswer answer =
        Poll({{"id", "a"}, {"status", unknown}, {"output", {"https://replicate.delivery/x.png"}}});
    CHECK(answer.kind == PollAnswer::kPending);
    CHECK(answer.progress.message.find("not known") != std::string::npos);
  }
  CHECK(Poll({{"id", "a"}}).kind == PollAnswer::kPending);
}

TEST_CASE("who pays: what ran is charged, what never began is not") {
  const Json begun = {{"id", "a"}, {"started_at", "2026-01-01T00:00:01Z"}};
  auto with = [](Json json, const char* key, Json value) {
    json[key] = std::move(value);
    return json;
  };
  CHECK(Poll(with(begun, "status", "failed")).charged);
  CHECK(Poll(with(begun, "status", "canceled")).charged);
  CHECK_FALSE(Poll(with(begun, "status", "aborted")).charged);
  for (const Json& idle :
       {Json{{"id", "a"}}, Json{{"id", "a"}, {"started_at", nullptr}, {"metrics", {{"predict_time", 0}}}},
        Json{{"id", "a"}, {"started_at", ""}, {"metrics", nullptr}}}) {
    CHECK_FALSE(Poll(with(idle, "status", "failed")).charged);
    CHECK_FALSE(Poll(with(idle, "status", "canceled")).charged);
  }
  CHECK(Poll({{"id", "a"}, {"status", "failed"}, {"metrics", {{"predict_time", 0.4}}}}).charged);
}

TEST_CASE("null, empty and missing errors are no errors; missing fields are no crash") {
  for (const Json& error : {Json(nullptr), Json("")}) {
    PollAnswer answer = Poll({{"id", "a"},
                              {"status", "succeeded"},
                              {"error", error},
                              {"logs", nullptr},
                              {"metrics", nullptr},
                              {"output", {"https://replicate.delivery/x.png"}}});
    CHECK(answer.kind == PollAnswer::kSucceeded);
  }
  PollAnswer failed = Poll({{"id", "a"}, {"status", "failed"}, {"error", nullptr}});
  CHECK(failed.failure.message == "The prediction failed and gave no reason.");
  CHECK(Poll({{"id", "a"}, {"status", "failed"}, {"error", {{"detail", "an object"}}}})
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
    PollAnswer answer = Poll({{"id", "a"}, {"status", "failed"}, {"error", row.error}});
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable == row.retryable);
    CHECK(answer.failure.provider_code == row.code);
  }
}

TEST_CASE("messages hold no key, no signed query and no data URI") {
  PollAnswer answer = Poll({{"id", "a"},
                            {"status", "failed"},
                            {"error",
                             "cannot fetch https://h/x.png?X-Sig=abc123 with r8_secret_key from "
                             "data:image/png;base64,QUJD\x01 end"}});
  CHECK(answer.failure.message == "cannot fetch https://h/x.png?… with [key] from data:…  end");
  CHECK(Poll({{"id", "a"}, {"status", "failed"}, {"error", std::string(5000, 'x')}}).failure.message.size() <
        500);
}

TEST_CASE("outputs in every shape") {
  const std::string a = "https://replicate.delivery/a.png", b = "https://replicate.delivery/b.png";
  auto urls = [](const Json& output) {
    std::vector<std::string> list;
    for (const RemoteOutput& one : Poll({{"id", "p"}, {"status", "succeeded"}, {"output", output}}).outputs)
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
  PollAnswer answer = Poll({{"id", "p"},
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
    PollAnswer answer = Poll({{"id", "p"}, {"status", "succeeded"}, {"output", output}});
    CHECK(answer.kind == PollAnswer::kFailed);
    CHECK(answer.charged);
    CHECK(answer.failure.error_class == ErrorClass::kServer);
  }
  PollAnswer removed =
      Poll({{"id", "p"}, {"status", "succeeded"}, {"output", nullptr}, {"data_removed", true}});
  CHECK(removed.failure.error_class == ErrorClass::kExpired);
  CHECK(Poll({{"id", "p"}, {"status", "succeeded"}}).kind == PollAnswer::kFailed);
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
    Progress progress = Poll({{"id", "a"}, {"status", "processing"}, {"logs", row.logs}}).progress;
    REQUIRE(progress.fraction.has_value());
    CHECK(*progress.fraction == doctest::Approx(row.fraction));
    CHECK(progress.current == row.current);
    CHECK(progress.total == row.total);
  }
  for (const char* logs :
       {"", "45%", "45% | 9/20", "45%|| 9/20", "x45%|#| 9/20", "45%|#| 9-20", "-5%|#| 9/20",
        "99999999999999999999%|#| 1/2", "5%|#| 99999999999999999999/2", "5%|#| 1/"}) {
    CAPTURE(logs);
    CHECK_FALSE(Poll({{"id", "a"}, {"status", "processing"}, {"logs", logs}}).progress.fraction.has_value());
  }
  CHECK(Poll({{"id", "a"}, {"status", "processing"}, {"logs", std::string(300'000, '\n') + "5%|#| 1/20"}})
            .progress.current == 1);
  CHECK(Poll({{"id", "a"}, {"status", "processing"}, {"logs", "Using seed: 17454220438242315174\n"}}).seed ==
        17454220438242315174u);
  CHECK_FALSE(Poll({{"id", "a"}, {"status", "processing"}, {"logs", "Using seed: random"}}).seed.has_value());
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
    PollAnswer answer = New()->ParsePoll(response);
    CHECK(answer.kind == PollAnswer::kTransient);
    CHECK_FALSE(answer.failure.message.empty());
  }
  PollAnswer gone = New()->ParsePoll(
      Answer(404, R"({"detail":"The requested resource could not be found.","status":404})"));
  CHECK(gone.kind == PollAnswer::kFailed);
  CHECK(gone.failure.error_class == ErrorClass::kNotFound);
  CHECK(gone.charged);
}

TEST_CASE("a throttled poll says when to come back") {
  PollAnswer answer =
      New()->ParsePoll(Answer(429, R"({"detail":"Request was throttled. Your rate limit resets in ~30s."})"));
  CHECK(answer.kind == PollAnswer::kTransient);
  CHECK(answer.failure.error_class == ErrorClass::kRateLimited);
  CHECK(answer.failure.retry_after_ms == 30'000);
  CHECK(answer.next_poll_ms == 30'000);
}

TEST_CASE("polls and cancels go to the id, and the key to no other place") {
  RemoteHandle handle{
      .id = "abc", .status_url = "https://evil.example/steal", .cancel_url = "https://evil.example/steal"};
  HttpRequest poll = New()->BuildPoll(handle).value();
  CHECK(poll.url == "https://api.replicate.com/v1/predictions/abc");
  CHECK(poll.method == "GET");
  CHECK_FALSE(poll.once);
  CHECK(HeaderOf(poll, "authorization") == "Bearer r8_secret_key");
  HttpRequest cancel = New()->BuildCancel(handle).value();
  CHECK(cancel.url == "https://api.replicate.com/v1/predictions/abc/cancel");
  CHECK(cancel.method == "POST");
  for (const char* bad : {"", "../account", "a/b", "a?x", "a b", "a%2f", "\xc3\xa9"}) {
    CAPTURE(bad);
    CHECK(CodeOf(New()->BuildPoll({.id = bad}).status()) == Code::kInvalid);
    CHECK(CodeOf(New()->BuildCancel({.id = bad}).status()) == Code::kInvalid);
  }
}

// --- downloads ---

TEST_CASE("the key goes along only to the base URL's own origin") {
  auto output = [](const char* url, bool needs) {
    RemoteOutput one;
    one.url = url;
    one.needs_credentials = needs;
    return one;
  };
  HttpRequest delivery = New()->BuildDownload(output("https://replicate.delivery/x.png", false)).value();
  CHECK(delivery.headers.empty());
  CHECK(delivery.guard_address);
  CHECK(delivery.https_only);
  CHECK(delivery.max_redirects == 5);
  CHECK(New()->BuildDownload(output("https://replicate.delivery/x.png", true)).value().headers.empty());
  CHECK(
      New()->BuildDownload(output("https://api.replicate.com.evil.example/x", true)).value().headers.empty());
  CHECK(New()->BuildDownload(output("https://api.replicate.com:444/x", true)).value().headers.empty());
  CHECK(HeaderOf(New()->BuildDownload(output("https://api.replicate.com/v1/files/x", true)).value(),
                 "authorization") == "Bearer r8_secret_key");
  CHECK(CodeOf(New()->BuildDownload(output("", false)).status()) == Code::kInvalid);
  CHECK(Poll({{"id", "p"}, {"status", "succeeded"}, {"output", "https://api.replicate.com/v1/files/x"}})
            .outputs[0]
            .needs_credentials);
}

// --- reconciliation ---

Json Listed(const char* id, Json input, Json more = Json::object()) {
  Json prediction = {{"id", id},
                     {"status", "succeeded"},
                     {"model", "black-forest-labs/flux-schnell"},
                     {"input", std::move(input)}};
  prediction.update(more);
  return prediction;
}
ReconcileAnswer Reconcile(const Json& results, const Json& next = nullptr) {
  return New()->ParseReconcile(Answer(200, Json{{"next", next}, {"results", results}}.dump()), Part());
}
const Json kOurs = {{"prompt", "a red fox"}};

TEST_CASE("the list is asked for by the times of the attempt, and followed only at home") {
  HttpRequest first = New()->BuildReconcile(Part(), 1767225600000, 1767225660000, "").value();
  CHECK(first.url ==
        "https://api.replicate.com/v1/"
        "predictions?created_after=2026-01-01T00%3A00%3A00.000Z&created_before=2026-01-01T00%3A01%3A00.000Z");
  CHECK(HeaderOf(first, "authorization") == "Bearer r8_secret_key");
  CHECK(
      New()->BuildReconcile(Part(), 0, 0, "https://api.replicate.com/v1/predictions?cursor=x").value().url ==
      "https://api.replicate.com/v1/predictions?cursor=x");
  CHECK(CodeOf(New()->BuildReconcile(Part(), 0, 0, "https://evil.example/").status()) == Code::kForbidden);
}

TEST_CASE("a listed prediction is ours when its input is what we sent, key order and number types aside") {
  ReconcileAnswer answer = Reconcile({Listed("a", {{"prompt", "a blue fox"}}), Listed("b", kOurs),
                                      Listed("c", {{"prompt", "a red fox"}, {"seed", 1}})});
  CHECK(answer.kind == ReconcileAnswer::kFound);
  REQUIRE(answer.found.size() == 1);
  CHECK(answer.found[0].id == "b");
  CHECK(Reconcile(Json::array()).kind == ReconcileAnswer::kNone);
  CHECK(Reconcile({Listed("a", kOurs, {{"model", "other/model"}})}).kind == ReconcileAnswer::kNone);
  CHECK(Reconcile({Listed("a", kOurs), Listed("b", kOurs)}).found.size() == 2);
  CHECK(Reconcile({Listed("../x", kOurs), 7, nullptr}).kind == ReconcileAnswer::kNone);
}

TEST_CASE("a version is compared where one was asked for") {
  const PartRequest part = Part("o/n:" + kHex);
  auto find = [&](Json more) {
    Json prediction = {{"id", "a"}, {"input", kOurs}};
    prediction.update(more);
    return New()->ParseReconcile(Answer(200, Json{{"results", {prediction}}}.dump()), part).kind;
  };
  CHECK(find({{"version", kHex}, {"model", "o/n"}}) == ReconcileAnswer::kFound);
  CHECK(find({{"version", kHex}}) == ReconcileAnswer::kFound);
  CHECK(find({{"version", std::string(64, 'b')}}) == ReconcileAnswer::kNone);
  CHECK(find({{"version", kHex}, {"model", "o/m"}}) == ReconcileAnswer::kNone);
}

TEST_CASE("pages go on at the same origin, and nowhere else") {
  const char* next = "https://api.replicate.com/v1/predictions?cursor=2";
  ReconcileAnswer more = Reconcile({Listed("a", kOurs)}, next);
  CHECK(more.kind == ReconcileAnswer::kMore);
  CHECK(more.found.size() == 1);
  CHECK(more.next_url == next);
  CHECK(Reconcile(Json::array(), "https://evil.example/?cursor=2").kind == ReconcileAnswer::kTransient);
  ReconcileAnswer found = Reconcile({Listed("a", kOurs)}, "http://api.replicate.com/v1/predictions");
  CHECK(found.kind == ReconcileAnswer::kFound);
  CHECK(found.next_url.empty());
}

TEST_CASE("inputs that were deleted leave the matter open") {
  for (const Json& removed : {Listed("a", Json::object(), {{"data_removed", true}}), Listed("a", nullptr)}) {
    ReconcileAnswer answer = Reconcile({removed});
    CHECK(answer.kind == ReconcileAnswer::kTransient);
    CHECK(answer.failure.error_class == ErrorClass::kExpired);
    CHECK_FALSE(answer.failure.retryable);
  }
}

TEST_CASE("a list that cannot be read is asked for again") {
  for (const HttpResponse& response :
       {Answer(500, ""), Answer(429, R"({"detail":"Expected available in 1 second."})"), Answer(200, "x"),
        Answer(200, "[]"), Answer(200, R"({"results":7})"), Broken(200, "{}")}) {
    CAPTURE(response.body);
    ReconcileAnswer answer = New()->ParseReconcile(response, Part());
    CHECK(answer.kind == ReconcileAnswer::kTransient);
    CHECK(answer.failure.retryable);
  }
}

// --- configuration ---

TEST_CASE("a base URL is checked, and private networks are opt-in") {
  auto make = [](const char* url, bool private_ok) {
    ProviderConfig config = Config();
    config.base_url = url;
    config.allow_private_network = private_ok;
    return NewAdapter(config);
  };
  CHECK(CodeOf(make("http://127.0.0.1:1/v1", false).status()) == Code::kInvalid);
  CHECK(CodeOf(make("api.replicate.com", false).status()) == Code::kInvalid);
  CHECK(CodeOf(make("https://h/v1?x=1", false).status()) == Code::kInvalid);
  auto local = make("http://127.0.0.1:1/v1//", true);
  REQUIRE(local.ok());
  HttpRequest request = (*local)->BuildPoll({.id = "a"}).value();
  CHECK(request.url == "http://127.0.0.1:1/v1/predictions/a");
  CHECK_FALSE(request.guard_address);
  CHECK_FALSE(request.https_only);
}

}  // namespace
}  // namespace mediagen
