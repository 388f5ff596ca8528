// What the tests of Gemini's wire share.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "provider/provider.h"
#include "support/wire.h"

namespace mediagen::testing::gemini {

inline const std::string kKey = "AIza_secret_key";
inline const std::string kBase = "https://generativelanguage.googleapis.com/v1beta";
inline constexpr const char* kImageModel = "gemini-2.5-flash-image";
inline constexpr const char* kVeo = "veo-3.1-generate-preview";
inline constexpr const char* kOmni = "gemini-omni-1.1-flash";

inline std::unique_ptr<Adapter> NewGemini(std::string secret = "") {
  ProviderConfig config;
  config.name = "gemini";
  config.api_key = kKey;
  config.webhook_secret = std::move(secret);
  return NewAdapter(std::move(config)).value();
}

inline PartRequest Fox(std::string model, std::string kind) {
  PartRequest part;
  part.model = std::move(model);
  part.kind = std::move(kind);
  part.prompt = "a red fox";
  return part;
}
inline PartRequest FoxPicture() { return Fox(kImageModel, "image"); }
inline PartRequest FoxVideo() { return Fox(kVeo, "video"); }
inline PartRequest FoxOmni(std::string kind = "video") { return Fox(kOmni, std::move(kind)); }

// "AAAA" in base64.
inline Reference Zeros(std::string role = "") {
  return {.bytes = BufferRef::Own(std::string(3, '\0')), .media_type = "image/png", .role = std::move(role)};
}

inline StatusOr<HttpRequest> Submit(const PartRequest& part) {
  return NewGemini()->BuildSubmit(part, Id{}, "");
}
inline Json BodyOf(const PartRequest& part) { return Json::parse(Submit(part).value().body); }
inline Code CodeOfSubmit(const PartRequest& part) { return CodeOf(Submit(part).status()); }

inline SubmitAnswer SubmitOf(const Json& body) { return NewGemini()->ParseSubmit(Answer(200, body.dump())); }
inline PollAnswer PollOf(const Json& body) { return NewGemini()->ParsePoll(Answer(200, body.dump())); }

// The value of that header in any case, or "".
inline std::string Header(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

}  // namespace mediagen::testing::gemini
