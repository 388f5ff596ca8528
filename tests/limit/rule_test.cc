#include <doctest/doctest.h>

#include "limit/limiter.h"

namespace mediagen {
namespace {

TEST_CASE("a rule is a count, a slash and a window") {
  struct Row {
    const char* text;
    int64_t limit, window_ms;
  };
  for (const Row& row :
       {Row{"5/min", 5, 60'000}, Row{"60/min", 60, 60'000}, Row{"100/10s", 100, 10'000},
        Row{"3000/h", 3000, 3'600'000}, Row{"1/s", 1, 1'000}, Row{"2/31d", 2, 2'678'400'000},
        Row{"10/d", 10, 86'400'000}, Row{"7/90min", 7, 5'400'000}, Row{"1000000/s", 1'000'000, 1'000}}) {
    CAPTURE(row.text);
    auto rule = ParseLimitRule("name", row.text);
    REQUIRE(rule.ok());
    CHECK(rule->name == "name");
    CHECK(rule->limit == row.limit);
    CHECK(rule->window_ms == row.window_ms);
  }
}

TEST_CASE("anything else is refused, with an example of what is right") {
  for (const char* text : {"",
                           "/",
                           "5",
                           "5/",
                           "/min",
                           "5/m",
                           "5/minute",
                           "5/MIN",
                           "5/10",
                           "5 /min",
                           "5/ min",
                           " 5/min",
                           "5/min ",
                           "5/1 0s",
                           "0/min",
                           "5/0s",
                           "05/min",
                           "5/01s",
                           "+5/min",
                           "-5/min",
                           "5/-1s",
                           "5.5/min",
                           "5/1.5s",
                           "5/min/s",
                           "5/mins",
                           "5//min",
                           "0x5/min",
                           "5/32d",
                           "5/1000000000000d",
                           "9223372036854775808/min",
                           "5/9223372036854775807d",
                           "5/99999999999999999999s",
                           "9223372036854775807/s",
                           "1000001/s",
                           "5/ms",
                           "\x80/s"}) {
    CAPTURE(text);
    CHECK(CodeOf(ParseLimitRule("name", text).status()) == Code::kInvalid);
  }
  ErrorInfo info = InfoOf(ParseLimitRule("uploads", "lots").status());
  CHECK(info.message.find("uploads") != std::string::npos);
  CHECK(info.message.find("lots") != std::string::npos);
  CHECK(info.hint.find("5/min") != std::string::npos);
  CHECK(CodeOf(ParseLimitRule("name", std::string_view("5/s\0", 4)).status()) == Code::kInvalid);
}

TEST_CASE("a name is one to 128 bytes without control characters") {
  for (std::string name : {std::string(), std::string("a\tb"), std::string("a\n"), std::string(1, '\0'),
                           std::string("\x7F"), std::string(129, 'a')}) {
    CHECK(CodeOf(ParseLimitRule(name, "5/min").status()) == Code::kInvalid);
  }
  CHECK(ParseLimitRule(std::string(128, 'a'), "5/min").ok());
  CHECK(ParseLimitRule("per picture, ünïcode", "5/min").ok());
}

TEST_CASE("a rule that was made by hand is held to the same bounds") {
  CHECK(CheckLimitRule({"r", 1, 1}).ok());
  CHECK(CheckLimitRule({"r", 1000, 1}).ok());
  CHECK(CodeOf(CheckLimitRule({"r", 1001, 1})) == Code::kInvalid);
  CHECK(CodeOf(CheckLimitRule({"r", 0, 1000})) == Code::kInvalid);
  CHECK(CodeOf(CheckLimitRule({"r", 5, 0})) == Code::kInvalid);
  CHECK(CodeOf(CheckLimitRule({"r", -5, 1000})) == Code::kInvalid);
  CHECK(CodeOf(CheckLimitRule({"r", 5, -1000})) == Code::kInvalid);
  CHECK(CodeOf(CheckLimitRule({"r", INT64_MAX, INT64_MAX})) == Code::kInvalid);
}

}  // namespace
}  // namespace mediagen
