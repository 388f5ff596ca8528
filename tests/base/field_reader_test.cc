#include <doctest/doctest.h>

#include "base/json.h"

using namespace mediagen;

namespace {

// Reads one field of `text` by `read` and gives the message of Finish(), "" for OK.
template <typename Read>
std::string Reading(std::string_view text, Read read) {
  Json json = Json::parse(text);
  FieldReader fields(json, "request");
  read(fields);
  Status status = fields.Finish();
  return status.ok() ? "" : InfoOf(status).message;
}

}  // namespace

TEST_CASE("fields are read, and absent or null ones leave their target alone") {
  Json json = Json::parse(
      R"({"s":"text","o":"opt","i":-5,"b":true,"n":1.5,"obj":{"x":1},"arr":[1,2],"any":[null],"null":null})");
  FieldReader fields(json, "request");
  std::string s = "before", absent = "before", null = "before";
  std::optional<std::string> o, o_absent, o_null;
  int64_t i = 0, i_absent = 9;
  bool b = false, b_absent = true;
  double n = 0;
  Json obj, arr, any, obj_absent = 5;
  fields.String("s", &s, {.required = true});
  fields.String("absent", &absent);
  fields.String("null", &null);
  fields.OptionalString("o", &o, {});
  fields.OptionalString("absent", &o_absent, {});
  fields.OptionalString("null", &o_null, {});
  fields.Int("i", &i, -5, 5);
  fields.Int("absent", &i_absent, 0, 1);
  fields.Bool("b", &b);
  fields.Bool("null", &b_absent);
  fields.Number("n", &n, 0, 2);
  fields.Object("obj", &obj);
  fields.Object("absent", &obj_absent);
  fields.Array("arr", &arr, 2);
  fields.Any("any", &any);
  CHECK(fields.Take("absent") == nullptr);
  CHECK(fields.Take("null") == nullptr);
  CHECK(*fields.Take("i") == -5);
  CHECK(fields.Finish().ok());
  CHECK(s == "text");
  CHECK(absent == "before");
  CHECK(null == "before");
  CHECK(o == "opt");
  CHECK_FALSE(o_absent.has_value());
  CHECK_FALSE(o_null.has_value());
  CHECK(i == -5);
  CHECK(i_absent == 9);
  CHECK(b);
  CHECK(b_absent);
  CHECK(n == 1.5);
  CHECK(obj == Json{{"x", 1}});
  CHECK(obj_absent == 5);
  CHECK(arr == Json::array({1, 2}));
  CHECK(any == Json::array({nullptr}));
}

TEST_CASE("strings: required, size and choice") {
  std::string out = "before";
  auto string = [&](FieldReader::StringRule rule) {
    return [&out, rule](FieldReader& f) { f.String("p", &out, rule); };
  };
  CHECK(Reading("{}", string({.required = true})) == "\"p\" in request is required.");
  CHECK(Reading(R"({"p":null})", string({.required = true})) == "\"p\" in request is required.");
  CHECK(Reading(R"({"p":" \n"})", string({.required = true})) == "\"p\" in request must not be empty.");
  CHECK(Reading(R"({"p":5})", string({})) == "\"p\" in request must be a string.");
  CHECK(Reading(R"({"p":"abcd"})", string({.max_bytes = 3})) ==
        "\"p\" in request has 4 bytes; at most 3 are taken.");
  CHECK(Reading(R"({"p":"c"})", string({.one_of = {"a", "b"}})) == "\"p\" in request must be one of: a, b.");
  CHECK(out == "before");
  CHECK(Reading(R"({"p":"abc"})", string({.max_bytes = 3})) == "");
  CHECK(Reading(R"({"p":"b"})", string({.one_of = {"a", "b"}})) == "");
  CHECK(out == "b");
  CHECK(Reading(R"({"p":""})", string({})) == "");
  CHECK(out == "");

  std::optional<std::string> optional;
  CHECK(Reading(R"({"p":1})", [&](FieldReader& f) { f.OptionalString("p", &optional, {}); }) ==
        "\"p\" in request must be a string.");
  CHECK_FALSE(optional.has_value());
  CHECK(Reading(R"({"p":""})", [&](FieldReader& f) { f.OptionalString("p", &optional, {}); }) == "");
  CHECK(optional == "");

  Json json = Json::parse(R"({"p":"abcd"})");
  FieldReader fields(json, "request");
  fields.String("p", &out, {.max_bytes = 3});
  CHECK(InfoOf(fields.Finish()).code == Code::kTooLarge);
  CHECK(InfoOf(fields.Finish()).object == "p");
}

