// What is sent to Replicate: paid requests, polls, cancels, downloads.
#include <doctest/doctest.h>

#include "provider/replicate_fixture.h"

namespace mediagen {
namespace {

using testing::HeaderOf;
using testing::NewReplicate;
using testing::PollOf;
using testing::RedFox;
using testing::ReplicateConfig;

const std::string kHex(64, 'a');

Json InputOf(const PartRequest& part) {
  return Json::parse(NewReplicate()->BuildSubmit(part, Id{}, "").value().body)["input"];
}

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
    StatusOr<HttpRequest> request = NewReplicate()->BuildSubmit(RedFox(row.model), Id{}, "");
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
    CHECK(CodeOf(NewReplicate()->BuildSubmit(RedFox(bad), Id{}, "").status()) == Code::kInvalid);
  }
}

TEST_CASE("the paid request is sent once, with key and idempotency key, never in sync mode") {
  const Id attempt = Id::Parse("01932c5e-0000-7000-8000-000000000001").value();
  HttpRequest request =
      NewReplicate()->BuildSubmit(RedFox(), attempt, "https://me.example/hook?attempt=1").value();
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
  CHECK_FALSE(
      Json::parse(NewReplicate()->BuildSubmit(RedFox(), attempt, "").value().body).contains("webhook"));
}

TEST_CASE("without a key nothing is built, and the error names the variable") {
  ProviderConfig config = ReplicateConfig();
  config.api_key = "";
  config.api_key_env = "MY_TOKEN";
  auto adapter = NewReplicate(config);
  const Status status = adapter->CheckReady();
  CHECK(CodeOf(status) == Code::kUnauthorized);
  CHECK(InfoOf(status).hint.find("MY_TOKEN") != std::string::npos);
  CHECK(CodeOf(adapter->BuildSubmit(RedFox(), Id{}, "").status()) == Code::kUnauthorized);
  CHECK(CodeOf(adapter->BuildPoll({.id = "abc"}).status()) == Code::kUnauthorized);
}

TEST_CASE("the input carries what was asked for, and nothing that was not") {
  CHECK(InputOf(RedFox()) == Json{{"prompt", "a red fox"}});
  PartRequest part = RedFox();
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
  CHECK(NewReplicate()->BuildSubmit(part, Id{}, "").value().body.find("17454220438242315174") !=
        std::string::npos);
  part.size = "10";
  CHECK(CodeOf(NewReplicate()->BuildSubmit(part, Id{}, "").status()) == Code::kInvalid);
}

TEST_CASE("options fill in the model's own inputs; what the request sets wins") {
  PartRequest part = RedFox();
  part.options = {{"go_fast", true}, {"prompt", "another"}, {"seed", 9}};
  CHECK(InputOf(part) == Json{{"prompt", "a red fox"}, {"go_fast", true}, {"seed", 9}});
  part.options = Json::array();
  CHECK(CodeOf(NewReplicate()->BuildSubmit(part, Id{}, "").status()) == Code::kInvalid);
}

TEST_CASE("references go under the names that the model knows") {
  const std::vector<Reference> one = {{.url = "https://h/1.png"}};
  const std::vector<Reference> two = {
      {.url = "https://h/1.png"}, {.bytes = BufferRef::Own(std::string(3, '\0')), .media_type = "image/png"}};
  auto input = [](const char* model, const std::vector<Reference>& references) {
    PartRequest part = RedFox(model);
    part.references = references;
    return InputOf(part);
  };
  CHECK(input("o/n", one)["image"] == "https://h/1.png");
  CHECK(input("black-forest-labs/flux-kontext-pro", one)["input_image"] == "https://h/1.png");
  CHECK(input("black-forest-labs/flux-2-pro", two)["input_image_2"] == "data:image/png;base64,AAAA");
  CHECK(input("google/nano-banana", two)["image_input"].size() == 2);
  PartRequest part = RedFox("o/n");
  part.references = two;
  CHECK(CodeOf(NewReplicate()->BuildSubmit(part, Id{}, "").status()) == Code::kUnsupported);
}

TEST_CASE("only models that are known to make several pictures are asked for several") {
  CHECK(NewReplicate()->CapabilitiesOf("black-forest-labs/flux-schnell").max_n_per_request == 4);
  CHECK(NewReplicate()->CapabilitiesOf("stability-ai/sdxl:" + kHex).max_n_per_request == 4);
  CHECK(NewReplicate()->CapabilitiesOf("black-forest-labs/flux-1.1-pro").max_n_per_request == 1);
  CHECK(NewReplicate()->CapabilitiesOf("stability-ai/stable-diffusion-3.5-large").max_n_per_request == 1);
  CHECK(NewReplicate()->CapabilitiesOf("").max_n_per_request == 1);
}

TEST_CASE("polls and cancels go to the id, and the key to no other place") {
  RemoteHandle handle{
      .id = "abc", .status_url = "https://evil.example/steal", .cancel_url = "https://evil.example/steal"};
  HttpRequest poll = NewReplicate()->BuildPoll(handle).value();
  CHECK(poll.url == "https://api.replicate.com/v1/predictions/abc");
  CHECK(poll.method == "GET");
  CHECK_FALSE(poll.once);
  CHECK(HeaderOf(poll, "authorization") == "Bearer r8_secret_key");
  HttpRequest cancel = NewReplicate()->BuildCancel(handle).value();
  CHECK(cancel.url == "https://api.replicate.com/v1/predictions/abc/cancel");
  CHECK(cancel.method == "POST");
  for (const char* bad : {"", "../account", "a/b", "a?x", "a b", "a%2f", "\xc3\xa9"}) {
    CAPTURE(bad);
    CHECK(CodeOf(NewReplicate()->BuildPoll({.id = bad}).status()) == Code::kInvalid);
    CHECK(CodeOf(NewReplicate()->BuildCancel({.id = bad}).status()) == Code::kInvalid);
  }
}

TEST_CASE("the key goes along only to the base URL's own origin") {
  auto output = [](const char* url, bool needs) {
    RemoteOutput one;
    one.url = url;
    one.needs_credentials = needs;
    return one;
  };
  HttpRequest delivery =
      NewReplicate()->BuildDownload(output("https://replicate.delivery/x.png", false)).value();
  CHECK(delivery.headers.empty());
  CHECK(delivery.guard_address);
  CHECK(delivery.https_only);
  CHECK(delivery.max_redirects == 5);
  CHECK(NewReplicate()
            ->BuildDownload(output("https://replicate.delivery/x.png", true))
            .value()
            .headers.empty());
  CHECK(NewReplicate()
            ->BuildDownload(output("https://api.replicate.com.evil.example/x", true))
            .value()
            .headers.empty());
  CHECK(
      NewReplicate()->BuildDownload(output("https://api.replicate.com:444/x", true)).value().headers.empty());
  CHECK(HeaderOf(NewReplicate()->BuildDownload(output("https://api.replicate.com/v1/files/x", true)).value(),
                 "authorization") == "Bearer r8_secret_key");
  CHECK(CodeOf(NewReplicate()->BuildDownload(output("", false)).status()) == Code::kInvalid);
  CHECK(PollOf({{"id", "p"}, {"status", "succeeded"}, {"output", "https://api.replicate.com/v1/files/x"}})
            .outputs[0]
            .needs_credentials);
}

TEST_CASE("a base URL is checked, and private networks are opt-in") {
  auto make = [](const char* url, bool private_ok) {
    ProviderConfig config = ReplicateConfig();
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
