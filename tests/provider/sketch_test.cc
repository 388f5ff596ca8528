#include "provider/sketch/sketch.h"

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "codec/image.h"
#include "provider/sketch/draw.h"
#include "provider/sketch/palette.h"

namespace mediagen {
namespace {

const std::function<Status(int, int)> kGoOn = [](int, int) { return OkStatus(); };

PartRequest Small(std::string prompt, std::optional<uint64_t> seed = 7) {
  PartRequest request{.model = "abstract", .prompt = std::move(prompt), .size = "64x48"};
  request.seed = seed;
  return request;
}

struct Fixture {
  std::unique_ptr<Adapter> adapter = NewSketchAdapter({.name = "sketch", .type = "sketch"});
  std::vector<Progress> seen;

  StatusOr<std::vector<RemoteOutput>> Run(
      const PartRequest& request, const std::function<bool()>& canceled = [] { return false; }) {
    return adapter->Run(
        request, [&](const Progress& progress) { seen.push_back(progress); }, canceled);
  }
  std::string Bytes(const PartRequest& request) {
    const auto outputs = Run(request);
    REQUIRE(outputs.ok());
    return std::string(outputs->front().bytes.view());
  }
};

}  // namespace

TEST_CASE("a sketch is a PNG of the asked size, 1024x1024 unless said") {
  Fixture f;
  for (const auto& [size, width, height] :
       {std::tuple{"64x48", 64u, 48u}, {"16x4096", 16u, 4096u}, {"33x17", 33u, 17u}}) {
    PartRequest request = Small("a red fox in snow");
    request.size = size;
    const auto outputs = f.Run(request);
    REQUIRE(outputs.ok());
    REQUIRE(outputs->size() == 1);
    CHECK(outputs->front().media_type == "image/png");
    CHECK(outputs->front().safety == "ok");
    CHECK(outputs->front().url.empty());
    const auto info = Probe(outputs->front().bytes.view());
    REQUIRE(info.ok());
    CHECK(info->format == Format::kPng);
    CHECK(info->width == width);
    CHECK(info->height == height);
    CHECK(Decode(outputs->front().bytes.view()).ok());
  }
  PartRequest plain{.prompt = "a fox"};  // neither model nor size
  const auto info = Probe(f.Bytes(plain));
  CHECK(info->width == 1024);
  CHECK(info->height == 1024);
}

TEST_CASE("the same prompt, seed and size give the same bytes; another of any gives others") {
  Fixture f;
  const std::string bytes = f.Bytes(Small("a red fox in snow"));
  CHECK(bytes == Fixture().Bytes(Small("a red fox in snow")));
  CHECK(bytes != f.Bytes(Small("a red fox in snow", 8)));
  CHECK(bytes != f.Bytes(Small("a blue fox in snow")));
  PartRequest other = Small("a red fox in snow");
  other.size = "64x64";
  CHECK(bytes != f.Bytes(other));
}

TEST_CASE("the number of steps does not change the picture") {
  Fixture f;
  const std::string bytes = f.Bytes(Small("ocean"));
  for (int steps : {1, 7, 200}) {
    PartRequest request = Small("ocean");
    request.options = {{"steps", steps}};
    CHECK(f.Bytes(request) == bytes);
  }
}

TEST_CASE("without a seed the prompt gives one, and each picture of a request has the next") {
  Fixture f;
  PartRequest request = Small("a lotus", std::nullopt);
  const uint64_t seed = SketchSeed(request, 0);
  CHECK(seed <= uint64_t{1} << 53);
  CHECK(SketchSeed(request, 2) == seed + 2);
  CHECK(SketchSeed(Small("a rose", std::nullopt), 0) != seed);
  CHECK(SketchSeed(Small("a lotus", 40), 3) == 43);
  request.n = 4;
  const auto outputs = f.Run(request);
  REQUIRE(outputs.ok());
  REQUIRE(outputs->size() == 4);
  for (uint64_t i = 0; i < 4; ++i) CHECK((*outputs)[i].bytes.view() == f.Bytes(Small("a lotus", seed + i)));
  CHECK((*outputs)[0].bytes.view() != (*outputs)[1].bytes.view());
}

TEST_CASE("every step is reported, in order, over all pictures of the request") {
  Fixture f;
  PartRequest request = Small("rain");
  request.n = 2;
  request.options = {{"steps", 10}};
  REQUIRE(f.Run(request).ok());
  REQUIRE(f.seen.size() == 20);
  for (int64_t i = 0; i < 20; ++i) {
    CHECK(f.seen[size_t(i)].current == i + 1);
    CHECK(f.seen[size_t(i)].total == 20);
    CHECK(f.seen[size_t(i)].message == "step " + std::to_string(i + 1) + " of 20");
    CHECK(*f.seen[size_t(i)].fraction == doctest::Approx(double(i + 1) / 20));
  }
  Fixture usual;
  REQUIRE(usual.Run(Small("rain")).ok());
  CHECK(usual.seen.size() == 50);
  CHECK(usual.seen[20].message == "step 21 of 50");
}

TEST_CASE("a cancel is asked before each step and ends the drawing") {
  Fixture f;
  int asked = 0;
  const auto outputs = f.Run(Small("rain"), [&] { return ++asked > 5; });
  CHECK(CodeOf(outputs.status()) == Code::kCanceled);
  CHECK(asked == 6);
  CHECK(f.seen.size() == 5);  // five steps were done
}

TEST_CASE("a pause between steps ends at once when the request is canceled") {
  Fixture f;
  PartRequest request = Small("rain");
  request.options = {{"steps", 2}, {"stepMs", 10'000}};  // a test that waited for it would not end in time
  int asked = 0;
  CHECK(CodeOf(f.Run(request, [&] { return ++asked > 2; }).status()) == Code::kCanceled);
  CHECK(asked == 3);  // before the step, after the first slice of its pause, after the second
  request.options = {{"steps", 3}, {"stepMs", 1}};
  CHECK(f.Run(request).ok());
}

TEST_CASE("options that there are not, or are out of range, are refused by name") {
  Fixture f;
  const auto message = [&](Json options) {
    PartRequest request = Small("rain");
    request.options = std::move(options);
    const auto outputs = f.Run(request);
    CHECK(CodeOf(outputs.status()) == Code::kInvalid);
    return InfoOf(outputs.status()).message;
  };
  CHECK(message({{"guidance", 7}}).find("guidance") != std::string::npos);
  CHECK(message({{"steps", 0}}).find("steps") != std::string::npos);
  CHECK(message({{"steps", 201}}).find("steps") != std::string::npos);
  CHECK(message({{"steps", "ten"}}).find("steps") != std::string::npos);
  CHECK(message({{"stepMs", -1}}).find("stepMs") != std::string::npos);
  CHECK(message({{"stepMs", 10'001}}).find("stepMs") != std::string::npos);
  CHECK(f.seen.empty());
}

TEST_CASE("what a sketch cannot be is refused before anything is drawn") {
  Fixture f;
  const auto code = [&](const std::function<void(PartRequest*)>& change) {
    PartRequest request = Small("rain");
    change(&request);
    return CodeOf(f.Run(request).status());
  };
  CHECK(code([](PartRequest* r) { r->model = "photo"; }) == Code::kInvalid);
  CHECK(code([](PartRequest* r) { r->kind = "video"; }) == Code::kUnsupported);
  CHECK(code([](PartRequest* r) { r->negative_prompt = "rain"; }) == Code::kUnsupported);
  CHECK(code([](PartRequest* r) { r->references = {{.url = "https://example.com/a.png"}}; }) ==
        Code::kUnsupported);
  CHECK(code([](PartRequest* r) { r->n = 5; }) == Code::kInvalid);
  CHECK(code([](PartRequest* r) { r->n = 0; }) == Code::kInvalid);
  CHECK(code([](PartRequest* r) { r->size = "4097x64"; }) == Code::kInvalid);
  CHECK(code([](PartRequest* r) { r->size = "64x15"; }) == Code::kInvalid);
  CHECK(code([](PartRequest* r) { r->size = "large"; }) == Code::kInvalid);
  CHECK(f.seen.empty());
}

TEST_CASE("sketch works in this process, for nothing, and says what it can do") {
  Fixture f;
  CHECK(f.adapter->local());
  CHECK_FALSE(f.adapter->billed());
  CHECK(f.adapter->CheckReady().ok());
  CHECK(f.adapter->EstimateMicros(Small("x")) == 0);
  CHECK(f.adapter->config().name == "sketch");
  const Capabilities capabilities = f.adapter->CapabilitiesOf("abstract");
  CHECK(capabilities.models == std::vector<std::string>{"abstract"});
  CHECK(capabilities.kinds == std::vector<std::string>{"image"});
  CHECK(capabilities.max_n_per_request == 4);
  CHECK(capabilities.seed);
  CHECK(capabilities.size);
  CHECK(capabilities.max_width == 4096);
}

TEST_CASE("a drawing out of range is refused, and its step's error is passed on") {
  CHECK(CodeOf(DrawSketch("x", 1, 15, 64, kGoOn, 5).status()) == Code::kInvalid);
  CHECK(CodeOf(DrawSketch("x", 1, 64, 4097, kGoOn, 5).status()) == Code::kInvalid);
  CHECK(CodeOf(DrawSketch("x", 1, 64, 64, kGoOn, 0).status()) == Code::kInvalid);
  CHECK(CodeOf(DrawSketch("x", 1, 64, 64, kGoOn, 201).status()) == Code::kInvalid);
  const auto stop = [](int step, int) {
    return step == 3 ? Error(Code::kStorageFull, "enough") : OkStatus();
  };
  CHECK(CodeOf(DrawSketch("x", 1, 64, 64, stop, 5).status()) == Code::kStorageFull);
}

TEST_CASE("any bytes are a prompt, and every form can be drawn at every shape") {
  for (std::string_view prompt :
       {"", "\xFF\xFE\0\x01", "mountain", "silk", "bubble", "glass", "flower", "ein Fuchs im Schnee ❄"}) {
    for (const auto& [width, height] : {std::pair{16u, 16u}, {200u, 16u}, {16u, 200u}}) {
      CHECK(DrawSketch(prompt, 1, width, height, kGoOn, 50).ok());
    }
  }
  CHECK(DrawSketch(std::string(100'000, 'a'), 1, 16, 16, kGoOn, 1).ok());
}

TEST_CASE("words decide form and colours") {
  CHECK(sketch::Read("a mountain", 1).form == sketch::Form::kRidges);
  CHECK(sketch::Read("blue silk", 1).form == sketch::Form::kRibbons);
  CHECK(sketch::Read("Bubbles!", 1).form == sketch::Form::kOrbs);
  CHECK(sketch::Read("CITY", 1).form == sketch::Form::kFacets);
  CHECK(sketch::Read("one flower", 1).form == sketch::Form::kPetals);
  CHECK(sketch::Read("night", 1).palette.night);
  CHECK_FALSE(sketch::Read("day", 1).palette.night);
  CHECK(sketch::Read("snow", 1).palette.snow);
  // The mean colour of three drawings.
  const auto mean = [](std::string_view prompt) {
    std::array<double, 3> sum{};
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      const Pixels pixels = DrawSketch(prompt, seed, 64, 64, kGoOn, 1).value();
      for (size_t i = 0; i < pixels.bytes(); ++i) sum[i % 3] += pixels.data[i] / (3 * 64.0 * 64);
    }
    return sum;
  };
  const auto red = mean("red"), blue = mean("blue"), green = mean("green"), night = mean("midnight"),
             snow = mean("snow");
  CHECK(red[0] > red[2]);
  CHECK(blue[2] > blue[0]);
  CHECK(green[1] > green[0]);
  CHECK(snow[0] + snow[1] + snow[2] > night[0] + night[1] + night[2] + 90);
}

}  // namespace mediagen
