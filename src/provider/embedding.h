// Embedder: one provider's wire for embeddings, as pure functions between documents, like Adapter
// (provider.h). It sends nothing, keeps nothing and knows no clock.
//
// Thread-safe: embedders are immutable. No function throws; a hostile answer is a failure, never a crash.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "provider/provider.h"

namespace mediagen {

using EmbeddingVector = std::vector<float>;

struct EmbedAnswer {
  bool ok = false;
  std::vector<EmbeddingVector> vectors;  // ok: one a text, in the order of the texts, all of one size
  Failure failure;                       // not ok
  std::optional<int64_t> cost_micros;    // USD, where the provider reports it
  std::optional<uint64_t> tokens;        // of all texts, where the provider reports it
};

class Embedder {
 public:
  virtual ~Embedder() = default;

  virtual const ProviderConfig& config() const = 0;
  // Whether a request must never be repeated by itself. Embeddings cost little and change nothing: an
  // interrupted request simply runs again.
  bool billed() const { return false; }
  // How many texts one request takes.
  virtual size_t max_batch() const = 0;
  // kUnauthorized when a key is needed and missing.
  virtual Status CheckReady() const = 0;

  // `dimensions` 0: the model's own. kInvalid for no text, an empty one, or more than max_batch.
  virtual StatusOr<HttpRequest> BuildEmbed(std::span<const std::string> texts, std::string_view model,
                                           int dimensions) const = 0;
  // `response` in any state of progress, to a request of `count` texts.
  virtual EmbedAnswer ParseEmbed(const HttpResponse& response, size_t count) const = 0;
};

// The embedder for `config.type` ("openai", "openrouter", "gemini"; the name where it is empty). kUnsupported
// for a type that has none, kInvalid for a bad base URL.
StatusOr<std::unique_ptr<Embedder>> NewEmbedder(ProviderConfig config);

}  // namespace mediagen
