// What is sent to OpenRouter around its documents: headers, polls, downloads; and what models take.
#include <doctest/doctest.h>

#include "provider/openrouter_fixture.h"

namespace mediagen {
namespace {

using testing::Fox;
using testing::FoxVideo;
using testing::HeadersOf;
using testing::NewOpenRouter;
using testing::OpenRouterConfig;

const std::string kBase = "https://openrouter.ai/api/v1";

TEST_CASE("the paid request is sent once, with the key, the idempotency key and the application's name") {
  const Id attempt = Id::Parse("01932c5e-0000-7000-8000-000000000001").value();
  HttpRequest plain = NewOpenRouter()->BuildSubmit(Fox(), attempt, "").value();
  CHECK(plain.method == "POST");
  CHECK(plain.once);
  CHECK(plain.max_redirects == 0);
  CHECK(plain.guard_address);
  CHECK(plain.https_only);
  CHECK(HeadersOf(plain, "authorization") == "Bearer sk-or-secret-key");
  CHECK(HeadersOf(plain, "idempotency-key") == attempt.text());
  CHECK(HeadersOf(plain, "content-type") == "application/json");
  CHECK(HeadersOf(plain, "http-referer").empty());
  CHECK(HeadersOf(plain, "x-openrouter-title").empty());
  CHECK(plain.max_body_bytes >= 90u << 20);  // ten pictures in base64

  ProviderConfig config = OpenRouterConfig();
  config.app_url = "https://my.example";
  config.app_title = "My Title";
  for (const PartRequest& part : {Fox(), FoxVideo()}) {
    HttpRequest named = NewOpenRouter(config)->BuildSubmit(part, attempt, "").value();
    CHECK(HeadersOf(named, "http-referer") == "https://my.example");
    CHECK(HeadersOf(named, "x-openrouter-title") == "My Title");
  }
  for (const char* bad : {"a\r\nX-Evil: 1", "a\n", "\x7f"}) {
    CAPTURE(bad);
    config.app_title = bad;
    CHECK(CodeOf(NewAdapter(config).status()) == Code::kInvalid);
    config.app_title = "";
    config.app_url = bad;
    CHECK(CodeOf(NewAdapter(config).status()) == Code::kInvalid);
    config.app_url = "";
  }
}

TEST_CASE("without a key nothing is built, and the error names the variable") {
  ProviderConfig config = OpenRouterConfig();
  config.api_key = "";
  auto adapter = NewOpenRouter(config);
  CHECK(InfoOf(adapter->CheckReady()).hint.find("OPENROUTER_API_KEY") != std::string::npos);
  CHECK(CodeOf(adapter->BuildSubmit(Fox(), Id{}, "").status()) == Code::kUnauthorized);
  CHECK(CodeOf(adapter->BuildPoll({.id = "job"}).status()) == Code::kUnauthorized);
  CHECK(KeyNamesOf("openrouter") == std::vector<std::string>{"OPENROUTER_API_KEY"});
}

TEST_CASE(
    "families of models take what they are known to take, and an unknown one is asked for one at a time") {
  struct Row {
    const char* model;
    std::vector<std::string> kinds;
    int n;
    bool size;
  };
  const std::vector<std::string> both = {"image", "video"}, image = {"image"}, video = {"video"};
  const std::vector<std::string> frames = {"firstFrame", "lastFrame"};
  for (const Row& row :
       {Row{"openai/gpt-image-1", image, 10, true}, Row{"openai/gpt-image-1-mini", image, 10, true},
        Row{"google/gemini-2.5-flash-image", image, 1, true},
        Row{"black-forest-labs/flux.2-pro", image, 1, true}, Row{"google/veo-3.1", video, 1, false},
        Row{"openai/sora-2-pro", video, 1, false}, Row{"bytedance/seedance-2.0", video, 1, false},
        Row{"some/new-model", both, 1, true}, Row{"", both, 1, true}}) {
    CAPTURE(row.model);
    const Capabilities can = NewOpenRouter()->CapabilitiesOf(row.model);
    CHECK(can.kinds == row.kinds);
    CHECK(can.max_n_per_request == row.n);
    CHECK(can.size == row.size);
    CHECK(can.references);
    CHECK(can.max_references == 16);
    CHECK(can.seed);
    CHECK(can.aspect_ratio);
    CHECK_FALSE(can.negative_prompt);
    CHECK_FALSE(can.reference_bytes);
    CHECK(can.models.empty());
    CHECK(can.reference_roles == (row.kinds == image ? std::vector<std::string>{} : frames));
  }
  const Capabilities can = NewOpenRouter()->CapabilitiesOf("openai/gpt-image-1");
  PartRequest part = Fox();
  part.references.assign(16, Reference{.url = "https://h/1.png"});
  CHECK(CheckRequest("openrouter", can, part, 10).ok());
  part.references.push_back(Reference{.url = "https://h/1.png"});
  CHECK(CodeOf(CheckRequest("openrouter", can, part, 1)) == Code::kUnsupported);
}

TEST_CASE("polls go to the id at the configured origin, and the key to no other place") {
  auto adapter = NewOpenRouter();
  HttpRequest poll =
      adapter->BuildPoll({.id = "job-abc", .status_url = "https://evil.example/steal"}).value();
  CHECK(poll.url == kBase + "/videos/job-abc");
  CHECK(poll.method == "GET");
  CHECK_FALSE(poll.once);
  CHECK(HeadersOf(poll, "authorization") == "Bearer sk-or-secret-key");
  // An id that cannot stand in a path leaves the polling URL, when that is OpenRouter's own.
  CHECK(adapter->BuildPoll({.id = "a/b", .status_url = kBase + "/videos/a%2Fb"}).value().url ==
        kBase + "/videos/a%2Fb");
  for (const char* url : {"", "https://evil.example/api/v1/videos/a", "http://openrouter.ai/api/v1/videos/a",
                          "https://openrouter.ai:444/videos/a", "/videos/a"}) {
    CAPTURE(url);
    for (const char* id : {"", "../key", "a/b", "a?x", "a b", "a%2f"})
      CHECK(CodeOf(adapter->BuildPoll({.id = id, .status_url = url}).status()) == Code::kInvalid);
  }
  CHECK(CodeOf(adapter->BuildCancel({.id = "job-abc"}).status()) == Code::kUnsupported);
  CHECK_FALSE(adapter->reconcilable());
  CHECK(adapter->billed());
}

TEST_CASE("content is downloaded with the key from the own origin alone") {
  struct Row {
    const char* url;
    bool needs, with_key;
  };
  for (const Row& row :
       {Row{"https://openrouter.ai/api/v1/videos/j/content?index=0", true, true},
        Row{"https://openrouter.ai/api/v1/videos/j/content?index=0", false, false},
        Row{"https://storage.example/v.mp4?sig=1", false, false},
        Row{"https://openrouter.ai.evil.example/v", true, false},
        Row{"https://openrouter.ai:444/v", true, false}, Row{"http://openrouter.ai/v", true, false}}) {
    CAPTURE(row.url);
    RemoteOutput output;
    output.url = row.url;
    output.needs_credentials = row.needs;
    HttpRequest request = NewOpenRouter()->BuildDownload(output).value();
    CHECK(request.guard_address);
    CHECK(request.https_only);
    CHECK(HeadersOf(request, "authorization") == (row.with_key ? "Bearer sk-or-secret-key" : ""));
  }
}

TEST_CASE("a base URL of one's own is used for everything, and plain http is opt-in") {
  ProviderConfig config = OpenRouterConfig();
  config.base_url = "http://127.0.0.1:1/openrouter/api/v1/";
  CHECK(CodeOf(NewAdapter(config).status()) == Code::kInvalid);
  config.allow_private_network = true;
  auto adapter = NewOpenRouter(config);
  CHECK(adapter->BuildSubmit(Fox(), Id{}, "").value().url == "http://127.0.0.1:1/openrouter/api/v1/images");
  CHECK(adapter->BuildPoll({.id = "a"}).value().url == "http://127.0.0.1:1/openrouter/api/v1/videos/a");
}

}  // namespace
}  // namespace mediagen
