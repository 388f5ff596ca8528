// Embeddings of OpenAI, of servers that are like it, and of OpenRouter: POST /embeddings.
#include "fmt/format.h"
#include "provider/embedding/wire_embedder.h"
#include "provider/openai/error.h"
#include "provider/openai/model.h"
#include "provider/wire_adapter.h"

namespace mediagen::embedding {
namespace {

struct Dialect {
  std::string_view key_name;
  size_t max_batch;
  // Base64 is a third of the bytes; servers that are like OpenAI may not know it, or refuse it.
  std::string_view encoding;
};

// OpenAI takes arrays of up to 2048. Nobody else documents a bound; some local servers stop at 32.
constexpr Dialect kOpenAi{"OPENAI_API_KEY", 2048, "base64"};
constexpr Dialect kLikeOpenAi{"", 32, "float"};
constexpr Dialect kOpenRouter{"OPENROUTER_API_KEY", 100, "float"};

class OpenAiEmbedder final : public WireEmbedder {
 public:
  OpenAiEmbedder(ProviderConfig config, Endpoint endpoint, const Dialect& dialect)
      : WireEmbedder(std::move(config), std::move(endpoint), dialect.key_name, dialect.max_batch),
        encoding_(dialect.encoding) {}

  StatusOr<HttpRequest> BuildEmbed(std::span<const std::string> texts, std::string_view model,
                                   int dimensions) const override {
    RETURN_IF_ERROR(Check(texts, model, dimensions));
    Json body = {{"model", model}, {"input", Json::array()}, {"encoding_format", encoding_}};
    for (const std::string& text : texts) body["input"].push_back(text);
    if (dimensions > 0) body["dimensions"] = dimensions;
    return Post("/embeddings", body);
  }

 protected:
  void AddHeaders(HttpRequest* request) const override {
    if (!config_.api_key.empty()) request->headers.emplace_back("Authorization", "Bearer " + config_.api_key);
    if (config_.type != "openrouter") return;
    if (!config_.app_url.empty()) request->headers.emplace_back("HTTP-Referer", config_.app_url);
    if (!config_.app_title.empty()) request->headers.emplace_back("X-OpenRouter-Title", config_.app_title);
  }

  Failure ReadFailure(const HttpResponse& response) const override {
    return openai::ReadError(response, config_.api_key);
  }

  void Read(const Json& document, size_t count, EmbedAnswer* answer) const override {
    const Json& usage = ObjectOf(document, "usage");
    answer->tokens = WholeNumberOf(usage, "total_tokens");
    answer->cost_micros = MicrosOf(usage, "cost");
    const Json& data = ListOf(document, "data");
    if (data.empty() && openai::HoldsError(document))
      answer->failure = openai::ErrorIn(document, config_.api_key);
    if (data.size() != count) return;
    std::vector<EmbeddingVector> vectors(count);
    for (size_t i = 0; i < count; ++i) {
      // Where a server leaves the index out, the order is that of the texts.
      const bool has_index = data[i].is_object() && data[i].contains("index");
      const std::optional<uint64_t> index =
          has_index ? WholeNumberOf(data[i], "index") : std::optional<uint64_t>(i);
      if (!index || *index >= count || !vectors[*index].empty() || !data[i].is_object() ||
          !data[i].contains("embedding"))
        return;
      vectors[*index] = ReadVector(data[i]["embedding"]);
    }
    answer->vectors = std::move(vectors);
  }

 private:
  const std::string encoding_;
};

StatusOr<std::unique_ptr<Embedder>> Make(ProviderConfig config, std::string_view base, const Dialect& dialect,
                                         const Dialect& elsewhere) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Make(config, base));
  const Dialect& own = endpoint.SameOrigin(base) ? dialect : elsewhere;
  return std::unique_ptr<Embedder>(
      std::make_unique<OpenAiEmbedder>(std::move(config), std::move(endpoint), own));
}

}  // namespace

StatusOr<std::unique_ptr<Embedder>> NewOpenAi(ProviderConfig config) {
  return Make(std::move(config), openai::kBaseUrl, kOpenAi, kLikeOpenAi);
}

StatusOr<std::unique_ptr<Embedder>> NewOpenRouter(ProviderConfig config) {
  return Make(std::move(config), "https://openrouter.ai/api/v1", kOpenRouter, kOpenRouter);
}

}  // namespace mediagen::embedding