TEST_CASE("numbers: kind and range, to the edges of their types") {
  int64_t i = 7;
  auto whole = [&](FieldReader& f) { f.Int("n", &i, 1, 10); };
  for (const char* bad :
       {"0", "11", "1.0", "\"1\"", "true", "[]", "1e30", "18446744073709551615", "-9223372036854775808"}) {
    CHECK(Reading("{\"n\":" + std::string(bad) + "}", whole) ==
          "\"n\" in request must be a whole number from 1 to 10.");
  }
  CHECK(i == 7);
  CHECK(Reading(R"({"n":10})", whole) == "");
  CHECK(i == 10);
  auto any = [&](FieldReader& f) { f.Int("n", &i, INT64_MIN, INT64_MAX); };
  CHECK(Reading(R"({"n":9223372036854775807})", any) == "");
  CHECK(i == INT64_MAX);
  CHECK(Reading(R"({"n":-9223372036854775808})", any) == "");
  CHECK(i == INT64_MIN);
  CHECK(Reading(R"({"n":9223372036854775808})", any) != "");

  double n = 7;
  auto number = [&](FieldReader& f) { f.Number("n", &n, 0, 1); };
  for (const char* bad : {"-0.01", "1.01", "\"1\"", "false", "{}"}) {
    CHECK(Reading("{\"n\":" + std::string(bad) + "}", number) ==
          "\"n\" in request must be a number from 0 to 1.");
  }
  CHECK(n == 7);
  CHECK(Reading(R"({"n":1})", number) == "");
  CHECK(n == 1);
}

TEST_CASE("booleans, objects and arrays are not guessed") {
  bool b = false;
  Json out = "before";
  for (const char* bad : {"1", "\"true\"", "[]"}) {
    CHECK(Reading("{\"x\":" + std::string(bad) + "}", [&](FieldReader& f) { f.Bool("x", &b); }) ==
          "\"x\" in request must be true or false.");
  }
  CHECK(Reading(R"({"x":[]})", [&](FieldReader& f) { f.Object("x", &out); }) ==
        "\"x\" in request must be an object.");
  CHECK(Reading(R"({"x":{}})", [&](FieldReader& f) { f.Array("x", &out, 3); }) ==
        "\"x\" in request must be an array.");
  CHECK(Reading(R"({"x":[1,2,3]})", [&](FieldReader& f) { f.Array("x", &out, 2); }) ==
        "\"x\" in request may hold at most 2 items.");
  CHECK(out == "before");
}

TEST_CASE("unknown fields are named, with the fields there are") {
  std::string s;
  Json json = Json::parse(R"({"promt":"x","n":1,"prompt":"y"})");
  FieldReader fields(json, "request");
  fields.String("prompt", &s);
  CHECK(fields.Take("size") == nullptr);
  ErrorInfo info = InfoOf(fields.Finish());
  CHECK(info.code == Code::kInvalid);
  CHECK(info.message == "request has unknown fields: \"n\", \"promt\".");
  CHECK(info.hint == "The fields are: prompt, size.");
  CHECK(Reading(R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1})", [](FieldReader&) {}) ==
        "request has unknown fields: \"a\", \"b\", \"c\", \"d\", \"e\", ….");
}

TEST_CASE("the first error is kept and nothing is read after it") {
  std::string s = "before";
  int64_t i = 0;
  Json json = Json::parse(R"({"i":"no","s":"text","unknown":1})");
  FieldReader fields(json, "request");
  fields.Int("i", &i, 0, 1);
  CHECK_FALSE(fields.ok());
  fields.String("s", &s, {.required = true});
  fields.Refuse("s", "is wrong");
  CHECK(s == "before");
  CHECK(InfoOf(fields.Finish()).message == "\"i\" in request must be a whole number from 0 to 1.");
}

TEST_CASE("what is not an object is refused, whatever is asked of it") {
  for (const char* text : {"[]", "null", "5", "\"x\""}) {
    std::string s;
    std::optional<std::string> o;
    CHECK(Reading(text, [&](FieldReader& f) {
            f.String("p", &s, {.required = true});
            f.OptionalString("p", &o, {});
          }) == "request must be a JSON object.");
  }
}
