// The codec through the C ABI and its C++ face.
#include "mediagen/image.hpp"

#include <functional>
#include <string>
#include <vector>

#include "base/base64.h"
#include "capi/host.h"
#include "support/child.h"

using namespace mediagen;
using namespace mediagen::testing;

namespace {

using OwnedImage = Owned<mediagen_image, mediagen_image_free>;

std::string Rows(uint32_t width, uint32_t height, uint32_t channels) {
  std::string rows;
  for (uint32_t i = 0; i < width * height; ++i) {
    for (uint32_t c = 0; c < channels; ++c) rows.push_back(static_cast<char>(c == 3 ? 255 : i * (c + 1)));
  }
  return rows;
}

OwnedImage NewImage(uint32_t width, uint32_t height, uint32_t channels) {
  mediagen_image* image = nullptr;
  Failure failure;
  REQUIRE(mediagen_image_new(width, height, channels, S(Rows(width, height, channels)), &image,
                             failure.slot()) == MEDIAGEN_OK);
  return OwnedImage(image);
}

std::string Encoded(const mediagen_image* image, std::string_view options) {
  mediagen_buffer* out = nullptr;
  Failure failure;
  const int32_t code = mediagen_image_encode(image, S(options), &out, failure.slot());
  REQUIRE_MESSAGE(code == MEDIAGEN_OK, (failure.set() ? failure.message() : ""));
  return Take(out);
}

const mediagen_str kNone = {nullptr, 0};

// Every function that takes an image, with everything else in order.
std::vector<std::function<int32_t(const mediagen_image*)>> ImageCalls() {
  static mediagen_buffer* buffer;
  static mediagen_image* image;
  static uint32_t width;
  return {[](auto* i) { return mediagen_image_size(i, &width, nullptr, nullptr); },
          [](auto* i) { return mediagen_image_pixels(i, &buffer); },
          [](auto* i) { return mediagen_image_resize(i, S(R"({"width":2})"), &image, nullptr); },
          [](auto* i) { return mediagen_image_encode(i, kNone, &buffer, nullptr); },
          [](auto* i) { return mediagen_image_thumbhash(i, &buffer, nullptr); },
          [](auto* i) { return mediagen_image_average(i, &buffer, nullptr); }};
}

}  // namespace

TEST_CASE("a picture goes round: pixels in, encoded, decoded, pixels out") {
  OwnedImage image = NewImage(9, 7, 4);
  const std::string png = Encoded(image.get(), R"({"format":"png"})");
  mediagen_image* decoded = nullptr;
  Failure failure;
  REQUIRE(mediagen_image_decode(S(png), kNone, &decoded, failure.slot()) == MEDIAGEN_OK);
  OwnedImage again(decoded);
  uint32_t width = 0, height = 0, channels = 0;
  CHECK(mediagen_image_size(again.get(), &width, &height, &channels) == MEDIAGEN_OK);
  CHECK(width == 9);
  CHECK(height == 7);
  CHECK(channels == 4);
  mediagen_buffer* pixels = nullptr;
  REQUIRE(mediagen_image_pixels(again.get(), &pixels) == MEDIAGEN_OK);
  again.reset();  // the bytes outlive the picture
  CHECK(Take(pixels) == Rows(9, 7, 4));
}

TEST_CASE("a probe says what there is, of bytes, base64 and data URLs") {
  const std::string jpeg = Encoded(NewImage(9, 7, 3).get(), R"({"format":"jpeg","chroma":"444"})");
  for (const std::string& text : {jpeg, Base64Encode(jpeg), "data:image/jpeg;base64," + Base64Encode(jpeg)}) {
    mediagen_buffer* json = nullptr;
    Failure failure;
    REQUIRE(mediagen_image_probe(S(text), &json, failure.slot()) == MEDIAGEN_OK);
    const Json said = Json::parse(Take(json));
    CHECK(said["format"] == "jpeg");
    CHECK(said["bytes"] == jpeg.size());
    CHECK(said["width"] == 9);
    CHECK(said["prompt"].is_null());
  }
}

