// The body of a submit to fal, and what is refused instead of one.
#include <doctest/doctest.h>

#include "provider/fal_fixture.h"

namespace mediagen {
namespace {

using testing::fal::New;
using testing::fal::RedFox;

StatusOr<HttpRequest> Build(const PartRequest& part) { return New()->BuildSubmit(part, Id{}, ""); }
Json BodyOf(const PartRequest& part) { return Json::parse(Build(part).value().body); }

Reference Url(std::string url, std::string role = "") {
  Reference reference;
  reference.url = std::move(url);
  reference.role = std::move(role);
  return reference;
}

TEST_CASE("fal: the body carries what was asked for under the model's own names") {
  struct Row {
    const char* model;
    PartRequest part;
    Json body;
  };
  PartRequest full = RedFox();
  full.negative_prompt = "snow";
  full.seed = 17454220438242315174u;  // above 2^63
  full.n = 3;
  full.size = "1024x768";
  PartRequest wide = RedFox(), bare = RedFox(), video = RedFox(), one = RedFox(), two = RedFox();
  wide.aspect_ratio = "16:9";
  bare.prompt = "";
  video.kind = "video";
  video.aspect_ratio = "9:16";
  video.references = {Url("https://h/1.png", "firstFrame")};
  one.references = {Url("https://h/1.png")};
  two.references = {Url("https://h/1.png"),
                    {.bytes = BufferRef::Own(std::string(3, '\0')), .media_type = "image/png"}};
  PartRequest masked = RedFox();
  masked.references = {Url("https://h/mask.png", "mask"), Url("https://h/1.png")};
  const Json urls = {"https://h/1.png", "data:image/png;base64,AAAA"};
  const Json fox = {{"prompt", "a red fox"}};
  auto with = [&](const Json& more) {
    Json body = fox;
    body.update(more);
    return body;
  };
  for (const Row& row : {
           Row{"fal-ai/fast-sdxl", full,
               with({{"negative_prompt", "snow"},
                     {"seed", 17454220438242315174u},
                     {"num_images", 3},
                     {"image_size", {{"width", 1024}, {"height", 768}}}})},
           Row{"fal-ai/flux/schnell", wide, with({{"num_images", 1}, {"image_size", "landscape_16_9"}})},
           Row{"fal-ai/imagen4/preview", wide, with({{"num_images", 1}, {"aspect_ratio", "16:9"}})},
           Row{"me/unknown", wide, with({{"aspect_ratio", "16:9"}})},
           Row{"me/unknown", bare, Json::object()},
           Row{"me/unknown", one, with({{"image_url", "https://h/1.png"}})},
           Row{"me/unknown", two, with({{"image_urls", urls}})},
           Row{"me/unknown", masked,
               with({{"image_url", "https://h/1.png"}, {"mask_url", "https://h/mask.png"}})},
           Row{"fal-ai/nano-banana/edit", one,
               with({{"num_images", 1}, {"image_urls", {"https://h/1.png"}}})},
           Row{"fal-ai/flux-pro/kontext", one, with({{"num_images", 1}, {"image_url", "https://h/1.png"}})},
           Row{"fal-ai/veo3/image-to-video", video,
               with({{"aspect_ratio", "9:16"}, {"image_url", "https://h/1.png"}})},
       }) {
    CAPTURE(row.model);
    PartRequest part = row.part;
    part.model = row.model;
    CHECK(BodyOf(part) == row.body);
  }
  full.model = "fal-ai/fast-sdxl";
  CHECK(Build(full).value().body.find("17454220438242315174") != std::string::npos);
}

TEST_CASE("fal: the five shapes that have names; others are refused where only sizes are known") {
  PartRequest part = RedFox("fal-ai/flux/schnell");
  struct Row {
    const char *ratio, *name;
  };
  for (const Row& row : {Row{"1:1", "square_hd"}, Row{"3:4", "portrait_4_3"}, Row{"9:16", "portrait_16_9"},
                         Row{"4:3", "landscape_4_3"}, Row{"16:9", "landscape_16_9"}}) {
    part.aspect_ratio = row.ratio;
    CHECK(BodyOf(part)["image_size"] == row.name);
  }
  part.aspect_ratio = "21:9";
  CHECK(CodeOf(Build(part).status()) == Code::kUnsupported);
}

TEST_CASE("fal: options fill in the model's own inputs; what the request sets wins") {
  PartRequest part = RedFox();
  part.options = {{"guidance_scale", 3.5}, {"prompt", "another"}, {"seed", 9}, {"num_images", 4}};
  CHECK(BodyOf(part) ==
        Json{{"prompt", "a red fox"}, {"guidance_scale", 3.5}, {"seed", 9}, {"num_images", 1}});
  part.options = nullptr;
  CHECK(Build(part).ok());
  part.options = Json::array();
  CHECK(CodeOf(Build(part).status()) == Code::kInvalid);
}

TEST_CASE("fal: sync mode is refused, whatever it is set to") {
  PartRequest part = RedFox();
  for (const Json& value : {Json(true), Json(false), Json(nullptr), Json("true")}) {
    part.options = {{"sync_mode", value}};
    const Status status = Build(part).status();
    CHECK(CodeOf(status) == Code::kInvalid);
    CHECK(InfoOf(status).message.find("sync_mode") != std::string::npos);
    CHECK_FALSE(InfoOf(status).hint.empty());
  }
}

TEST_CASE("fal: what a model does not take is refused before anything is sent") {
  struct Row {
    const char* model;
    void (*change)(PartRequest&);
    Code code;
    bool checked;  // CheckRequest sees it already
  };
  for (const Row& row : {
           Row{"fal-ai/flux/dev", [](PartRequest& r) { r.negative_prompt = "x"; }, Code::kUnsupported, true},
           Row{"fal-ai/flux/dev", [](PartRequest& r) { r.n = 5; }, Code::kUnsupported, false},
           Row{"me/unknown", [](PartRequest& r) { r.n = 2; }, Code::kUnsupported, false},
           Row{"fal-ai/flux/dev", [](PartRequest& r) { r.references = {Url("https://h/1")}; },
               Code::kUnsupported, true},
           Row{"fal-ai/imagen4", [](PartRequest& r) { r.size = "10x10"; }, Code::kUnsupported, true},
           Row{"fal-ai/flux/dev/image-to-image", [](PartRequest& r) { r.aspect_ratio = "1:1"; },
               Code::kUnsupported, true},
           Row{"me/unknown", [](PartRequest& r) { r.size = "10"; }, Code::kInvalid, true},
           Row{"me/unknown", [](PartRequest& r) { r.kind = "video", r.size = "10x10"; }, Code::kUnsupported,
               false},
           Row{"fal-ai/flux-pro/kontext",
               [](PartRequest& r) {
                 r.references = {Url("https://h/1"), Url("https://h/2")};
               },
               Code::kUnsupported, true},
           Row{"fal-ai/flux-pro/kontext",
               [](PartRequest& r) {
                 r.references = {Url("https://h/1"), Url("https://h/2", "mask")};
               },
               Code::kUnsupported, true},
           Row{"me/unknown", [](PartRequest& r) { r.references = {Url("https://h/1", "lastFrame")}; },
               Code::kUnsupported, true},
           Row{"me/unknown", [](PartRequest& r) { r.references = {Url("https://h/1", "firstFrame")}; },
               Code::kUnsupported, false},  // of a picture
           Row{"me/unknown", [](PartRequest& r) { r.references = {Url("https://h/1", "mask")}; },
               Code::kInvalid, false},
           Row{"me/unknown",
               [](PartRequest& r) {
                 r.references = {Url("https://h/1"), Url("https://h/2", "mask"), Url("https://h/3", "mask")};
               },
               Code::kInvalid, false},
           Row{"me/unknown",
               [](PartRequest& r) { r.references = std::vector<Reference>(18, Url("https://h/1")); },
               Code::kUnsupported, true},
       }) {
    CAPTURE(row.model);
    PartRequest part = RedFox(row.model);
    row.change(part);
    CHECK(CodeOf(Build(part).status()) == row.code);
    const Status checked = CheckRequest("fal", New()->CapabilitiesOf(row.model), part, 1);
    CHECK(CodeOf(checked) == (row.checked ? row.code : Code::kOk));
  }
}

TEST_CASE("fal: capabilities by family, with a default that passes things on") {
  struct Row {
    const char* model;
    std::vector<std::string> kinds;
    int n;
    bool negative, references, size, ratio;
    int max_references;
  };
  for (const Row& row : {
           Row{"me/unknown", {"image", "video"}, 1, true, true, true, true, 17},
           Row{"", {"image", "video"}, 1, true, true, true, true, 17},
           Row{"fal-ai/flux/schnell", {"image"}, 4, false, false, true, true, 0},
           Row{"fal-ai/fast-sdxl", {"image"}, 8, true, false, true, true, 0},
           Row{"fal-ai/fast-sdxl/inpainting", {"image"}, 8, true, true, true, true, 2},
           Row{"fal-ai/flux-pro/kontext/max/multi", {"image"}, 4, false, true, false, true, 4},
           Row{"fal-ai/flux-pro/v1/fill", {"image"}, 4, false, true, false, false, 2},
           Row{"fal-ai/nano-banana-pro/edit", {"image"}, 4, false, true, false, true, 10},
           Row{"fal-ai/bytedance/seedream/v4/edit", {"image"}, 6, false, true, true, true, 10},
           Row{"fal-ai/veo3.1", {"video"}, 1, true, true, false, true, 16},
           Row{"fal-ai/kling-video/v2.1/pro/image-to-video", {"video"}, 1, true, true, false, true, 16},
       }) {
    CAPTURE(row.model);
    const Capabilities can = New()->CapabilitiesOf(row.model);
    CHECK(can.kinds == row.kinds);
    CHECK(can.max_n_per_request == row.n);
    CHECK(can.seed);
    CHECK(can.negative_prompt == row.negative);
    CHECK(can.references == row.references);
    CHECK(can.size == row.size);
    CHECK(can.aspect_ratio == row.ratio);
    CHECK(can.max_references == row.max_references);
    CHECK_FALSE(can.reference_bytes);
  }
}

}  // namespace
}  // namespace mediagen
