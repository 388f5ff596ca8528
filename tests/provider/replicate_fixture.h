// What the tests of Replicate's wire share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "provider/provider.h"
#include "support/wire.h"

namespace mediagen::testing {

inline ProviderConfig ReplicateConfig() {
  ProviderConfig config;
  config.name = "replicate";
  config.api_key = "r8_secret_key";
  return config;
}

inline std::unique_ptr<Adapter> NewReplicate(ProviderConfig config = ReplicateConfig()) {
  return NewAdapter(std::move(config)).value();
}

inline PartRequest RedFox(std::string model = "black-forest-labs/flux-schnell") {
  PartRequest part;
  part.model = std::move(model);
  part.prompt = "a red fox";
  return part;
}

inline PollAnswer PollOf(const Json& prediction) {
  return NewReplicate()->ParsePoll(Answer(200, prediction.dump()));
}

// The value of that header in any case, or "".
inline std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

}  // namespace mediagen::testing
