// The documents of paid requests to OpenRouter, and what is refused before one is made.
#include <doctest/doctest.h>

#include "provider/openrouter_fixture.h"

namespace mediagen {
namespace {

using testing::Fox;
using testing::FoxVideo;
using testing::NewOpenRouter;

const std::string kBase = "https://openrouter.ai/api/v1";
const std::string kHook = "https://me.example/hook?attempt=1";
// 17454220438242315174 is above 2^63: no double holds it.
constexpr uint64_t kBigSeed = 17454220438242315174u;

Json Url(const char* url) { return {{"type", "image_url"}, {"image_url", {{"url", url}}}}; }
Json Frame(const char* url, const char* type) {
  Json item = Url(url);
  item["frame_type"] = type;
  return item;
}
Reference Bytes(const char* role = "") {
  return {.bytes = BufferRef::Own(std::string(3, '\0')), .media_type = "image/png", .role = role};
}

struct SentRow {
  const char* what;
  PartRequest part;
  const char* path;
  Json body;
};

template <typename Change>
PartRequest With(PartRequest part, Change change) {
  change(part);
  return part;
}

std::vector<SentRow> ImageRows() {
  return {
      {"the least", Fox(), "/images", {{"model", "openai/gpt-image-1"}, {"prompt", "a fox"}}},
      {"all that a picture may have",
       With(Fox(),
            [](PartRequest& p) {
              p.n = 3, p.seed = kBigSeed, p.aspect_ratio = "16:9";
              p.references = {{.url = "https://h/1.png"}, Bytes()};
              p.options = {{"resolution", "2K"}, {"quality", "high"}, {"provider", {{"order", {"openai"}}}}};
            }),
       "/images",
       {{"model", "openai/gpt-image-1"},
        {"prompt", "a fox"},
        {"n", 3},
        {"seed", kBigSeed},
        {"aspect_ratio", "16:9"},
        {"resolution", "2K"},
        {"quality", "high"},
        {"provider", {{"order", {"openai"}}}},
        {"input_references", {Url("https://h/1.png"), Url("data:image/png;base64,AAAA")}}}},
      {"a size",
       With(Fox(), [](PartRequest& p) { p.size = "1024x768"; }),
       "/images",
       {{"model", "openai/gpt-image-1"}, {"prompt", "a fox"}, {"size", "1024x768"}}},
      {"options never replace what the request sets, nor ask for more pictures",
       With(Fox(),
            [](PartRequest& p) {
              p.seed = 7;
              p.options = {
                  {"model", "x/y"},   {"prompt", "a hen"},     {"n", 10}, {"seed", 9}, {"stream", false},
                  {"path", "images"}, {"background", "opaque"}};
            }),
       "/images",
       {{"model", "openai/gpt-image-1"},
        {"prompt", "a fox"},
        {"seed", 7},
        {"stream", false},
        {"background", "opaque"}}},
      {"options fill in what the request leaves open",
       With(Fox(),
            [](PartRequest& p) {
              p.options = {{"seed", 9}, {"size", "2K"}}, p.aspect_ratio = "1:1";
            }),
       "/images",
       {{"model", "openai/gpt-image-1"},
        {"prompt", "a fox"},
        {"seed", 9},
        {"size", "2K"},
        {"aspect_ratio", "1:1"}}},
  };
}

std::vector<SentRow> ChatRows() {
  const Json modalities = {"image", "text"};
  return {
      {"the least",
       With(Fox(),
            [](PartRequest& p) {
              p.options = {{"path", "chat"}};
            }),
       "/chat/completions",
       {{"model", "openai/gpt-image-1"},
        {"messages", Json::array({{{"role", "user"}, {"content", "a fox"}}})},
        {"modalities", modalities}}},
      {"references and a ratio",
       With(Fox(),
            [](PartRequest& p) {
              p.options = {{"path", "chat"},
                           {"image_config", {{"image_size", "2K"}, {"aspect_ratio", "1:1"}}},
                           {"messages", "hidden"},
                           {"modalities", {"audio"}}};
              p.aspect_ratio = "16:9";
              p.references = {{.url = "https://h/1.png"}};
            }),
       "/chat/completions",
       {{"model", "openai/gpt-image-1"},
        {"messages",
         Json::array({{{"role", "user"},
                       {"content", {{{"type", "text"}, {"text", "a fox"}}, Url("https://h/1.png")}}}})},
        {"modalities", modalities},
        {"image_config", {{"image_size", "2K"}, {"aspect_ratio", "16:9"}}}}},
      {"an option of another type gives way",
       With(Fox(),
            [](PartRequest& p) {
              p.options = {{"path", "chat"}, {"image_config", 7}};
              p.aspect_ratio = "1:1";
            }),
       "/chat/completions",
       {{"model", "openai/gpt-image-1"},
        {"messages", Json::array({{{"role", "user"}, {"content", "a fox"}}})},
        {"modalities", modalities},
        {"image_config", {{"aspect_ratio", "1:1"}}}}},
  };
}

std::vector<SentRow> VideoRows() {
  return {
      {"the least",
       FoxVideo(),
       "/videos",
       {{"model", "google/veo-3.1"}, {"prompt", "a fox"}, {"callback_url", kHook}}},
      {"all that a video may have",
       With(FoxVideo(),
            [](PartRequest& p) {
              p.seed = kBigSeed, p.aspect_ratio = "16:9";
              p.options = {{"duration", 8}, {"resolution", "720p"}, {"generate_audio", true}, {"n", 4}};
              p.references = {{.url = "https://h/a.png", .role = "firstFrame"},
                              {.url = "https://h/style.png"},
                              Bytes("lastFrame")};
            }),
       "/videos",
       {{"model", "google/veo-3.1"},
        {"prompt", "a fox"},
        {"seed", kBigSeed},
        {"aspect_ratio", "16:9"},
        {"duration", 8},
        {"resolution", "720p"},
        {"generate_audio", true},
        {"frame_images",
         {Frame("https://h/a.png", "first_frame"), Frame("data:image/png;base64,AAAA", "last_frame")}},
        {"input_references", Json::array({Url("https://h/style.png")})},
        {"callback_url", kHook}}},
  };
}

TEST_CASE("each path gets the document that OpenRouter takes there") {
  for (const auto& rows : {ImageRows(), ChatRows(), VideoRows()}) {
    for (const SentRow& row : rows) {
      CAPTURE(row.path);
      CAPTURE(row.what);
      StatusOr<HttpRequest> request = NewOpenRouter()->BuildSubmit(row.part, Id{}, kHook);
      REQUIRE(request.ok());
      CHECK(request->url == kBase + row.path);
      CHECK(Json::parse(request->body) == row.body);
    }
  }
  PartRequest part = Fox();
  part.seed = kBigSeed;
  const std::string body = NewOpenRouter()->BuildSubmit(part, Id{}, "").value().body;
  CHECK(body.find("\"seed\":17454220438242315174") != std::string::npos);
  part.options = nullptr;
  CHECK(NewOpenRouter()->BuildSubmit(part, Id{}, "").value().body == body);
  CHECK_FALSE(
      Json::parse(NewOpenRouter()->BuildSubmit(FoxVideo(), Id{}, "").value().body).contains("callback_url"));
}

TEST_CASE("what a path cannot carry is refused before it costs anything, and the error names it") {
  struct Row {
    std::string word;
    Code code;
    PartRequest part;
  };
  auto chat = [](auto change) {
    return With(Fox(), [&](PartRequest& p) {
      p.options["path"] = "chat";
      change(p);
    });
  };
  const Row rows[] = {
      {"audio", Code::kUnsupported, Fox("audio")},
      {"options", Code::kInvalid, With(Fox(), [](PartRequest& p) { p.options = Json::array(); })},
      {"model", Code::kInvalid, Fox("image", "")},
      {"stream", Code::kInvalid,
       With(Fox(),
            [](PartRequest& p) {
              p.options = {{"stream", true}};
            })},
      {"stream", Code::kInvalid,
       With(Fox(),
            [](PartRequest& p) {
              p.options = {{"stream", 1}};
            })},
      {"stream", Code::kInvalid, chat([](PartRequest& p) { p.options["stream"] = "true"; })},
      {"callback_url", Code::kInvalid,
       With(FoxVideo(),
            [](PartRequest& p) {
              p.options = {{"callback_url", "https://h"}};
            })},
      {"path", Code::kInvalid,
       With(Fox(),
            [](PartRequest& p) {
              p.options = {{"path", "videos"}};
            })},
      {"path", Code::kInvalid,
       With(Fox(),
            [](PartRequest& p) {
              p.options = {{"path", 7}};
            })},
      {"path", Code::kInvalid,
       With(FoxVideo(),
            [](PartRequest& p) {
              p.options = {{"path", "chat"}};
            })},
      {"at most 10", Code::kUnsupported, With(Fox(), [](PartRequest& p) { p.n = 11; })},
      {"role", Code::kUnsupported, With(Fox(), [](PartRequest& p) { p.references = {Bytes("mask")}; })},
      {"role", Code::kUnsupported, With(Fox(), [](PartRequest& p) { p.references = {Bytes("firstFrame")}; })},
      {"resolution", Code::kInvalid,
       With(Fox(),
            [](PartRequest& p) {
              p.size = "1024x768", p.options = {{"resolution", "2K"}};
            })},
      {"ratio", Code::kInvalid,
       With(Fox(),
            [](PartRequest& p) {
              p.size = "1024x768", p.options = {{"aspect_ratio", "1:1"}};
            })},
      {"ratio", Code::kInvalid,
       With(Fox(),
            [](PartRequest& p) {
              p.aspect_ratio = "1:1", p.options = {{"size", "1024x768"}};
            })},
      {"one picture", Code::kUnsupported, chat([](PartRequest& p) { p.n = 2; })},
      {"seed", Code::kUnsupported, chat([](PartRequest& p) { p.seed = 1; })},
      {"size", Code::kUnsupported, chat([](PartRequest& p) { p.size = "1x1"; })},
      {"role", Code::kUnsupported, chat([](PartRequest& p) { p.references = {Bytes("lastFrame")}; })},
      {"one video", Code::kUnsupported, With(FoxVideo(), [](PartRequest& p) { p.n = 2; })},
      {"size", Code::kUnsupported, With(FoxVideo(), [](PartRequest& p) { p.size = "1280x720"; })},
      {"mask", Code::kUnsupported, With(FoxVideo(), [](PartRequest& p) { p.references = {Bytes("mask")}; })},
      {"firstFrame", Code::kInvalid,
       With(FoxVideo(),
            [](PartRequest& p) {
              p.references = {Bytes("firstFrame"), Bytes("firstFrame")};
            })},
      {"lastFrame", Code::kInvalid,
       With(FoxVideo(),
            [](PartRequest& p) {
              p.references = {Bytes("lastFrame"), Bytes("lastFrame")};
            })},
  };
  for (const Row& row : rows) {
    CAPTURE(row.word);
    const Status status = NewOpenRouter()->BuildSubmit(row.part, Id{}, "").status();
    CHECK(CodeOf(status) == row.code);
    CHECK((InfoOf(status).message + InfoOf(status).hint).find(row.word) != std::string::npos);
  }
}

}  // namespace
}  // namespace mediagen
