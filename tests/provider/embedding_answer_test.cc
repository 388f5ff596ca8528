// Answers with embeddings, by their bytes.
#include <doctest/doctest.h>

#include "provider/embedding_fixture.h"

namespace mediagen {
namespace {

using testing::Answer;
using testing::Broken;
using testing::NewTestEmbedder;
using testing::NotSent;

TEST_CASE("vectors come as numbers or as base64, and are ordered by their index") {
  const std::vector<EmbeddingVector> expected = {{1.0F, -2.5F}, {0.5F, 0.0F}};
  for (
      const char* body :
      {R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,-2.5]},{"index":1,"embedding":[0.5,0]}],
            "usage":{"prompt_tokens":4,"total_tokens":4,"cost":0.0000012}})",
       R"({"data":[{"index":1,"embedding":"AAAAPwAAAAA="},{"index":0,"embedding":"AACAPwAAIMA="}],
            "usage":{"total_tokens":4,"cost":0.0000012}})",
       R"({"data":[{"embedding":"AACAPwAAIMA="},{"embedding":[5e-1,0]}],"usage":{"total_tokens":"4","cost":1.2e-6}})"}) {
    CAPTURE(body);
    EmbedAnswer answer = NewTestEmbedder("openrouter")->ParseEmbed(Answer(200, body), 2);
    CHECK(answer.ok);
    CHECK(answer.vectors == expected);
    CHECK(answer.tokens == 4);
    CHECK(answer.cost_micros == 1);
  }
  EmbedAnswer one =
      NewTestEmbedder("gemini")->ParseEmbed(Answer(200, R"({"embedding":{"values":[1,-2.5]}})"), 1);
  CHECK(one.ok);
  CHECK(one.vectors == std::vector<EmbeddingVector>{{1.0F, -2.5F}});
  CHECK_FALSE(one.tokens.has_value());
  EmbedAnswer two = NewTestEmbedder("gemini")->ParseEmbed(
      Answer(200, R"({"embeddings":[{"values":[1,-2.5]},{"values":[0.5,0]}]})"), 2);
  CHECK(two.vectors == expected);
}

TEST_CASE("vectors that are not what was asked for are a failure that may be tried again") {
  const char* bodies[] = {
      "",
      "x",
      "[]",
      "null",
      "{}",
      R"({"data":7})",
      R"({"data":[]})",
      R"({"data":[{"index":0,"embedding":[1]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[2]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":-1,"embedding":[2]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":18446744073709551615,"embedding":[2]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":"x","embedding":[2]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[2,3]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":["2"]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1e39]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[null]}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":{}}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":"AAA"}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":"AAA="}]})",
      R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":"AADAfw=="}]})",  // not a number
      R"({"data":[{"index":0,"embedding":[1]},{"index":1}]})",
      R"({"data":[1,2]})",
      R"({"data":[[],[]]})",
      R"({"embeddings":[{"values":[1]}]})",
      R"({"embeddings":[{"values":[1]},7]})",
      R"({"embedding":7,"embeddings":7})",
      R"({"embeddings":[{"values":[1]},{"values":[1,2]}]})",
      R"({"embeddings":[{"values":[1]},{"values":"AAAA"}]})"};
  for (const char* body : bodies) {
    for (const char* type : {"openai", "gemini"}) {
      CAPTURE(body);
      CAPTURE(type);
      EmbedAnswer answer = NewTestEmbedder(type)->ParseEmbed(Answer(200, body), 2);
      CHECK_FALSE(answer.ok);
      CHECK(answer.vectors.empty());
      CHECK(answer.failure.error_class == ErrorClass::kServer);
      CHECK(answer.failure.retryable);
      CHECK_FALSE(answer.failure.message.empty());
    }
  }
  CHECK_FALSE(NewTestEmbedder("openai")->ParseEmbed(Answer(200, R"({"data":[]})"), 0).ok);
}

TEST_CASE("embeddings fail with the provider's own words and hints") {
  struct Row {
    const char* type;
    HttpResponse response;
    ErrorClass error_class;
    bool retryable;
    int64_t retry_after_ms;
    const char* provider_code;
  };
  const char* minute =
      R"({"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[7,{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"PerMinute"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}})";
  const char* day =
      R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"x.RetryInfo","retryDelay":"3s"},{"@type":"x.QuotaFailure","violations":[{"quotaId":"EmbedPerDay"}]}]}})";
  const Row rows[] = {
      {"openai", Answer(429, R"({"error":{"code":"insufficient_quota"}})"), ErrorClass::kBilling, false, -1,
       "insufficient_quota"},
      {"openai", Answer(200, R"({"error":{"code":"insufficient_quota"}})"), ErrorClass::kBilling, false, -1,
       "insufficient_quota"},
      {"openai", Answer(429, "", {{"retry-after-ms", "5"}}), ErrorClass::kRateLimited, true, 5, ""},
      {"openai", Answer(500, "<html>"), ErrorClass::kServer, true, -1, ""},
      {"openrouter", Answer(402, R"({"error":{"code":402,"message":"pay"}})"), ErrorClass::kBilling, false,
       -1, "402"},
      {"gemini", Answer(429, minute), ErrorClass::kRateLimited, true, 34'400, "RESOURCE_EXHAUSTED"},
      {"gemini", Answer(429, day), ErrorClass::kRateLimited, false, 3'600'000, "RESOURCE_EXHAUSTED"},
      {"gemini", Answer(429, R"({"error":{"details":[{"@type":"x.RetryInfo","retryDelay":"s"}]}})"),
       ErrorClass::kRateLimited, true, -1, ""},
      {"gemini", Answer(400, R"({"error":{"status":"INVALID_ARGUMENT","details":7}})"), ErrorClass::kInvalid,
       false, -1, "INVALID_ARGUMENT"},
      {"gemini", Answer(503, "[]"), ErrorClass::kOverloaded, true, -1, ""},
      {"gemini", Broken(200, "{"), ErrorClass::kServer, true, -1, ""},
      {"openai", Broken(0, ""), ErrorClass::kServer, true, -1, ""},
      {"openai", NotSent(Error(Code::kTimeout, "late")), ErrorClass::kTimeout, true, -1, ""},
      {"openai", Answer(301, "", {{"location", "https://evil.example"}}), ErrorClass::kServer, true, -1, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.response.status);
    CAPTURE(row.response.body);
    EmbedAnswer answer = NewTestEmbedder(row.type)->ParseEmbed(row.response, 1);
    CHECK_FALSE(answer.ok);
    CHECK(answer.failure.error_class == row.error_class);
    CHECK(answer.failure.retryable == row.retryable);
    CHECK(answer.failure.retry_after_ms == row.retry_after_ms);
    CHECK(answer.failure.provider_code == row.provider_code);
    CHECK_FALSE(answer.failure.message.empty());
  }
  EmbedAnswer leak = NewTestEmbedder("gemini")->ParseEmbed(
      Answer(400, R"({"error":{"message":"bad a-secret-key","status":"a-secret-key"}})"), 1);
  CHECK(leak.failure.message.find("a-secret-key") == std::string::npos);
  CHECK(leak.failure.provider_code.find("a-secret-key") == std::string::npos);
}

}  // namespace
}  // namespace mediagen
