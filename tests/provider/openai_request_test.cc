// What is sent to OpenAI and to servers like it: paid requests, polls, deletions, downloads.
#include <doctest/doctest.h>

#include "provider/openai_fixture.h"

namespace mediagen {
namespace {

using testing::Fox;
using testing::FoxVideo;
using testing::HeaderOf;
using testing::LocalConfig;
using testing::NewOpenAi;
using testing::OpenAiConfig;
using testing::Picture;

Json BodyOf(const PartRequest& part, ProviderConfig config = OpenAiConfig()) {
  StatusOr<HttpRequest> request = NewOpenAi(std::move(config))->BuildSubmit(part, Id{}, "");
  REQUIRE_MESSAGE(request.ok(), InfoOf(request.status()).message);
  return Json::parse(request->body);
}

Code RefusalOf(const PartRequest& part, ProviderConfig config = OpenAiConfig()) {
  const Status status = NewOpenAi(std::move(config))->BuildSubmit(part, Id{}, "").status();
  if (!status.ok()) CHECK_FALSE(InfoOf(status).message.empty());
  return CodeOf(status);
}

TEST_CASE("pictures go as JSON to /images/generations, once, with key and idempotency key") {
  const Id attempt = Id::Parse("01932c5e-0000-7000-8000-000000000001").value();
  HttpRequest request = NewOpenAi()->BuildSubmit(Fox(), attempt, "https://me.example/hook").value();
  CHECK(request.method == "POST");
  CHECK(request.url == "https://api.openai.com/v1/images/generations");
  CHECK(request.once);
  CHECK(request.max_redirects == 0);
  CHECK(request.guard_address);
  CHECK(request.https_only);
  CHECK(request.stall_timeout_ms == request.timeout_ms);  // the answer is silent until the picture is made
  CHECK(HeaderOf(request, "authorization") == "Bearer sk-secret-key");
  CHECK(HeaderOf(request, "idempotency-key") == attempt.text());
  CHECK(HeaderOf(request, "content-type") == "application/json");
  CHECK(Json::parse(request.body) == Json{{"model", "gpt-image-1"}, {"prompt", "a red fox"}, {"n", 1}});
  CHECK_FALSE(NewOpenAi()->takes_webhook_url());  // webhooks are registered in OpenAI's own console
}

TEST_CASE("each model is sent the fields that it takes") {
  struct Row {
    const char* model;
    Json extra;
  };
  for (const Row& row :
       {Row{"gpt-image-1", Json::object()}, Row{"gpt-image-1-mini", Json::object()},
        Row{"gpt-image-2", Json::object()}, Row{"chatgpt-image-latest", Json::object()},
        Row{"dall-e-2", {{"response_format", "b64_json"}}},
        Row{"dall-e-3", {{"response_format", "b64_json"}}}, Row{"some-new-model", Json::object()}}) {
    CAPTURE(row.model);
    Json expected = {{"model", row.model}, {"prompt", "a red fox"}, {"n", 1}};
    expected.update(row.extra);
    CHECK(BodyOf(Fox(row.model)) == expected);
  }
  PartRequest part = Fox("gpt-image-1");
  part.n = 4;
  part.size = "1536x1024";
  part.options = {
      {"quality", "high"}, {"background", "opaque"}, {"output_format", "webp"}, {"output_compression", 80}};
  CHECK(BodyOf(part) == Json{{"model", "gpt-image-1"},
                             {"prompt", "a red fox"},
                             {"n", 4},
                             {"size", "1536x1024"},
                             {"quality", "high"},
                             {"background", "opaque"},
                             {"output_format", "webp"},
                             {"output_compression", 80}});
}

TEST_CASE("what a request says wins over its options, and no option orders more than was counted") {
  PartRequest part = Fox();
  part.size = "1024x1024";
  part.options = {{"model", "dall-e-3"}, {"prompt", "other"}, {"n", 10},
                  {"size", "1536x1024"}, {"stream", false},   {"partial_images", 0}};
  CHECK(BodyOf(part) ==
        Json{{"model", "gpt-image-1"}, {"prompt", "a red fox"}, {"n", 1}, {"size", "1024x1024"}});
  part.options = nullptr;
  CHECK(BodyOf(part).size() == 4);
}

TEST_CASE("options that make the wire unsafe, or that the model refuses, are refused before they cost") {
  const Json options[] = {
      {{"stream", true}},       {{"stream", "true"}},    {{"stream", 1}},
      {{"stream", {true}}},     {{"partial_images", 2}}, {{"response_format", "b64_json"}},
      {{"response_format", 7}}, Json::array(),           Json("text")};
  for (const Json& given : options) {
    CAPTURE(given.dump());
    PartRequest part = Fox();
    part.options = given;
    CHECK(RefusalOf(part) == Code::kInvalid);
  }
  PartRequest part = Fox("dall-e-3");
  part.options = {{"response_format", "url"}};
  CHECK(BodyOf(part)["response_format"] == "url");
  part.options = {{"response_format", "stream"}};
  CHECK(RefusalOf(part) == Code::kInvalid);
}

TEST_CASE(
    "OpenAI takes no seed, no negative prompt and no aspect ratio; a server of one's own takes two of them") {
  PartRequest seed = Fox("m"), negative = Fox("m"), ratio = Fox("m");
  seed.seed = 17454220438242315174u;
  negative.negative_prompt = "snow";
  ratio.aspect_ratio = "16:9";
  for (const PartRequest& part : {seed, negative, ratio}) CHECK(RefusalOf(part) == Code::kUnsupported);
  CHECK(RefusalOf(ratio, LocalConfig()) == Code::kUnsupported);
  CHECK(BodyOf(seed, LocalConfig()) ==
        Json{{"model", "m"}, {"prompt", "a red fox"}, {"n", 1}, {"seed", 17454220438242315174u}});
  CHECK(BodyOf(negative, LocalConfig())["negative_prompt"] == "snow");
  // The same wire at OpenAI's own address, spelt out.
  ProviderConfig spelt = OpenAiConfig();
  spelt.base_url = "https://API.openai.com:443/v1/";
  CHECK(RefusalOf(seed, spelt) == Code::kUnsupported);
  spelt.base_url = "https://api.openai.com.example/v1";
  CHECK(BodyOf(seed, spelt).contains("seed"));
}

TEST_CASE("options of a local server are passed on, response_format of any model included") {
  PartRequest part = Fox("gpt-image-1");  // local servers give their models such names
  part.size = "640x480";
  part.options = {{"num_inference_steps", 8}, {"mode", "fast"}, {"response_format", "url"}};
  CHECK(BodyOf(part, LocalConfig()) == Json{{"model", "gpt-image-1"},
                                            {"prompt", "a red fox"},
                                            {"n", 1},
                                            {"size", "640x480"},
                                            {"num_inference_steps", 8},
                                            {"mode", "fast"},
                                            {"response_format", "url"}});
}

TEST_CASE("sizes that a model does not make are refused, with those that it makes") {
  struct Row {
    const char *model, *size;
    bool taken;
  };
  for (const Row& row : {Row{"gpt-image-1", "1024x1536", true}, Row{"gpt-image-1", "512x512", false},
                         Row{"gpt-image-2", "2048x1152", true}, Row{"gpt-image-2", "1000x1000", false},
                         Row{"dall-e-3", "1792x1024", true}, Row{"dall-e-3", "512x512", false},
                         Row{"dall-e-2", "256x256", true}, Row{"dall-e-2", "24x1024", false},
                         Row{"unknown", "99x1", true}, Row{"unknown", "99", false}}) {
    CAPTURE(row.model);
    CAPTURE(row.size);
    PartRequest part = Fox(row.model);
    part.size = row.size;
    CHECK(RefusalOf(part) == (row.taken ? Code::kOk : Code::kInvalid));
  }
}

TEST_CASE("what each model can do") {
  struct Row {
    const char* model;
    std::vector<std::string> kinds;
    int n, references;
    std::vector<std::string> roles;
  };
  const Row rows[] = {
      {"gpt-image-1", {"image"}, 10, 17, {"mask"}},
      {"gpt-image-1.5", {"image"}, 10, 17, {"mask"}},
      {"openai/gpt-image-1", {"image"}, 10, 17, {"mask"}},
      {"gpt-image-2", {"image"}, 2, 17, {"mask"}},
      {"gpt-image-9", {"image"}, 1, 17, {"mask"}},
      {"dall-e-2", {"image"}, 10, 2, {"mask"}},
      {"dall-e-3", {"image"}, 1, 0, {"mask"}},
      {"sora-2-pro", {"video"}, 1, 1, {"firstFrame"}},
      {"anything", {"image", "video"}, 1, 17, {"mask", "firstFrame"}},
      {"", {"image", "video"}, 1, 17, {"mask", "firstFrame"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.model);
    for (bool own : {true, false}) {
      const Capabilities can = NewOpenAi(own ? OpenAiConfig() : LocalConfig())->CapabilitiesOf(row.model);
      CHECK(can.kinds == row.kinds);
      CHECK(can.max_n_per_request == row.n);
      CHECK(can.references == (row.references > 0));
      if (can.references) CHECK(can.max_references == row.references);
      CHECK(can.reference_roles == row.roles);
      CHECK(can.reference_bytes);
      CHECK(can.seed == !own);
      CHECK(can.negative_prompt == !own);
      CHECK(can.size);
      CHECK_FALSE(can.aspect_ratio);
    }
  }
  PartRequest many = Fox("dall-e-3");
  many.n = 2;
  CHECK(RefusalOf(many) == Code::kInvalid);
  CHECK(RefusalOf(FoxVideo("gpt-image-1")) == Code::kUnsupported);
  CHECK(RefusalOf(Fox("sora-2")) == Code::kUnsupported);
}

TEST_CASE("OpenAI needs a key, whose variable the error names; a server of one's own does not") {
  ProviderConfig config = OpenAiConfig();
  config.api_key = "";
  auto adapter = NewOpenAi(config);
  CHECK(CodeOf(adapter->CheckReady()) == Code::kUnauthorized);
  CHECK(InfoOf(adapter->CheckReady()).hint.find("OPENAI_API_KEY") != std::string::npos);
  CHECK(CodeOf(adapter->BuildSubmit(Fox(), Id{}, "").status()) == Code::kUnauthorized);
  CHECK(CodeOf(adapter->BuildPoll({.id = "video_1"}).status()) == Code::kUnauthorized);
  CHECK(KeyNamesOf("openai") == std::vector<std::string>{"OPENAI_API_KEY"});

  HttpRequest request = NewOpenAi(LocalConfig())->BuildSubmit(Fox(), Id{}, "").value();
  CHECK(request.url == "http://127.0.0.1:8080/v1/images/generations");
  CHECK(HeaderOf(request, "authorization").empty());
  CHECK_FALSE(request.guard_address);
  ProviderConfig with_key = LocalConfig();
  with_key.api_key = "local-key";
  CHECK(HeaderOf(NewOpenAi(with_key)->BuildSubmit(Fox(), Id{}, "").value(), "authorization") ==
        "Bearer local-key");
  ProviderConfig plain = LocalConfig();
  plain.allow_private_network = false;
  CHECK(CodeOf(NewAdapter(plain).status()) == Code::kInvalid);  // http has to be opted in
}

TEST_CASE("polls and deletions go to the id, and the key to no other place") {
  const RemoteHandle handle{
      .id = "video_1", .status_url = "https://evil.example/", .cancel_url = "https://evil.example/"};
  HttpRequest poll = NewOpenAi()->BuildPoll(handle).value();
  CHECK(poll.method == "GET");
  CHECK(poll.url == "https://api.openai.com/v1/videos/video_1");
  CHECK(HeaderOf(poll, "authorization") == "Bearer sk-secret-key");
  HttpRequest cancel = NewOpenAi()->BuildCancel(handle).value();
  CHECK(cancel.method == "DELETE");
  CHECK(cancel.url == "https://api.openai.com/v1/videos/video_1");
  for (const char* bad : {"", "..", "../account", "a/b", "a?x", "a b", "a%2f", "\xc3\xa9"}) {
    CAPTURE(bad);
    CHECK(CodeOf(NewOpenAi()->BuildPoll({.id = bad}).status()) == Code::kInvalid);
    CHECK(CodeOf(NewOpenAi()->BuildCancel({.id = bad}).status()) == Code::kInvalid);
  }
  RemoteOutput output;
  output.needs_credentials = true;
  for (const char* url : {"https://evil.example/x", "https://api.openai.com.evil.example/x",
                          "https://api.openai.com:444/x", "http://api.openai.com/x"}) {
    CAPTURE(url);
    output.url = url;
    CHECK(NewOpenAi()->BuildDownload(output).value().headers.empty());
  }
  output.url = "https://api.openai.com/v1/videos/video_1/content";
  CHECK(HeaderOf(NewOpenAi()->BuildDownload(output).value(), "authorization") == "Bearer sk-secret-key");
}

}  // namespace
}  // namespace mediagen
