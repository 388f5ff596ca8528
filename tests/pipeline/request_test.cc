#include "pipeline/request.h"

#include <doctest/doctest.h>

using namespace mediagen;

namespace {

StatusOr<GenerationRequest> Parse(const std::string& json) {
  return ParseGenerationRequest(json, std::nullopt, std::nullopt);
}

}  // namespace

TEST_CASE("a request takes a seed as a decimal string or a whole number that JavaScript can hold") {
  struct Row {
    const char* seed;
    bool good;
  };
  for (const Row& row :
       {Row{"\"7\"", true}, Row{"\"18446744073709551615\"", true}, Row{"9007199254740991", true},
        Row{"9007199254740992", false}, Row{"\"18446744073709551616\"", false}, Row{"-1", false},
        Row{"\"\"", false}, Row{"\"7x\"", false}, Row{"1.5", false}, Row{"null", true}}) {
    CAPTURE(row.seed);
    CHECK(
        Parse(std::string(R"({"user":"u","provider":"sketch","prompt":"x","seed":)") + row.seed + "}").ok() ==
        row.good);
  }
}

TEST_CASE("every field out of its bounds is refused and named") {
  struct Row {
    const char* fields;
    Code code;
    const char* named;
  };
  for (const Row& row : {Row{R"("n":0)", Code::kInvalid, "\"n\""}, Row{R"("n":17)", Code::kInvalid, "\"n\""},
                         Row{R"("kind":"song")", Code::kInvalid, "kind"},
                         Row{R"("visibility":"secret")", Code::kInvalid, "visibility"},
                         Row{R"("metadata":[])", Code::kInvalid, "metadata"},
                         Row{R"("deadlineMs":1)", Code::kInvalid, "deadlineMs"},
                         Row{R"("webhookUrl":"https://h/x")", Code::kUnsupported, "webhookUrl"},
                         Row{R"("reuse":true)", Code::kUnsupported, "reuse"},
                         Row{R"("fallback":[{"model":"x"}])", Code::kInvalid, "provider"},
                         Row{R"("references":[{"file":"x"}])", Code::kInvalid, "references"},
                         Row{R"("session":"x")", Code::kInvalid, "id"},
                         Row{R"("size":"64x64","aspectRatio":"1:1")", Code::kInvalid, "aspectRatio"},
                         Row{R"("colour":"red")", Code::kInvalid, "colour"}}) {
    CAPTURE(row.fields);
    auto parsed = Parse(std::string(R"({"user":"u","provider":"sketch","prompt":"x",)") + row.fields + "}");
    REQUIRE_FALSE(parsed.ok());
    CHECK(CodeOf(parsed.status()) == row.code);
    CHECK(InfoOf(parsed.status()).message.find(row.named) != std::string::npos);
  }
}

TEST_CASE(
    "the body hash is the same for the same request, whatever the order of its fields, and ignores the key") {
  auto a = Parse(R"({"user":"u","provider":"sketch","prompt":"x","n":2,"idempotencyKey":"k1"})");
  auto b = Parse(R"({"n":2,"prompt":"x","provider":"sketch","user":"u","idempotencyKey":"k2"})");
  auto c = Parse(R"({"user":"u","provider":"sketch","prompt":"y","n":2})");
  REQUIRE((a.ok() && b.ok() && c.ok()));
  CHECK(a->BodyHash() == b->BodyHash());
  CHECK(a->BodyHash() != c->BodyHash());
}

TEST_CASE("a request survives being stored") {
  auto request = Parse(
      R"({"user":"u","provider":"sketch","prompt":"a \"fox\" ☃","n":3,"seed":"18446744073709551615","size":"64x32","options":{"steps":3}})");
  REQUIRE(request.ok());
  auto back = RequestFromJson(RequestJson(*request));
  REQUIRE(back.ok());
  CHECK(back->prompt == request->prompt);
  CHECK(back->seed == request->seed);
  CHECK(back->options == request->options);
  CHECK(PartOf(*back, 1, 2).n == 2);
}
