// What is sent to fal: paid requests, polls, results, cancels, downloads, and where the key goes.
#include <doctest/doctest.h>

#include "fmt/format.h"
#include "provider/fal_fixture.h"

namespace mediagen {
namespace {

using testing::fal::Config;
using testing::fal::HeaderOf;
using testing::fal::New;
using testing::fal::RedFox;

const std::string kBase = "https://queue.fal.run";

StatusOr<HttpRequest> Build(const PartRequest& part) { return New()->BuildSubmit(part, Id{}, ""); }

TEST_CASE("fal: a model's whole name is the submit's path; what names no model is refused") {
  for (const char* model :
       {"fal-ai/flux", "fal-ai/flux/dev", "fal-ai/flux-pro/v1.1-ultra",
        "fal-ai/kling-video/v2.1/master/text-to-video", "workflows/me/mine", "comfy/me/mine/x", "Me_2/app"}) {
    CAPTURE(model);
    StatusOr<HttpRequest> request = Build(RedFox(model));
    REQUIRE(request.ok());
    CHECK(request->url == fmt::format("{}/{}", kBase, model));
  }
  for (const std::string& bad :
       {std::string(""), std::string("flux"), std::string("fal-ai/"), std::string("/fal-ai/flux"),
        std::string("fal-ai//flux"), std::string("fal-ai/flux/"), std::string("fal-ai/../x"),
        std::string("fal-ai/flux?x=1"), std::string("fal-ai/flux#x"), std::string("fal-ai/fl ux"),
        std::string("fal-ai/flux\r\nX: 1"), std::string("workflows/me"), std::string("comfy/me"),
        std::string("fal-ai/flux/requests/abc/cancel"), std::string("fal-ai/flux/dev/stream"),
        std::string("https://evil.example/x"), std::string("a/b/c/d/e/f/g/h/i/j"),
        "fal-ai/" + std::string(400, 'x')}) {
    CAPTURE(bad);
    CHECK(CodeOf(Build(RedFox(bad)).status()) == Code::kInvalid);
  }
}

TEST_CASE("fal: the paid request is sent once, with key and idempotency key, and its webhook in the query") {
  const Id attempt = Id::Parse("01932c5e-0000-7000-8000-000000000001").value();
  HttpRequest request =
      New()->BuildSubmit(RedFox(), attempt, "https://me.example/hook?attempt=1&x=a b").value();
  CHECK(request.method == "POST");
  CHECK(request.once);
  CHECK(request.max_redirects == 0);
  CHECK(request.guard_address);
  CHECK(request.https_only);
  CHECK(request.url ==
        kBase + "/fal-ai/flux/dev?fal_webhook=https%3A%2F%2Fme.example%2Fhook%3Fattempt%3D1%26x%3Da%20b");
  CHECK(HeaderOf(request, "authorization") == "Key id:fal_secret_key");
  CHECK(HeaderOf(request, "idempotency-key") == attempt.text());
  CHECK(HeaderOf(request, "content-type") == "application/json");
  CHECK(Json::parse(request.body) == Json{{"prompt", "a red fox"}, {"num_images", 1}});
  CHECK(Build(RedFox()).value().url == kBase + "/fal-ai/flux/dev");
  CHECK(New()->takes_webhook_url());
}

TEST_CASE("fal: without a key nothing is built, and the error names the variable") {
  ProviderConfig config = Config();
  config.api_key = "";
  auto adapter = New(config);
  CHECK(InfoOf(adapter->CheckReady()).hint.find("FAL_KEY") != std::string::npos);
  CHECK(CodeOf(adapter->BuildSubmit(RedFox(), Id{}, "").status()) == Code::kUnauthorized);
  const RemoteHandle handle = adapter->HandleFor(RedFox(), "abc");
  CHECK(CodeOf(adapter->BuildPoll(handle).status()) == Code::kUnauthorized);
  CHECK(CodeOf(adapter->BuildResult(handle).status()) == Code::kUnauthorized);
  CHECK(CodeOf(adapter->BuildCancel(handle).status()) == Code::kUnauthorized);
  CHECK(KeyNamesOf("fal") == std::vector<std::string>{"FAL_KEY", "FAL_API_KEY"});
}

TEST_CASE("fal: a request is asked about at the URLs that fal gave, as long as they are of its origin") {
  const RemoteHandle handle{.id = "764c",
                            .status_url = kBase + "/elsewhere/requests/764c/status",
                            .result_url = kBase + "/elsewhere/requests/764c/response",
                            .cancel_url = kBase + "/elsewhere/requests/764c/stop"};
  HttpRequest poll = New()->BuildPoll(handle).value();
  CHECK(poll.method == "GET");
  CHECK_FALSE(poll.once);
  CHECK(poll.url == handle.status_url + "?logs=1");
  CHECK(HeaderOf(poll, "authorization") == "Key id:fal_secret_key");
  HttpRequest result = New()->BuildResult(handle).value();
  CHECK(result.method == "GET");
  CHECK(result.url == handle.result_url);
  HttpRequest cancel = New()->BuildCancel(handle).value();
  CHECK(cancel.method == "PUT");
  CHECK(cancel.url == handle.cancel_url);
  CHECK(cancel.body.empty());

  auto polled = [](std::string url) {
    return New()->BuildPoll({.id = "764c", .status_url = std::move(url)}).value().url;
  };
  CHECK(polled(kBase + "/a/b/requests/764c/status?x=1") == kBase + "/a/b/requests/764c/status?x=1&logs=1");
  CHECK(polled(kBase + "/a/b/requests/764c/status?logs=0") == kBase + "/a/b/requests/764c/status?logs=0");
  CHECK(polled(kBase + "/a/b/requests/764c/status#x") == kBase + "/a/b/requests/764c/status?logs=1");
}

TEST_CASE("fal: of URLs of another origin only the app is taken, and the key goes to no other place") {
  for (const char* url : {"https://evil.example/fal-ai/flux/requests/764c/status",
                          "https://queue.fal.run:444/fal-ai/flux/requests/764c",
                          "https://queue.fal.run.evil.example/x/y/fal-ai/flux/requests/764c/cancel?a=b",
                          "http://queue.fal.run/fal-ai/flux/requests/764c/status"}) {
    CAPTURE(url);
    for (const RemoteHandle& handle :
         {RemoteHandle{.id = "764c", .status_url = url}, RemoteHandle{.id = "764c", .result_url = url},
          RemoteHandle{.id = "764c", .cancel_url = url}}) {
      const std::string own = kBase + "/fal-ai/flux/requests/764c";
      CHECK(New()->BuildPoll(handle).value().url == own + "/status?logs=1");
      CHECK(New()->BuildResult(handle).value().url == own);
      CHECK(New()->BuildCancel(handle).value().url == own + "/cancel");
    }
  }
  CHECK(New()->BuildResult({.id = "a", .status_url = "https://h/workflows/me/mine/requests/a"}).value().url ==
        kBase + "/workflows/me/mine/requests/a");
  for (const char* url :
       {"", "nonsense", "https://evil.example/", "https://evil.example/steal",
        "https://evil.example/flux/requests/764c", "https://evil.example/a/../requests/764c",
        "https://evil.example/fal-ai/flux/requests/other/status",
        "https://evil.example/fal-ai/flux/requests"}) {
    CAPTURE(url);
    CHECK(CodeOf(New()->BuildPoll({.id = "764c", .status_url = url}).status()) == Code::kInvalid);
  }
}

TEST_CASE("fal: an id that may not stand in a path is asked nothing about") {
  for (const char* bad : {"", "../account", "a/b", "a?x", "a b", "a%2f", "\xc3\xa9", ".", ".."}) {
    CAPTURE(bad);
    const RemoteHandle handle{.id = bad, .status_url = kBase + "/a/b/requests/x/status"};
    CHECK(CodeOf(New()->BuildPoll(handle).status()) == Code::kInvalid);
    CHECK(CodeOf(New()->BuildResult(handle).status()) == Code::kInvalid);
    CHECK(CodeOf(New()->BuildCancel(handle).status()) == Code::kInvalid);
    CHECK(New()->HandleFor(RedFox(), bad).status_url.empty());
  }
}

TEST_CASE("fal: a request that a webhook named is found by its model's app, the path part dropped") {
  struct Row {
    const char *model, *app;
  };
  for (const Row& row :
       {Row{"fal-ai/flux/dev", "fal-ai/flux"}, Row{"fal-ai/flux", "fal-ai/flux"},
        Row{"fal-ai/kling-video/v2.1/master/text-to-video", "fal-ai/kling-video"},
        Row{"workflows/me/mine", "workflows/me/mine"}, Row{"comfy/me/mine/x", "comfy/me/mine"}}) {
    CAPTURE(row.model);
    const std::string own = fmt::format("{}/{}/requests/764c", kBase, row.app);
    const RemoteHandle handle = New()->HandleFor(RedFox(row.model), "764c");
    CHECK(handle.id == "764c");
    CHECK(New()->BuildPoll(handle).value().url == own + "/status?logs=1");
    CHECK(New()->BuildResult(handle).value().url == own);
    CHECK(New()->BuildCancel(handle).value().url == own + "/cancel");
  }
}

TEST_CASE("fal: downloads from fal's media hosts carry no key") {
  auto headers = [](const char* url, bool needs) {
    RemoteOutput output;
    output.url = url;
    output.needs_credentials = needs;
    return New()->BuildDownload(output).value().headers;
  };
  CHECK(headers("https://v3.fal.media/files/x/y.jpeg", false).empty());
  CHECK(headers("https://v3.fal.media/files/x/y.jpeg", true).empty());
  CHECK(headers("https://queue.fal.run:444/x", true).empty());
  CHECK(headers("https://queue.fal.run/x", true).size() == 1);
}

TEST_CASE("fal: a base URL of one's own moves everything, its path included") {
  ProviderConfig config = Config();
  config.base_url = "http://127.0.0.1:1/fal//";
  CHECK(CodeOf(NewAdapter(config).status()) == Code::kInvalid);
  config.allow_private_network = true;
  auto adapter = New(config);
  CHECK(adapter->BuildSubmit(RedFox(), Id{}, "").value().url == "http://127.0.0.1:1/fal/fal-ai/flux/dev");
  const RemoteHandle handle = adapter->HandleFor(RedFox(), "a");
  CHECK(handle.result_url == "http://127.0.0.1:1/fal/fal-ai/flux/requests/a");
  CHECK_FALSE(adapter->BuildPoll(handle).value().guard_address);
}

}  // namespace
}  // namespace mediagen
