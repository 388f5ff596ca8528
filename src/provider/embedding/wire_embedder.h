// WireEmbedder: what embedders over the wire share: the key and where it may go, the checks of what is asked,
// and the reading of vectors.
//
// Thread-safe: immutable.
#pragma once

#include "base/json.h"
#include "provider/embedding.h"
#include "provider/endpoint.h"

namespace mediagen::embedding {

class WireEmbedder : public Embedder {
 public:
  const ProviderConfig& config() const override { return config_; }
  size_t max_batch() const override { return max_batch_; }
  Status CheckReady() const override;
  EmbedAnswer ParseEmbed(const HttpResponse& response, size_t count) const override;

 protected:
  // `key_name`: the environment variable that a missing key's error names; "": no key is needed.
  WireEmbedder(ProviderConfig config, Endpoint endpoint, std::string_view key_name, size_t max_batch)
      : config_(std::move(config)),
        endpoint_(std::move(endpoint)),
        key_name_(key_name),
        max_batch_(max_batch) {}

  // The key, or OK without one; a bound that the request breaks.
  Status Check(std::span<const std::string> texts, std::string_view model, int dimensions) const;
  // `body` to `path` below the base URL. Called after Check.
  HttpRequest Post(std::string_view path, const Json& body) const;

  virtual void AddHeaders(HttpRequest* request) const = 0;
  virtual Failure ReadFailure(const HttpResponse& response) const = 0;
  // The vectors of a complete 2xx, and what it says of cost. Leaves answer->vectors empty, and perhaps a
  // failure of its own, when it cannot be read.
  virtual void Read(const Json& document, size_t count, EmbedAnswer* answer) const = 0;

  const ProviderConfig config_;
  const Endpoint endpoint_;

 private:
  const std::string key_name_;
  const size_t max_batch_;
};

// A vector out of an array of finite numbers, or out of the base64 of little-endian 32-bit floats; empty when
// it is neither.
EmbeddingVector ReadVector(const Json& value);

StatusOr<std::unique_ptr<Embedder>> NewOpenAi(ProviderConfig config);
StatusOr<std::unique_ptr<Embedder>> NewOpenRouter(ProviderConfig config);
StatusOr<std::unique_ptr<Embedder>> NewGemini(ProviderConfig config);

}  // namespace mediagen::embedding
