#include "base/text.h"

#include <doctest/doctest.h>

using namespace mediagen;

TEST_CASE("UTF-8 is what RFC 3629 allows, and the first bad byte is found") {
  struct Row {
    std::string_view text;
    size_t valid;
  };
  const Row rows[] = {
      {"", 0},
      {"plain", 5},
      {"\x7F", 1},
      {"\xC2\x80", 2},          // U+0080
      {"\xDF\xBF", 2},          // U+07FF
      {"\xE0\xA0\x80", 3},      // U+0800
      {"\xED\x9F\xBF", 3},      // U+D7FF
      {"\xEE\x80\x80", 3},      // U+E000
      {"\xEF\xBF\xBF", 3},      // U+FFFF
      {"\xF0\x90\x80\x80", 4},  // U+10000
      {"\xF4\x8F\xBF\xBF", 4},  // U+10FFFF
      {"a\x80", 1},             // a continuation alone
      {"a\xBF", 1},
      {"a\xC0\x80", 1},  // overlong in two, three, four bytes
      {"a\xC1\xBF", 1},
      {"a\xE0\x9F\xBF", 1},
      {"a\xF0\x8F\xBF\xBF", 1},
      {"a\xED\xA0\x80", 1},  // surrogates U+D800 and U+DFFF
      {"a\xED\xBF\xBF", 1},
      {"a\xF4\x90\x80\x80", 1},  // U+110000
      {"a\xF5\x80\x80\x80", 1},
      {"a\xFF", 1},
      {"a\xC3", 1},  // cut short
      {"a\xE2\x82", 1},
      {"a\xF0\x9F\x98", 1},
      {"a\xE2\x28\xA1", 1},  // a continuation that is none
      {"a\xE2\x82\x28", 1},
      {"a\xF0\x9F\x28\x80", 1},
      {"0123456789abcdef\xFF", 16},  // behind the eight-byte steps
      {"0123456\xC3\xA9 and more text\xC3", 23},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(Utf8Prefix(row.text) == row.valid);
    CHECK(IsUtf8(row.text) == (row.valid == row.text.size()));
    CHECK(IsUtf8(ReplaceBadUtf8(row.text)));
  }
}

TEST_CASE("bytes that belong to no character become U+FFFD, the rest stays") {
  CHECK(ReplaceBadUtf8("a\xFF"
                       "b\xE2\x82") == "a\uFFFDb\uFFFD\uFFFD");
  CHECK(ReplaceBadUtf8("caf\xC3\xA9") == "caf\xC3\xA9");
}

TEST_CASE("a text is shortened at a character's end") {
  CHECK(Shorten("abc", 3) == "abc");
  CHECK(Shorten("abcd", 3) == "abc…");
  CHECK(Shorten("aé", 2) == "a…");
  CHECK(Shorten("aéb", 3) == "aé…");
  CHECK(Shorten("😀😀", 7) == "😀…");
  CHECK(Shorten("😀", 3) == "…");
  CHECK(Shorten("abc", 0) == "…");
  CHECK(Shorten("", 0) == "");
  CHECK(Shorten("\x80\x80\x80", 2) == "…");  // no character at all
}

TEST_CASE("case is ASCII's alone") {
  CHECK(ToLower("Content-TYPE[@Z`{É") == "content-type[@z`{É");
  CHECK(EqualsIgnoreCase("ETag", "etAG"));
  CHECK_FALSE(EqualsIgnoreCase("etag", "etag2"));
  CHECK_FALSE(EqualsIgnoreCase("[", "{"));
  CHECK_FALSE(EqualsIgnoreCase("\xC9", "\xE9"));  // É and é in Latin-1
}

TEST_CASE("white space is taken from both ends") {
  CHECK(Trim(" \t\r\n a b \n") == "a b");
  CHECK(Trim("ab") == "ab");
  CHECK(Trim(" \t").empty());
  CHECK(Trim("").empty());
}

TEST_CASE("a string map is searched without making a string") {
  StringMap<int> map;
  map["one"] = 1;
  std::string_view text = "one two";
  CHECK(map.find(text.substr(0, 3))->second == 1);
  CHECK(map.find(text) == map.end());
  CHECK(FromAbsl(ToAbsl(text)) == text);
}
