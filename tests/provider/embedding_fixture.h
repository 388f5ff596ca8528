// What the tests of embeddings share.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "provider/embedding.h"
#include "provider/openai_fixture.h"

namespace mediagen::testing {

inline std::unique_ptr<Embedder> NewTestEmbedder(std::string type, std::string key = "a-secret-key",
                                                 std::string base = "") {
  ProviderConfig config;
  config.name = "mine";
  config.type = std::move(type);
  config.api_key = std::move(key);
  config.allow_private_network = base.starts_with("http:");
  config.base_url = std::move(base);
  return NewEmbedder(std::move(config)).value();
}

}  // namespace mediagen::testing
