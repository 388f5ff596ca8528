// What the tests of OpenRouter's wire share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "provider/provider.h"
#include "support/wire.h"

namespace mediagen::testing {

inline ProviderConfig OpenRouterConfig() {
  ProviderConfig config;
  config.name = "openrouter";
  config.api_key = "sk-or-secret-key";
  return config;
}

inline std::unique_ptr<Adapter> NewOpenRouter(ProviderConfig config = OpenRouterConfig()) {
  return NewAdapter(std::move(config)).value();
}

inline PartRequest Fox(std::string kind = "image", std::string model = "openai/gpt-image-1") {
  PartRequest part;
  part.model = std::move(model);
  part.kind = std::move(kind);
  part.prompt = "a fox";
  return part;
}

inline PartRequest FoxVideo() { return Fox("video", "google/veo-3.1"); }

// A complete answer to a request that went to `path` behind OpenRouter's base URL.
inline HttpResponse AnswerOf(std::string_view path, int status, std::string body, HttpHeaders headers = {}) {
  HttpResponse response = Answer(status, std::move(body), std::move(headers));
  response.final_url = "https://openrouter.ai/api/v1" + std::string(path);
  return response;
}

inline SubmitAnswer SubmitOf(int status, const Json& body) {
  return NewOpenRouter()->ParseSubmit(Answer(status, body.dump()));
}

inline PollAnswer JobOf(const Json& body) { return NewOpenRouter()->ParsePoll(Answer(200, body.dump())); }

// All values of that header, in any case of its name, separated by "|".
inline std::string HeadersOf(const HttpRequest& request, std::string_view name) {
  std::string values;
  for (const auto& [key, value] : request.headers) {
    if (EqualsIgnoreCase(key, name)) values += (values.empty() ? "" : "|") + value;
  }
  return values;
}

}  // namespace mediagen::testing
