#include "base/base64.h"

#include <doctest/doctest.h>

#include "base/id.h"

using namespace mediagen;

TEST_CASE("RFC 4648's examples, both ways") {
  const std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                {"f", "Zg=="},
                                                                {"fo", "Zm8="},
                                                                {"foo", "Zm9v"},
                                                                {"foob", "Zm9vYg=="},
                                                                {"fooba", "Zm9vYmE="},
                                                                {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, base64] : rows) {
    CHECK(Base64Encode(text) == base64);
    CHECK(Base64Decode(base64).value() == text);
    std::string bare(base64.substr(0, base64.find('=')));
    CHECK(Base64UrlEncode(text) == bare);
    CHECK(Base64UrlDecode(bare).value() == text);
    CHECK(Base64UrlDecode(base64).value() == text);  // padding is allowed there
  }
}

TEST_CASE("the two alphabets differ in two characters and are never mixed") {
  CHECK(Base64Encode("\xfb\xff\xfe") == "+//+");
  CHECK(Base64UrlEncode("\xfb\xff\xfe") == "-__-");
  CHECK(Base64Decode("+//+").value() == "\xfb\xff\xfe");
  CHECK(Base64Decode("-__-").value() == "\xfb\xff\xfe");
  CHECK(Base64Decode("-_8").value() == "\xfb\xff");  // the URL alphabet may do without padding
  CHECK(Base64UrlDecode("-__-").value() == "\xfb\xff\xfe");
}

TEST_CASE("any bytes come back") {
  auto random = SeededRandom(3);
  for (size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    random->Fill(bytes.data(), size);
    CHECK(Base64Decode(Base64Encode(bytes)).value() == bytes);
    CHECK(Base64UrlDecode(Base64UrlEncode(bytes)).value() == bytes);
    std::string spaced;
    for (char c : Base64Encode(bytes))
      spaced += std::string(random->Below(2), ' ') + c + (random->Below(5) == 0 ? "\r\n\t" : "");
    CHECK(Base64Decode(spaced, true).value() == bytes);
  }
}

TEST_CASE("what is not base64 is refused at its first bad position") {
  struct Row {
    std::string text;
    std::string_view where;
  };
  const Row rows[] = {
      {"Z", "position 1 is where the text breaks off"},
      {"Zg", "position 2 is where the text breaks off"},  // the standard alphabet must be padded
      {"Zm9vY", "position 5 is where the text breaks off"},
      {"Zg=", "position 3 is where the text breaks off"},
      {"Zg===", "position 4 is padding out of place"},
      {"=", "position 0 is padding out of place"},
      {"Z===", "position 1 is padding out of place"},
      {"Zm9v=", "position 4 is padding out of place"},
      {"Zg==Zg==", "position 4 follows the padding"},
      {"Zg=g", "position 3 follows the padding"},
      {"Zh==", "position 4 is where the last group has stray bits"},
      {"Zm9=", "position 4 is where the last group has stray bits"},
      {"Zm9v!m9v", "position 4 is not a base64 character"},
      {"Zm9vZ\xFF", "position 5 is not a base64 character"},
      {std::string("Zm9v\0m9v", 8), "position 4 is not a base64 character"},
      {"Zm 9v", "position 2 is not a base64 character"},  // white space only when asked for
      {"Zm9v\n", "position 4 is not a base64 character"},
      {"+m9v-m9v", "position 4 mixes the two base64 alphabets"},
      {"Zm9v_m9vZm9v/m9v", "position 12 mixes the two base64 alphabets"},
      {"+-9v", "position 1 mixes the two base64 alphabets"},
      {"Zm9+Zm9vZm-v", "position 10 mixes the two base64 alphabets"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    auto bytes = Base64Decode(row.text);
    REQUIRE_FALSE(bytes.ok());
    CHECK(CodeOf(bytes.status()) == Code::kInvalid);
    CHECK(InfoOf(bytes.status()).message == "The text is not base64: " + std::string(row.where) + ".");
  }
  CHECK(InfoOf(Base64UrlDecode("Zm9v+").status()).message ==
        "The text is not base64: position 4 is not a base64 character.");
  CHECK_FALSE(Base64UrlDecode("Zm9v/m9v").ok());
  CHECK_FALSE(Base64UrlDecode("Zg=").ok());
  CHECK_FALSE(Base64UrlDecode("Z").ok());
  CHECK_FALSE(Base64UrlDecode("Zh").ok());
  CHECK(Base64Decode(" Z g = = \n", true).value() == "f");
  CHECK_FALSE(Base64Decode("Zg\v==", true).ok());
}
