#include "base/data_uri.h"

#include <doctest/doctest.h>

using namespace mediagen;

TEST_CASE("a data URL comes apart without a copy") {
  struct Case {
    std::string_view text, media_type, base64;
  };
  const Case cases[] = {{"data:image/png;base64,iVBO", "image/png", "iVBO"},
                        {"DATA:image/png;BASE64,iVBO", "image/png", "iVBO"},
                        {"data:image/svg+xml;charset=utf-8;base64,PA==", "image/svg+xml", "PA=="},
                        {"data:;base64,aGk=", "", "aGk="},
                        {"data:image/webp;base64,", "image/webp", ""},
                        {"data:image/png;base64,a,b", "image/png", "a,b"}};
  for (const Case& c : cases) {
    CAPTURE(c.text);
    auto uri = ParseDataUri(c.text);
    REQUIRE(uri.ok());
    CHECK(uri->media_type == c.media_type);
    CHECK(uri->base64 == c.base64);
    CHECK(uri->base64.data() + uri->base64.size() == c.text.data() + c.text.size());
  }
}

TEST_CASE("what is no base64 data URL is refused with the reason") {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "does not begin"},
      {"data", "does not begin"},
      {"https://example.com/fox.png", "does not begin"},
      {" data:image/png;base64,aGk=", "does not begin"},
      {"data:image/png;base64", "no comma"},
      {"data:" + std::string(300, 'x') + ";base64,aGk=", "no comma"},
      {"data:image/png,aGk=", "no base64"},
      {"data:,hello", "no base64"},
      {"data:base64,aGk=", "no base64"},
      {"data:image/svg+xml;utf8,<svg/>", "no base64"}};
  for (const auto& one : cases) {
    const std::string_view text = one.first, why = one.second;
    CAPTURE(text);
    auto uri = ParseDataUri(text);
    CHECK(CodeOf(uri.status()) == Code::kInvalid);
    CHECK(InfoOf(uri.status()).message.find(why) != std::string::npos);
  }
}

TEST_CASE("the bytes are decoded within their limit") {
  auto decode = [](std::string_view base64, uint64_t max_bytes) {
    return DecodeDataUri({"image/png", base64}, max_bytes);
  };
  CHECK(decode("aGVsbG8=", 5).value() == "hello");
  CHECK(decode("aGVs\r\n bG8=", 5).value() == "hello");
  CHECK(decode("", 0).value().empty());
  CHECK(CodeOf(decode("aGVsbG8=", 4).status()) == Code::kTooLarge);
  CHECK(CodeOf(decode(std::string(4000, 'A'), 100).status()) == Code::kTooLarge);
  CHECK(CodeOf(decode("aGVsb*8=", 5).status()) == Code::kInvalid);
  CHECK(CodeOf(decode("aGVsbG8", 5).status()) == Code::kInvalid);
}