TEST_CASE("what is wrong is said, and nothing comes out") {
  const std::string png = Encoded(NewImage(9, 7, 3).get(), R"({"format":"png"})");
  mediagen_image* image = nullptr;
  mediagen_buffer* buffer = nullptr;
  Failure failure;
  CHECK(mediagen_image_decode(S(png.substr(0, 60)), kNone, &image, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(image == nullptr);
  CHECK(failure.message().find("truncated") != std::string::npos);
  CHECK(mediagen_image_decode(S(png), S(R"({"maxPixels":10})"), &image, failure.slot()) ==
        MEDIAGEN_TOO_LARGE);
  CHECK(mediagen_image_decode(S(png), S(R"({"maxPixel":10})"), &image, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(failure.message().find("maxPixel") != std::string::npos);
  CHECK(mediagen_image_decode(S("<svg></svg>"), kNone, &image, failure.slot()) == MEDIAGEN_UNSUPPORTED);
  CHECK(mediagen_image_probe(S("data:text/plain,hello"), &buffer, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(mediagen_image_new(2, 2, 5, S("12345678"), &image, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(mediagen_image_new(2, 2, 3, S("12345678"), &image, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(mediagen_image_new(70000, 70000, 3, S(""), &image, failure.slot()) == MEDIAGEN_TOO_LARGE);
  OwnedImage small = NewImage(4, 4, 3);
  CHECK(mediagen_image_resize(small.get(), kNone, &image, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(mediagen_image_resize(small.get(), S(R"({"width":2,"x":2})"), &image, failure.slot()) ==
        MEDIAGEN_INVALID);
  CHECK(mediagen_image_encode(small.get(), S(R"({"format":"gif"})"), &buffer, failure.slot()) ==
        MEDIAGEN_INVALID);
  CHECK(mediagen_image_encode(small.get(), S(R"({"background":"#12345"})"), &buffer, failure.slot()) ==
        MEDIAGEN_INVALID);
  CHECK(mediagen_image_from_thumbhash(S("1234"), &image, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(mediagen_base64_decode(S("ab?d"), &buffer, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(image == nullptr);
  CHECK(buffer == nullptr);
}

// Two frames of 2×1: one red and one transparent pixel for 70 ms, then the second one green for 200 ms, shown
// three times (NETSCAPE2.0 says two repetitions).
const std::string kGif(
    "GIF89a\x02\0\x01\0\xf0\0\0\xff\0\0\0\xff\0"
    "\x21\xff\x0bNETSCAPE2.0\x03\x01\x02\0\0"
    "\x21\xf9\x04\x05\x07\0\x01\0\x2c\0\0\0\0\x02\0\x01\0\0\x02\x02\x44\x0a\0"
    "\x21\xf9\x04\x04\x14\0\0\0\x2c\x01\0\0\0\x01\0\x01\0\0\x02\x02\x4c\x01\0\x3b",
    19 + 19 + 23 + 24);

TEST_CASE("all frames of an animation come as they are shown, with their durations") {
  mediagen_animation* animation = nullptr;
  Failure failure;
  REQUIRE_MESSAGE(mediagen_animation_decode(S(kGif), kNone, &animation, failure.slot()) == MEDIAGEN_OK,
                  (failure.set() ? failure.message() : ""));
  uint32_t frames = 0, loops = 0;
  CHECK(mediagen_animation_info(animation, &frames, &loops) == MEDIAGEN_OK);
  CHECK(frames == 2);
  CHECK(loops == 3);
  std::vector<OwnedImage> images;
  const int64_t durations[] = {70, 200};
  for (uint32_t i = 0; i < 2; ++i) {
    mediagen_image* one = nullptr;
    int64_t duration_ms = 0;
    REQUIRE(mediagen_animation_frame(animation, i, &one, &duration_ms, nullptr) == MEDIAGEN_OK);
    CHECK(duration_ms == durations[i]);
    images.emplace_back(one);
  }
  mediagen_image* none = nullptr;
  CHECK(mediagen_animation_frame(animation, 2, &none, nullptr, failure.slot()) == MEDIAGEN_NOT_FOUND);
  CHECK(none == nullptr);
  mediagen_animation_free(animation);  // its frames outlive it
  mediagen_buffer* rows = nullptr;
  REQUIRE(mediagen_image_pixels(images[0].get(), &rows) == MEDIAGEN_OK);
  CHECK(Take(rows) == std::string("\xff\0\0\xff\0\0\0\0", 8));
  REQUIRE(mediagen_image_pixels(images[1].get(), &rows) == MEDIAGEN_OK);
  CHECK(Take(rows) == std::string("\xff\0\0\xff\0\xff\0\xff", 8));
  CHECK(mediagen_animation_decode(S(kGif), S(R"({"maxFrames":1})"), &animation, failure.slot()) ==
        MEDIAGEN_TOO_LARGE);
  CHECK(animation == nullptr);
  CHECK(mediagen_animation_info(nullptr, nullptr, nullptr) == MEDIAGEN_INVALID);
  CHECK(mediagen_animation_frame(nullptr, 0, &none, nullptr, nullptr) == MEDIAGEN_INVALID);
  mediagen_animation_free(nullptr);
  auto all = image::decode_all(kGif);
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK((*all)[1].duration_ms == 200);
  CHECK((*all)[1].picture.pixels().view() == std::string("\xff\0\0\xff\0\xff\0\xff", 8));
  CHECK(image::decode_all("no picture").error().code == MEDIAGEN_INVALID);
}

TEST_CASE("NULL is refused, and freed as nothing") {
  for (const auto& call : ImageCalls()) CHECK(call(nullptr) == MEDIAGEN_INVALID);
  mediagen_image_free(nullptr);
  Failure failure;
  CHECK(mediagen_image_probe(S(""), nullptr, failure.slot()) == MEDIAGEN_INVALID);
  CHECK(mediagen_image_decode({nullptr, 5}, kNone, nullptr, failure.slot()) == MEDIAGEN_INVALID);
}

TEST_CASE("in a forked child a picture of the parent's answers FORKED, and a new one works") {
  OwnedImage image = NewImage(300, 300, 3);  // large enough for a buffer of the pool
  CHECK(ExitCodeOfChild([&] {
          int number = 0;
          for (const auto& call : ImageCalls()) {
            ++number;
            if (call(image.get()) != MEDIAGEN_FORKED) return number;
          }
          mediagen_image_free(image.release());
          mediagen_image* own = nullptr;
          if (mediagen_image_new(300, 300, 3, S(Rows(300, 300, 3)), &own, nullptr) != MEDIAGEN_OK) return 20;
          mediagen_image_free(own);
          mediagen_trim();
          return 0;
        }) == 0);
}

TEST_CASE("the C++ face says the same") {
  auto picture = image::from_pixels(40, 20, 3, Rows(40, 20, 3));
  REQUIRE(picture);
  auto half = picture->resize(R"({"width":20})");
  REQUIRE(half);
  CHECK(half->width() == 20);
  CHECK(half->height() == 10);
  auto webp = half->encode();
  REQUIRE(webp);
  CHECK(Json::parse(image::probe(webp->view())->view())["format"] == "webp");
  auto hash = picture->thumbhash();
  REQUIRE(hash);
  CHECK(image::from_thumbhash(hash->view())->width() == 32);
  CHECK(Json::parse(picture->average()->view())["alpha"] == 255);
  auto bad = image::decode("no picture");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == MEDIAGEN_INVALID);
  CHECK(picture->pixels().view() == Rows(40, 20, 3));
}

TEST_CASE("base64 goes both ways, white space and all") {
  mediagen_buffer* out = nullptr;
  REQUIRE(mediagen_base64_encode(S("any carnal pleas"), &out) == MEDIAGEN_OK);
  CHECK(Take(out) == "YW55IGNhcm5hbCBwbGVhcw==");
  Failure failure;
  REQUIRE(mediagen_base64_decode(S("YW55IGNh\r\ncm5hbCBw bGVhcw=="), &out, failure.slot()) == MEDIAGEN_OK);
  CHECK(Take(out) == "any carnal pleas");
}
