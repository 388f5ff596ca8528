#include "base/json.h"

#include <doctest/doctest.h>

#include "fmt/format.h"

using namespace mediagen;

namespace {

std::string Refusal(std::string_view text, const JsonLimits& limits = {}) {
  auto json = ParseJson(text, "request", limits);
  return json.ok() ? "accepted" : InfoOf(json.status()).message;
}

std::string Nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
}

}  // namespace

TEST_CASE("valid JSON is parsed, escapes and numbers included") {
  auto json = ParseJson(
      R"( {"a": [1, -2.5, 1e3, true, null], "b": {"a": "\u00e9\ud83d\ude00\u0000"}, "": 18446744073709551615} )",
      "request");
  REQUIRE(json.ok());
  CHECK((*json)["a"][2] == 1000.0);
  CHECK((*json)["b"]["a"] == std::string("é😀\0", 7));
  CHECK((*json)[""] == UINT64_MAX);
}

TEST_CASE("hostile JSON is refused with the byte, counted from 1") {
  struct Row {
    std::string_view text, message;
  };
  const Row rows[] = {
      {"", "request is not valid JSON at byte 1."},
      {"{", "request is not valid JSON at byte 2."},
      {"{\"a\":}", "request is not valid JSON at byte 6."},
      {"[1,]", "request is not valid JSON at byte 4."},
      {"[1] 2", "request is not valid JSON at byte 5."},
      {"{'a':1}", "request is not valid JSON at byte 2."},
      {"[NaN]", "request is not valid JSON at byte 2."},
      {"[01]", "request is not valid JSON at byte 3."},
      {"[\"a\nb\"]", "request is not valid JSON at byte 4."},
      {"// c\n1", "request is not valid JSON at byte 1."},
      {"\"\\ud800\"", "request is not valid JSON at byte 8."},
      {"[1e400]", "request has a number out of range before byte 7."},
      {"\"a\xFF\"", "request is not valid UTF-8 at byte 3."},
      {"\"\xED\xA0\x80\"", "request is not valid UTF-8 at byte 2."},
      {R"({"a":1,"a":2})", "request has the key \"a\" twice in one object: see byte 10."},
      {R"({"x":{"a":1,"b":[{"a":1}],"\u0061":2}})",
       "request has the key \"a\" twice in one object: see byte 34."},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(Refusal(row.text) == row.message);
    CHECK(CodeOf(ParseJson(row.text, "request").status()) == Code::kInvalid);
  }
}

TEST_CASE("a duplicate is found among many keys, the objects between them left out") {
  auto object = [](int keys, int twice) {
    std::string text = "{";
    for (int i = 0; i < keys; ++i) text += fmt::format(R"("k{}":{{"k1":1}},)", i == keys - 1 ? twice : i);
    return text + R"("last":0})";
  };
  for (int keys : {2, 31, 32, 33, 34, 100}) {
    CAPTURE(keys);
    CHECK(ParseJson(object(keys, keys - 1), "request").ok());
    for (int twice : {0, keys - 2})
      CHECK(CodeOf(ParseJson(object(keys, twice), "request").status()) == Code::kInvalid);
  }
}

TEST_CASE("what is written is what nlohmann writes, byte for byte") {
  for (const char* text :
       {"null", "true", "[]", "{}", "[[],{}]",
        R"({"b":1,"a":-2,"c":18446744073709551615,"d":-9223372036854775808})", R"([0.1,1e300,-0.0,1.0])",
        R"(["","a","\"\\/\b\f\n\r\t\u0000\u001f\u007f","\u00e9\ud83d\ude00"])", R"({"":{"":[{"x":"y"}]}})"}) {
    CAPTURE(std::string(text));
    auto json = ParseJson(text, "it");
    REQUIRE(json.ok());
    CHECK(Dump(*json) == json->dump());
  }
}

TEST_CASE("the same key in two objects is no duplicate") {
  CHECK(Refusal(R"({"a":{"a":1},"b":{"a":{"a":1}},"c":[{"a":1},{"a":1}]})") == "accepted");
}

TEST_CASE("64 levels are taken, the 65th is refused where it opens") {
  CHECK(Refusal(Nested(64)) == "accepted");
  CHECK(Refusal(Nested(65)) == "request is nested more than 64 deep at byte 65.");
  CHECK(Refusal(Nested(100'000)) == "request is nested more than 64 deep at byte 65.");
  CHECK(Refusal(std::string(500'000, '[')) == "request is nested more than 64 deep at byte 65.");
  CHECK(Refusal("{\"a\":[{\"b\":1}]}", {.max_depth = 2}) == "request is nested more than 2 deep at byte 7.");
  CHECK(Refusal("[\"[[[\\\"[[[\", [], []]", {.max_depth = 2}) ==
        "accepted");  // brackets in strings, and side by side
}

TEST_CASE("a document past its bytes is kTooLarge") {
  CHECK(CodeOf(ParseJson("[1234]", "request", {.max_bytes = 5}).status()) == Code::kTooLarge);
  CHECK(ParseJson("[123]", "request", {.max_bytes = 5}).ok());
}

TEST_CASE("what is written is valid JSON, whatever the bytes") {
  CHECK(Dump(Json{{"b", 1}, {"a", "\xFF"}}) == "{\"a\":\"\uFFFD\",\"b\":1}");
  const std::string texts[] = {
      "", "plain", "q\"b\\n\nr\rt\tz", std::string("\0\x01\x1F\x7F", 4), "é😀\u2028", "\xFF bad \xE2\x82"};
  for (const std::string& text : texts) {
    std::string out = "x";
    AppendJsonString(text, &out);
    Json back = Json::parse(out.substr(1), nullptr, false);
    REQUIRE(back.is_string());
    CHECK(back.get<std::string>() == (IsUtf8(text) ? text : ReplaceBadUtf8(text)));
  }
  std::string out;
  AppendJsonString("a\x01\"", &out);
  CHECK(out == "\"a\\u0001\\\"\"");
}
