// What Gemini does not take, and what "options" may add.
#include <doctest/doctest.h>

#include "provider/gemini_fixture.h"

namespace mediagen {
namespace {

using namespace testing::gemini;  // NOLINT(google-build-using-namespace)

TEST_CASE("Gemini: what the models do not take is refused before anything is paid") {
  struct Row {
    PartRequest part;
    Code code;
    void (*change)(PartRequest&);
  };
  PartRequest picture = FoxPicture(), video = FoxVideo(), omni = FoxOmni();
  const Row rows[] = {
      {picture, Code::kUnsupported, [](PartRequest& p) { p.kind = "video"; }},
      {video, Code::kUnsupported, [](PartRequest& p) { p.kind = "image"; }},
      {omni, Code::kUnsupported, [](PartRequest& p) { p.kind = "audio"; }},
      {picture, Code::kUnsupported, [](PartRequest& p) { p.negative_prompt = "snow"; }},
      {omni, Code::kUnsupported, [](PartRequest& p) { p.negative_prompt = "snow"; }},
      {video, Code::kUnsupported, [](PartRequest& p) { p.seed = 7; }},
      {omni, Code::kUnsupported, [](PartRequest& p) { p.seed = 7; }},
      {picture, Code::kUnsupported, [](PartRequest& p) { p.size = "1024x768"; }},
      {video, Code::kUnsupported, [](PartRequest& p) { p.size = "1280x720"; }},
      {picture, Code::kInvalid, [](PartRequest& p) { p.aspect_ratio = "wide"; }},
      {picture, Code::kInvalid, [](PartRequest& p) { p.n = 2; }},
      {picture, Code::kInvalid, [](PartRequest& p) { p.prompt = ""; }},
      {picture, Code::kUnsupported, [](PartRequest& p) { p.references = {Zeros("mask")}; }},
      {omni, Code::kUnsupported, [](PartRequest& p) { p.references = {Zeros("firstFrame")}; }},
      {picture, Code::kUnsupported, [](PartRequest& p) { p.references = {{.url = "https://h/1.png"}}; }},
      {video, Code::kUnsupported,
       [](PartRequest& p) { p.references = {{.bytes = BufferRef::Own("x"), .media_type = ""}}; }},
      {picture, Code::kTooLarge,
       [](PartRequest& p) {
         Reference large = Zeros();
         large.bytes = BufferRef::Own(std::string(8'000'000, 'x'));
         p.references = std::vector<Reference>(10, large);
       }},
  };
  for (const Row& row : rows) {
    PartRequest part = row.part;
    row.change(part);
    CAPTURE(&row - rows);
    CHECK(CodeOfSubmit(part) == row.code);
  }
  CHECK(NewGemini()->CapabilitiesOf(kImageModel).reference_bytes);
  CHECK(NewGemini()->CapabilitiesOf(kImageModel).max_n_per_request == 1);
  CHECK(NewGemini()->CapabilitiesOf("").kinds == std::vector<std::string>{"image"});
  CHECK(NewGemini()->CapabilitiesOf(kVeo).kinds == std::vector<std::string>{"video"});
}

TEST_CASE("Gemini: options fill in, what the request sets wins, in either spelling of a name") {
  PartRequest part = FoxPicture();
  part.seed = 7;
  part.options = {{"generation_config", {{"seed", 9}, {"temperature", 1}}},
                  {"cachedContent", "c"},
                  {"generationConfig", {{"topP", 0.5}}}};
  Json body = BodyOf(part);
  CHECK(body["generationConfig"] ==
        Json{{"seed", 7}, {"temperature", 1}, {"topP", 0.5}, {"responseModalities", {"IMAGE"}}});
  CHECK_FALSE(body.contains("generation_config"));
  CHECK(body["cachedContent"] == "c");
  part.options = {{"generationConfig", 7}};
  CHECK(BodyOf(part)["generationConfig"]["seed"] == 7);
  part.options = {{"generationConfig", {{"responseModalities", {"TEXT", "IMAGE"}}}}};
  CHECK(BodyOf(part)["generationConfig"]["responseModalities"] == Json{"TEXT", "IMAGE"});
  part.options = nullptr;
  CHECK(Submit(part).ok());
  PartRequest video = FoxVideo();
  video.options = {{"parameters", {{"seed", 7}}}};  // not offered, but not kept from the wire
  CHECK(BodyOf(video)["parameters"]["seed"] == 7);
}

TEST_CASE("Gemini: options cannot change how an answer comes or how much is paid, and the error says why") {
  struct Row {
    PartRequest part;
    const char *options, *says;
  };
  const Row rows[] = {
      {FoxPicture(), "[]", "not an object"},
      {FoxPicture(), R"({"stream": true})", "one document"},
      {FoxVideo(), R"({"stream": false})", "one document"},
      {FoxPicture(), R"({"model": "other"})", "itself"},
      {FoxPicture(), R"({"contents": []})", "itself"},
      {FoxPicture(), R"({"generationConfig": {"candidateCount": 4}})", "\"n\""},
      {FoxPicture(), R"({"generation_config": {"candidate_count": 4}})", "\"n\""},
      {FoxPicture(), R"({"generationConfig": {"responseModalities": ["TEXT"]}})", "IMAGE"},
      {FoxPicture(), R"({"generationConfig": {"response_modalities": "IMAGE"}})", "IMAGE"},
      {FoxVideo(), R"({"instances": [{}, {}]})", "itself"},
      {FoxVideo(), R"({"parameters": {"sampleCount": 4}})", "\"n\""},
      {FoxVideo(), R"({"parameters": {"sample_count": 4}})", "\"n\""},
      {FoxVideo(), R"({"webhookConfig": {"uris": ["https://h/"]}})", "arrives"},
      {FoxOmni(), R"({"webhook_config": {"uris": ["https://h/"]}})", "arrives"},
      {FoxOmni(), R"({"input": "another"})", "itself"},
      {FoxOmni(), R"({"agent": "deep"})", "model"},
      {FoxOmni(), R"({"background": false})", "one document"},
      {FoxOmni(), R"({"store": false})", "one document"},
      {FoxOmni(), R"({"response_format": {"delivery": "inline"}})", "one document"},
      {FoxOmni(), R"({"responseFormat": {"type": "audio"}})", "kind"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.options);
    PartRequest part = row.part;
    part.options = Json::parse(row.options);
    const Status status = Submit(part).status();
    CHECK(CodeOf(status) == Code::kInvalid);
    CHECK(InfoOf(status).message.find(row.says) != std::string::npos);
  }
}

}  // namespace
}  // namespace mediagen
