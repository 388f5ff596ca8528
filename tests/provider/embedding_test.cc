// What is asked for embeddings, of every type, and the simulator's answers to it.
#include <doctest/doctest.h>

#include "provider/embedding_fixture.h"
#include "support/simulator.h"

namespace mediagen {
namespace {

using testing::HeaderOf;
using testing::NewTestEmbedder;
using testing::Simulator;

const std::vector<std::string> kOne = {"a fox"}, kTwo = {"a fox", "a hen"};

TEST_CASE("each type asks at its own place, with its own header and its own document") {
  struct Row {
    const char *type, *base;
    std::vector<std::string> texts;
    const char* model;
    int dimensions;
    const char* url;
    Json body;
  };
  const Row rows[] = {
      {"openai",
       "",
       kTwo,
       "text-embedding-3-small",
       512,
       "https://api.openai.com/v1/embeddings",
       {{"model", "text-embedding-3-small"},
        {"input", kTwo},
        {"dimensions", 512},
        {"encoding_format", "base64"}}},
      {"openai",
       "http://127.0.0.1:80/v1",
       kOne,
       "m",
       0,
       "http://127.0.0.1:80/v1/embeddings",
       {{"model", "m"}, {"input", kOne}, {"encoding_format", "float"}}},
      {"openrouter",
       "",
       kOne,
       "openai/text-embedding-3-small",
       0,
       "https://openrouter.ai/api/v1/embeddings",
       {{"model", "openai/text-embedding-3-small"}, {"input", kOne}, {"encoding_format", "float"}}},
      {"gemini",
       "",
       kOne,
       "gemini-embedding-001",
       768,
       "https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:embedContent",
       {{"model", "models/gemini-embedding-001"},
        {"content", {{"parts", {{{"text", "a fox"}}}}}},
        {"outputDimensionality", 768}}},
      {"gemini",
       "",
       kTwo,
       "models/m",
       0,
       "https://generativelanguage.googleapis.com/v1beta/models/m:batchEmbedContents",
       {{"requests",
         {{{"model", "models/m"}, {"content", {{"parts", {{{"text", "a fox"}}}}}}},
          {{"model", "models/m"}, {"content", {{"parts", {{{"text", "a hen"}}}}}}}}}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.url);
    auto embedder = NewTestEmbedder(row.type, "a-secret-key", row.base);
    CHECK_FALSE(embedder->billed());
    HttpRequest request = embedder->BuildEmbed(row.texts, row.model, row.dimensions).value();
    CHECK(request.method == "POST");
    CHECK(request.url == row.url);
    CHECK(Json::parse(request.body) == row.body);
    CHECK_FALSE(request.once);  // may be sent again
    CHECK(request.max_redirects == 0);
    CHECK(request.guard_address == std::string(row.base).empty());
    const bool google = std::string(row.type) == "gemini";
    CHECK(HeaderOf(request, "x-goog-api-key") == (google ? "a-secret-key" : ""));
    CHECK(HeaderOf(request, "authorization") == (google ? "" : "Bearer a-secret-key"));
  }
}

TEST_CASE("OpenRouter is told which application asks") {
  ProviderConfig config;
  config.name = "openrouter";
  config.api_key = "k";
  config.app_url = "https://me.example";
  config.app_title = "Mine";
  HttpRequest request = NewEmbedder(config).value()->BuildEmbed(kOne, "m", 0).value();
  CHECK(HeaderOf(request, "http-referer") == "https://me.example");
  CHECK(HeaderOf(request, "x-openrouter-title") == "Mine");
}

TEST_CASE("what cannot be embedded is refused") {
  for (const char* type : {"openai", "openrouter", "gemini"}) {
    CAPTURE(type);
    auto embedder = NewTestEmbedder(type);
    CHECK(CodeOf(embedder->BuildEmbed({}, "m", 0).status()) == Code::kInvalid);
    CHECK(CodeOf(embedder->BuildEmbed(std::vector<std::string>{"x", ""}, "m", 0).status()) == Code::kInvalid);
    CHECK(CodeOf(embedder->BuildEmbed(kOne, "", 0).status()) == Code::kInvalid);
    CHECK(CodeOf(embedder->BuildEmbed(kOne, "m", -1).status()) == Code::kInvalid);
    CHECK(CodeOf(embedder->BuildEmbed(kOne, "m", 1 << 20).status()) == Code::kInvalid);
    std::vector<std::string> many(embedder->max_batch(), "x");
    CHECK(embedder->BuildEmbed(many, "m", 0).ok());
    many.push_back("x");
    CHECK(CodeOf(embedder->BuildEmbed(many, "m", 0).status()) == Code::kInvalid);
    CHECK(CodeOf(NewTestEmbedder(type, "")->BuildEmbed(kOne, "m", 0).status()) == Code::kUnauthorized);
    CHECK(InfoOf(NewTestEmbedder(type, "")->CheckReady()).hint.find("_API_KEY") != std::string::npos);
  }
  for (const char* model : {"../x", "a/b", "m?key=1", "m:embedContent"})
    CHECK(CodeOf(NewTestEmbedder("gemini")->BuildEmbed(kOne, model, 0).status()) == Code::kInvalid);
  CHECK(NewTestEmbedder("openai", "", "http://127.0.0.1:80/v1")
            ->BuildEmbed(kOne, "m", 0)
            .ok());  // a local server needs no key
  ProviderConfig config;
  config.name = "sketch";
  CHECK(CodeOf(NewEmbedder(config).status()) == Code::kUnsupported);
  config.type = "openai";
  config.base_url = "nonsense";
  CHECK(CodeOf(NewEmbedder(config).status()) == Code::kInvalid);
}

double Dot(const EmbeddingVector& a, const EmbeddingVector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

TEST_CASE("the simulator embeds: the same text the same, and texts that share words nearer to each other") {
  Simulator simulator;
  testing::HttpFixture http;
  for (const char* type : {"openai", "openrouter"}) {
    auto embedder = NewTestEmbedder(type, "key", simulator.url() + "/openai/v1");
    const std::vector<std::string> texts = {"a red fox", "stock market report", "a red hen"};
    auto embed = [&](std::span<const std::string> of, int dimensions) {
      return embedder->ParseEmbed(http.Call(embedder->BuildEmbed(of, "m", dimensions).value()), of.size());
    };
    EmbedAnswer answer = embed(texts, 128);
    REQUIRE(answer.ok);
    CHECK(answer.vectors[0].size() == 128);
    CHECK(answer.tokens.value_or(0) > 0);
    CHECK(Dot(answer.vectors[0], answer.vectors[0]) == doctest::Approx(1).epsilon(0.001));
    CHECK(Dot(answer.vectors[0], answer.vectors[2]) > Dot(answer.vectors[0], answer.vectors[1]) + 0.2);
    CHECK(embed(std::span(texts).subspan(2), 128).vectors[0] == answer.vectors[2]);
    CHECK(embed(texts, 0).vectors[0].size() == 64);
    // Base64, as OpenAI itself is asked for, decodes to the same numbers.
    HttpRequest request = embedder->BuildEmbed(texts, "m", 128).value();
    Json body = Json::parse(request.body);
    body["encoding_format"] = "base64";
    request.body = body.dump();
    CHECK(embedder->ParseEmbed(http.Call(request), 3).vectors == answer.vectors);
  }
  auto bad = NewTestEmbedder("openai", "bad", simulator.url() + "/openai/v1");
  CHECK(bad->ParseEmbed(http.Call(bad->BuildEmbed(kOne, "m", 0).value()), 1).failure.error_class ==
        ErrorClass::kAuth);
  CHECK(simulator.Journal().empty());  // nothing of it is a paid request
}

}  // namespace
}  // namespace mediagen
