// Embeddings of Gemini: POST /models/{model}:embedContent for one text, :batchEmbedContents for several. The
// API reports neither tokens nor cost.
#include <charconv>

#include "fmt/format.h"
#include "provider/embedding/wire_embedder.h"
#include "provider/failure.h"
#include "provider/wire_adapter.h"

namespace mediagen::embedding {
namespace {

constexpr std::string_view kBaseUrl = "https://generativelanguage.googleapis.com/v1beta";
constexpr size_t kMaxBatch = 100;  // what Google's clients send at once; no bound is documented
constexpr double kMaxHintMs = 3'600'000;

// "34.4s" → 34400; -1 for anything else.
int64_t DelayMs(std::string_view text) {
  double seconds = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (error != std::errc() || end + 1 != text.data() + text.size() || *end != 's' || !(seconds >= 0))
    return -1;
  return static_cast<int64_t>(std::min(seconds * 1000, kMaxHintMs));
}

// Google's errors say in their body when to come back. A quota of a day does not refill soon, whatever the
// delay says.
void ReadDetails(const Json& error, std::string_view secret, Failure* failure) {
  failure->provider_code = Shorten(SafeText(TextOf(error, "status"), secret), 80);
  for (const Json& detail : ListOf(error, "details")) {
    if (TextOf(detail, "@type").ends_with("RetryInfo") && failure->retry_after_ms < 0)
      failure->retry_after_ms = DelayMs(TextOf(detail, "retryDelay"));
    for (const Json& violation : ListOf(detail, "violations")) {
      if (TextOf(violation, "quotaId").find("PerDay") == std::string::npos) continue;
      failure->retryable = false;
      failure->retry_after_ms = static_cast<int64_t>(kMaxHintMs);
      return;
    }
  }
}

class GeminiEmbedder final : public WireEmbedder {
 public:
  GeminiEmbedder(ProviderConfig config, Endpoint endpoint)
      : WireEmbedder(std::move(config), std::move(endpoint), "GEMINI_API_KEY", kMaxBatch) {}

  StatusOr<HttpRequest> BuildEmbed(std::span<const std::string> texts, std::string_view model,
                                   int dimensions) const override {
    RETURN_IF_ERROR(Check(texts, model, dimensions));
    if (model.starts_with("models/")) model.remove_prefix(7);
    if (!IsPathSegment(model))
      return Error(Code::kInvalid,
                   fmt::format("\"{}\" is no name of a Gemini model.", Shorten(ReplaceBadUtf8(model), 80)));
    Json requests = Json::array();
    for (const std::string& text : texts) {
      Json request = {{"model", fmt::format("models/{}", model)},
                      {"content", {{"parts", Json::array({{{"text", text}}})}}}};
      if (dimensions > 0) request["outputDimensionality"] = dimensions;
      requests.push_back(std::move(request));
    }
    if (texts.size() == 1) return Post(fmt::format("/models/{}:embedContent", model), requests[0]);
    return Post(fmt::format("/models/{}:batchEmbedContents", model), {{"requests", std::move(requests)}});
  }

 protected:
  void AddHeaders(HttpRequest* request) const override {
    request->headers.emplace_back("x-goog-api-key", config_.api_key);
  }

  Failure ReadFailure(const HttpResponse& response) const override {
    Failure failure = FailureOf(response, config_.api_key);
    if (response.progress != HttpProgress::kAnswered) return failure;
    StatusOr<Json> document =
        ParseJson(response.body, "the answer", {.max_bytes = 64 << 10, .max_depth = 16});
    if (document.ok()) ReadDetails(ObjectOf(*document, "error"), config_.api_key, &failure);
    return failure;
  }

  void Read(const Json& document, size_t, EmbedAnswer* answer) const override {
    const Json& one = ObjectOf(document, "embedding");
    if (!one.empty()) answer->vectors.push_back(ReadVector(ListOf(one, "values")));
    for (const Json& item : ListOf(document, "embeddings"))
      answer->vectors.push_back(ReadVector(ListOf(item, "values")));
  }
};

}  // namespace

StatusOr<std::unique_ptr<Embedder>> NewGemini(ProviderConfig config) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Make(config, kBaseUrl));
  return std::unique_ptr<Embedder>(std::make_unique<GeminiEmbedder>(std::move(config), std::move(endpoint)));
}

}  // namespace mediagen::embedding
