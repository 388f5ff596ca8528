// Requests that carry pictures: edits and videos, as forms.
#include <doctest/doctest.h>

#include "base/hash.h"
#include "provider/openai/form.h"
#include "provider/openai_fixture.h"

namespace mediagen {
namespace {

using openai::Form;
using testing::FilePart;
using testing::FormOf;
using testing::Fox;
using testing::FoxVideo;
using testing::HeaderOf;
using testing::LocalConfig;
using testing::NewOpenAi;
using testing::OpenAiConfig;
using testing::Picture;
using testing::TextPart;

StatusOr<HttpRequest> Built(const PartRequest& part, ProviderConfig config = OpenAiConfig()) {
  return NewOpenAi(std::move(config))->BuildSubmit(part, Id{}, "");
}

TEST_CASE("an edit is a form with its picture") {
  PartRequest part = Fox();
  part.references = {Picture("PNG bytes\r\n--x")};
  HttpRequest request = Built(part).value();
  CHECK(request.url == "https://api.openai.com/v1/images/edits");
  CHECK(request.once);
  CHECK(HeaderOf(request, "authorization") == "Bearer sk-secret-key");
  CHECK(FormOf(request) ==
        TextPart("model", "gpt-image-1") + TextPart("n", "1") + TextPart("prompt", "a red fox") +
            FilePart("image", "image-1.png", "image/png", "PNG bytes\r\n--x") + "--BOUNDARY--\r\n");
}

TEST_CASE("several pictures repeat image[], in their order, and the mask stands apart") {
  PartRequest part = Fox();
  part.options = {{"input_fidelity", "high"}, {"output_compression", 80}, {"user", nullptr}};
  part.references = {Picture("A"), Picture("M", "mask"), Picture("B", "", "image/jpeg"),
                     Picture("C", "", "image/webp")};
  CHECK(FormOf(Built(part).value()) ==
        TextPart("input_fidelity", "high") + TextPart("model", "gpt-image-1") + TextPart("n", "1") +
            TextPart("output_compression", "80") + TextPart("prompt", "a red fox") +
            FilePart("image[]", "image-1.png", "image/png", "A") +
            FilePart("mask", "mask.png", "image/png", "M") +
            FilePart("image[]", "image-2.jpg", "image/jpeg", "B") +
            FilePart("image[]", "image-3.webp", "image/webp", "C") + "--BOUNDARY--\r\n");
}

TEST_CASE("an edit by DALL-E 2 asks for base64") {
  PartRequest part = Fox("dall-e-2");
  part.references = {Picture("A")};
  CHECK(FormOf(Built(part).value()).find(TextPart("response_format", "b64_json")) != std::string::npos);
}

TEST_CASE("a video is a form, with the frame that it starts from") {
  PartRequest part = FoxVideo();
  part.size = "1280x720";
  part.options = {{"seconds", "8"}, {"n", 4}};
  HttpRequest request = Built(part).value();
  CHECK(request.url == "https://api.openai.com/v1/videos");
  CHECK(request.once);
  const std::string fields = TextPart("model", "sora-2") + TextPart("prompt", "a red fox") +
                             TextPart("seconds", "8") + TextPart("size", "1280x720");
  CHECK(FormOf(request) == fields + "--BOUNDARY--\r\n");
  for (const char* role : {"", "firstFrame"}) {
    part.references = {Picture("F", role, "image/jpeg")};
    CHECK(FormOf(Built(part).value()) ==
          fields + FilePart("input_reference", "frame.jpg", "image/jpeg", "F") + "--BOUNDARY--\r\n");
  }
  part.size = "640x480";
  CHECK(CodeOf(Built(part).status()) == Code::kInvalid);
}

TEST_CASE("a local server's form carries its seed and options, nested ones as JSON") {
  PartRequest part = Fox("m");
  part.seed = 17454220438242315174u;
  part.negative_prompt = "snow";
  part.options = {{"flags", {true, "x", 2}}, {"lora", {{"scale", 0.5}}}, {"steps", 8}};
  part.references = {Picture("A")};
  CHECK(FormOf(Built(part, LocalConfig()).value()) ==
        TextPart("flags[]", "true") + TextPart("flags[]", "x") + TextPart("flags[]", "2") +
            TextPart("lora", R"({"scale":0.5})") + TextPart("model", "m") + TextPart("n", "1") +
            TextPart("negative_prompt", "snow") + TextPart("prompt", "a red fox") +
            TextPart("seed", "17454220438242315174") + TextPart("steps", "8") +
            FilePart("image", "image-1.png", "image/png", "A") + "--BOUNDARY--\r\n");
}

TEST_CASE("references that cannot be sent are refused before they cost") {
  Reference by_url;
  by_url.url = "https://h/1.png";
  struct Row {
    const char* model;
    std::vector<Reference> references;
    Code code;
  };
  const std::vector<Reference> seventeen(17, Picture("A"));
  const Row rows[] = {
      {"gpt-image-1", {by_url}, Code::kInvalid},
      {"gpt-image-1", {Picture("")}, Code::kInvalid},
      {"gpt-image-1", {Picture(std::string(50'000'000, 'x'))}, Code::kInvalid},
      {"gpt-image-1", {Picture("A", "mask")}, Code::kInvalid},
      {"gpt-image-1", {Picture("A"), Picture("M", "mask"), Picture("M", "mask")}, Code::kInvalid},
      {"gpt-image-1", {Picture("A"), Picture("M", "mask", "image/jpeg")}, Code::kInvalid},
      {"gpt-image-1", {Picture("A", "firstFrame")}, Code::kUnsupported},
      {"gpt-image-1", seventeen, Code::kUnsupported},
      {"anything", {Picture("A", "firstFrame")}, Code::kUnsupported},
      {"dall-e-2", {Picture("A"), Picture("B"), Picture("C")}, Code::kUnsupported},
      {"dall-e-2", {Picture("A"), Picture("B")}, Code::kUnsupported},
      {"dall-e-3", {Picture("A")}, Code::kUnsupported},
  };
  for (const Row& row : rows) {
    CAPTURE(row.model);
    CAPTURE(row.references.size());
    PartRequest part = Fox(row.model);
    part.references = row.references;
    CHECK(CodeOf(Built(part).status()) == row.code);
  }
  PartRequest video = FoxVideo("anything");
  video.references = {Picture("A"), Picture("B")};
  CHECK(CodeOf(Built(video).status()) == Code::kUnsupported);
  video.references = {Picture("A", "mask")};
  CHECK(CodeOf(Built(video).status()) == Code::kUnsupported);
}

TEST_CASE("no option tears the form apart, or puts a picture beside the request's own") {
  for (const char* name :
       {"", "a\"b", "a\r\nX: 1", "a b", "stream[]", "\xff", "image", "mask", "input_reference"}) {
    CAPTURE(name);
    PartRequest part = Fox();
    part.references = {Picture("A")};
    part.options = Json::object();
    part.options[name] = "x";
    CHECK(CodeOf(Built(part).status()) == Code::kInvalid);
  }
  for (const char* type : {"image/png\r\nX: 1", "", "/", "png", "a/b/c", "image/\"png"}) {
    CAPTURE(type);
    PartRequest part = Fox();
    part.references = {Picture("A", "", type)};
    CHECK(
        FormOf(Built(part).value()).find(FilePart("image", "image-1.bin", "application/octet-stream", "A")) !=
        std::string::npos);
  }
}

// Gives the bytes 0, 0, 0 … first, then 1, 1, 1 …
class Counting final : public Random {
 public:
  void Fill(void* data, size_t size) override { std::fill_n(static_cast<char*>(data), size, next_++); }

 private:
  char next_ = 0;
};

TEST_CASE("a boundary that occurs in a part is not taken") {
  Counting random;
  Form form;
  form.AddFile("image", "image", "image/png",
               BufferRef::Own("x mediagen-" + Hex(std::string(16, '\0')) + " y"));
  REQUIRE(form.Add("prompt", "say mediagen-" + Hex(std::string(16, '\1'))).ok());
  const Form::Encoded encoded = form.Encode(&random);
  CHECK(encoded.content_type == "multipart/form-data; boundary=mediagen-" + Hex(std::string(16, '\2')));
  CHECK(encoded.body.ends_with("--mediagen-" + Hex(std::string(16, '\2')) + "--\r\n"));
}

}  // namespace
}  // namespace mediagen
