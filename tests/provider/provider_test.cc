#include "provider/provider.h"

#include <doctest/doctest.h>

namespace mediagen {
namespace {

TEST_CASE("an adapter is made by its type, which defaults to its name") {
  ProviderConfig config;
  config.name = "mine";
  config.type = "replicate";
  CHECK(NewAdapter(config).value()->config().name == "mine");
  config.name = "sketch";
  config.type = "";
  CHECK(NewAdapter(config).value()->local());
  config.type = "dall-e";
  const Status status = NewAdapter(config).status();
  CHECK(CodeOf(status) == Code::kNotFound);
  CHECK(InfoOf(status).hint.find("sketch, replicate") != std::string::npos);
}

// Does nothing that it need not.
class BareAdapter final : public Adapter {
 public:
  const ProviderConfig& config() const override { return config_; }
  Capabilities CapabilitiesOf(std::string_view) const override { return {}; }
  bool billed() const override { return true; }

 private:
  ProviderConfig config_ = {.name = "bare"};
};

TEST_CASE("what an adapter does not do is unsupported, by its name") {
  BareAdapter adapter;
  CHECK(CodeOf(adapter.BuildSubmit({}, Id{}, "").status()) == Code::kUnsupported);
  CHECK(CodeOf(adapter.BuildPoll({}).status()) == Code::kUnsupported);
  CHECK(CodeOf(adapter.BuildCancel({}).status()) == Code::kUnsupported);
  CHECK(CodeOf(adapter.BuildReconcile({}, 0, 0, "").status()) == Code::kUnsupported);
  CHECK(CodeOf(adapter.BuildDownload({}).status()) == Code::kUnsupported);
  CHECK(CodeOf(adapter.Run({}, nullptr, nullptr).status()) == Code::kUnsupported);
  CHECK(InfoOf(adapter.BuildCancel({}).status()).message == "Provider \"bare\" does not cancel requests.");
  CHECK(adapter.ParseSubmit({}).kind == SubmitAnswer::kUnknown);
  CHECK(adapter.ParsePoll({}).kind == PollAnswer::kTransient);
  CHECK(adapter.ParseReconcile({}, {}).kind == ReconcileAnswer::kTransient);
  CHECK(adapter.CheckReady().ok());
}

TEST_CASE("a size is two numbers with an x between them") {
  uint32_t width = 0, height = 0;
  CHECK(ParseSize("1024x768", &width, &height).ok());
  CHECK(width == 1024);
  CHECK(height == 768);
  CHECK(ParseSize("1x32768", &width, &height).ok());
  for (const char* bad : {"", "x", "1024", "1024x", "x768", "0x1", "1x0", "-1x1", "+1x1", " 1x1", "1x1 ",
                          "1X1", "1x1x1", "32769x1", "99999999999x1", "1.5x2", "0x10x1"}) {
    CAPTURE(bad);
    width = height = 7;
    CHECK(CodeOf(ParseSize(bad, &width, &height)) == Code::kInvalid);
    CHECK(width == 7);
  }
}

TEST_CASE("a request is checked against what the model can do, and the error names the field") {
  Capabilities can;
  can.models = {"a", "b"};
  can.max_n = 4;
  can.max_width = can.max_height = 2048;
  PartRequest good;
  good.model = "a";
  CHECK(CheckRequest("p", can, good, 4).ok());

  auto refused = [&](auto change, Code code, const char* word, int n = 1) {
    PartRequest request = good;
    change(request);
    const Status status = CheckRequest("p", can, request, n);
    CAPTURE(word);
    CHECK(CodeOf(status) == code);
    CHECK((InfoOf(status).message + InfoOf(status).hint).find(word) != std::string::npos);
  };
  refused([](PartRequest& r) { r.model = "c"; }, Code::kInvalid, "a, b");
  refused([](PartRequest& r) { r.kind = "video"; }, Code::kUnsupported, "image");
  refused([](PartRequest&) {}, Code::kInvalid, "1 to 4", 0);
  refused([](PartRequest&) {}, Code::kInvalid, "1 to 4", 5);
  refused([](PartRequest& r) { r.negative_prompt = "x"; }, Code::kUnsupported, "negativePrompt");
  refused([](PartRequest& r) { r.references.push_back({.url = "https://h/"}); }, Code::kUnsupported,
          "references");
  refused([](PartRequest& r) { r.aspect_ratio = "1:1"; }, Code::kUnsupported, "aspectRatio");
  refused([](PartRequest& r) { r.size = "4096x10"; }, Code::kInvalid, "2048x2048");
  refused([](PartRequest& r) { r.size = "big"; }, Code::kInvalid, "1024x768");
  can.seed = can.size = false;
  refused([](PartRequest& r) { r.seed = 1; }, Code::kUnsupported, "seed");
  refused([](PartRequest& r) { r.size = "1x1"; }, Code::kUnsupported, "size");

  can.size = can.aspect_ratio = true;
  refused([](PartRequest& r) { r.aspect_ratio = "wide"; }, Code::kInvalid, "16:9");
  refused([](PartRequest& r) { r.aspect_ratio = "1:1", r.size = "1x1"; }, Code::kInvalid, "together");
  good.aspect_ratio = "21:9";
  CHECK(CheckRequest("p", can, good, 1).ok());
}

}  // namespace
}  // namespace mediagen
