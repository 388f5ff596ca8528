// What is sent to Gemini.
#include <doctest/doctest.h>

#include "provider/gemini_fixture.h"

namespace mediagen {
namespace {

using namespace testing::gemini;  // NOLINT(google-build-using-namespace)

TEST_CASE("Gemini: each family of models goes its own way, and everything else to generateContent") {
  struct Row {
    const char *model, *kind, *path;
  };
  const Row rows[] = {
      {"gemini-2.5-flash-image", "image", "/models/gemini-2.5-flash-image:generateContent"},
      {"models/gemini-2.5-flash-image", "image", "/models/gemini-2.5-flash-image:generateContent"},
      {"what-comes-next", "image", "/models/what-comes-next:generateContent"},
      {"veo-3.1-generate-preview", "video", "/models/veo-3.1-generate-preview:predictLongRunning"},
      {"models/veo-3.1", "video", "/models/veo-3.1:predictLongRunning"},
      {"gemini-omni-1.1-flash", "video", "/interactions"},
      {"gemini-omni-1.1-flash", "image", "/interactions"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.model);
    CHECK(Submit(Fox(row.model, row.kind)).value().url == kBase + row.path);
  }
  for (const char* bad : {"", "models/", "a/b", "models/models/a", "..", "a b", "a?key=x", "a:predict", "a#b",
                          "\xc3\xa9", "a\r\nX: 1", "tunedModels/x"}) {
    CAPTURE(bad);
    CHECK(CodeOfSubmit(Fox(bad, "image")) == Code::kInvalid);
  }
}

TEST_CASE("Gemini: the paid request is sent once, with the key in its own header and never in the URL") {
  const Id attempt = Id::Parse("01932c5e-0000-7000-8000-000000000001").value();
  for (const PartRequest& part : {FoxPicture(), FoxVideo(), FoxOmni()}) {
    CAPTURE(part.model);
    HttpRequest request =
        NewGemini()->BuildSubmit(part, attempt, "https://me.example/hook?attempt=1").value();
    CHECK(request.method == "POST");
    CHECK(request.once);
    CHECK(request.max_redirects == 0);
    CHECK(request.guard_address);
    CHECK(request.https_only);
    CHECK(Header(request, "x-goog-api-key") == kKey);
    CHECK(Header(request, "authorization").empty());
    CHECK(Header(request, "idempotency-key") == attempt.text());
    CHECK(Header(request, "content-type") == "application/json");
    CHECK(request.url.find(kKey) == std::string::npos);
    CHECK(request.body.find("me.example") == std::string::npos);  // no webhook of a request's own
  }
  CHECK_FALSE(NewGemini()->takes_webhook_url());
  CHECK(KeyNamesOf("gemini") == std::vector<std::string>{"GEMINI_API_KEY"});
  ProviderConfig config;
  config.name = "gemini";
  const Status missing = NewAdapter(config).value()->BuildSubmit(FoxPicture(), Id{}, "").status();
  CHECK(CodeOf(missing) == Code::kUnauthorized);
  CHECK(InfoOf(missing).hint.find("GEMINI_API_KEY") != std::string::npos);
}

TEST_CASE("Gemini: a picture's whole body") {
  CHECK(BodyOf(FoxPicture()) == Json::parse(R"({
    "contents": [{"role": "user", "parts": [{"text": "a red fox"}]}],
    "generationConfig": {"responseModalities": ["IMAGE"]}})"));
  PartRequest part = FoxPicture();
  part.seed = 17454220438242315174u;  // above 2^63
  part.aspect_ratio = "16:9";
  part.references = {Zeros(), Zeros()};
  part.options = {{"generationConfig", {{"imageConfig", {{"imageSize", "2K"}}}}},
                  {"safetySettings", Json::array({{{"category", "X"}, {"threshold", "Y"}}})}};
  CHECK(BodyOf(part) == Json::parse(R"({
    "contents": [{"role": "user", "parts": [{"text": "a red fox"},
      {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
      {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}],
    "generationConfig": {"responseModalities": ["IMAGE"], "seed": 17454220438242315174,
      "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}},
    "safetySettings": [{"category": "X", "threshold": "Y"}]})"));
  part = FoxPicture();
  part.prompt = "";
  part.references = {Zeros()};
  CHECK(BodyOf(part)["contents"][0]["parts"].size() == 1);
}

TEST_CASE("Gemini: a video's whole body, with its frames and the things to be seen in it") {
  CHECK(BodyOf(FoxVideo()) == Json::parse(R"({
    "instances": [{"prompt": "a red fox"}], "parameters": {"sampleCount": 1}})"));
  PartRequest part = FoxVideo();
  part.aspect_ratio = "9:16";
  part.negative_prompt = "snow";
  part.references = {Zeros("firstFrame"), Zeros("lastFrame"), Zeros(), Zeros()};
  part.options = {{"parameters", {{"durationSeconds", 8}, {"resolution", "720p"}}}};
  CHECK(BodyOf(part) == Json::parse(R"({
    "instances": [{"prompt": "a red fox",
      "image": {"bytesBase64Encoded": "AAAA", "mimeType": "image/png"},
      "lastFrame": {"bytesBase64Encoded": "AAAA", "mimeType": "image/png"},
      "referenceImages": [
        {"image": {"bytesBase64Encoded": "AAAA", "mimeType": "image/png"}, "referenceType": "asset"},
        {"image": {"bytesBase64Encoded": "AAAA", "mimeType": "image/png"}, "referenceType": "asset"}]}],
    "parameters": {"sampleCount": 1, "aspectRatio": "9:16", "negativePrompt": "snow",
      "durationSeconds": 8, "resolution": "720p"}})"));
  part.references = {Zeros("firstFrame"), Zeros("firstFrame")};
  CHECK(CodeOfSubmit(part) == Code::kInvalid);
}

TEST_CASE("Gemini: an interaction's whole body, kept and in the background") {
  CHECK(BodyOf(FoxOmni()) == Json::parse(R"({
    "model": "gemini-omni-1.1-flash", "input": "a red fox", "background": true, "store": true,
    "response_format": {"type": "video", "delivery": "uri"}})"));
  PartRequest part = FoxOmni("image");
  part.aspect_ratio = "16:9";
  part.references = {Zeros()};
  part.options = {{"response_format", {{"mime_type", "image/jpeg"}}},
                  {"generation_config", {{"video_config", {{"task", "image_to_video"}}}}}};
  CHECK(BodyOf(part) == Json::parse(R"({
    "model": "gemini-omni-1.1-flash", "background": true, "store": true,
    "input": [{"type": "text", "text": "a red fox"},
              {"type": "image", "mime_type": "image/png", "data": "AAAA"}],
    "response_format": {"type": "image", "delivery": "uri", "aspect_ratio": "16:9",
                        "mime_type": "image/jpeg"},
    "generation_config": {"video_config": {"task": "image_to_video"}}})"));
}

TEST_CASE("Gemini: polls and cancels go to what is named, and to nothing else") {
  auto adapter = NewGemini();
  HttpRequest poll = adapter
                         ->BuildPoll({.id = "models/veo-3.1/operations/abc-1",
                                      .status_url = "https://evil.example/steal",
                                      .result_url = "https://evil.example/steal"})
                         .value();
  CHECK(poll.method == "GET");
  CHECK(poll.url == kBase + "/models/veo-3.1/operations/abc-1");
  CHECK_FALSE(poll.once);
  CHECK(Header(poll, "x-goog-api-key") == kKey);
  CHECK(adapter->BuildPoll({.id = "v1_x"}).value().url == kBase + "/interactions/v1_x");
  CHECK(adapter->BuildPoll({.id = "v1_eA=="}).value().url == kBase + "/interactions/v1_eA%3D%3D");
  HttpRequest cancel = adapter->BuildCancel({.id = "v1_x"}).value();
  CHECK(cancel.method == "POST");
  CHECK(cancel.url == kBase + "/interactions/v1_x/cancel");
  CHECK(CodeOf(adapter->BuildCancel({.id = "models/veo/operations/a"}).status()) == Code::kUnsupported);
  for (const char* bad :
       {"", "..", "=", "a=b", "a/b", "models/veo", "models/veo/operations/", "models//operations/a",
        "models/../operations/a", "models/veo/operations/..", "models/veo/operations/a/b",
        "tunedModels/veo/operations/a", "models/veo/files/a", "models/veo/operations/a?key=1", "a b", "a%2f",
        "https://evil.example/", "//evil.example/a", "\xc3\xa9"}) {
    CAPTURE(bad);
    CHECK(CodeOf(adapter->BuildPoll({.id = bad}).status()) == Code::kInvalid);
    CHECK(CodeOf(adapter->BuildCancel({.id = bad}).status()) == Code::kInvalid);
  }
}

TEST_CASE("Gemini: a download carries the key to the API's own origin alone") {
  struct Row {
    const char* url;
    bool key;
  };
  for (const Row& row :
       {Row{"https://generativelanguage.googleapis.com/v1beta/files/x:download?alt=media", true},
        Row{"https://storage.googleapis.com/x.mp4?sig=1", false},
        Row{"https://generativelanguage.googleapis.com.evil.example/x", false},
        Row{"https://generativelanguage.googleapis.com:444/x", false},
        Row{"http://generativelanguage.googleapis.com/x", false}}) {
    CAPTURE(row.url);
    RemoteOutput output;
    output.url = row.url;
    output.needs_credentials = true;
    HttpRequest request = NewGemini()->BuildDownload(output).value();
    CHECK(Header(request, "x-goog-api-key") == (row.key ? kKey : ""));
    CHECK(request.url == row.url);
    CHECK(request.max_redirects == 5);
  }
}

}  // namespace
}  // namespace mediagen
