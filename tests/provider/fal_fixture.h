// What the tests of fal's wire share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "provider/provider.h"
#include "support/wire.h"

namespace mediagen::testing::fal {

inline ProviderConfig Config() {
  ProviderConfig config;
  config.name = "fal";
  config.api_key = "id:fal_secret_key";
  return config;
}

inline std::unique_ptr<Adapter> New(ProviderConfig config = Config()) {
  return NewAdapter(std::move(config)).value();
}

inline PartRequest RedFox(std::string model = "fal-ai/flux/dev") {
  PartRequest part;
  part.model = std::move(model);
  part.prompt = "a red fox";
  return part;
}

// The answer to a submit of RedFox.
inline HttpResponse Submitted(int status, std::string body,
                              std::string url = "https://queue.fal.run/fal-ai/flux/dev") {
  HttpResponse response = Answer(status, std::move(body));
  response.final_url = std::move(url);
  return response;
}

inline PollAnswer PollOf(const Json& status) { return New()->ParsePoll(Answer(200, status.dump())); }
inline PollAnswer ResultOf(const Json& result) { return New()->ParseResult(Answer(200, result.dump())); }

// The value of that header in any case, or "".
inline std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

}  // namespace mediagen::testing::fal
