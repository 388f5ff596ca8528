#include "provider/openrouter/answer.h"

#include "provider/failure.h"
#include "provider/openrouter/errors.h"
#include "provider/openrouter/media.h"
#include "provider/wire_adapter.h"

namespace mediagen::openrouter {
namespace {

bool IsList(const Json& document, const char* name) {
  auto it = document.find(name);
  return it != document.end() && it->is_array();
}

Failure NoPicture(std::string why) {
  return {.error_class = ErrorClass::kServer,
          .message = why.empty() ? "The provider's answer holds no picture." : std::move(why)};
}

// "b64_json" is what OpenRouter documents; "url" is what OpenAI's document of the same shape may have
// instead.
void GatherImages(const Json& document, const Endpoint& endpoint, Gathered* gathered) {
  for (const Json& item : ListOf(document, "data")) {
    if (const std::string url = TextOf(item, "url"); !url.empty()) {
      GatherUri(url, endpoint, gathered);
    } else {
      auto base64 = item.is_object() ? item.find("b64_json") : item.end();
      const bool there = item.is_object() && base64 != item.end() && base64->is_string();
      GatherInline(there ? std::string_view(base64->get_ref<const std::string&>()) : "",
                   TextOf(item, "media_type"), gathered);
    }
  }
}

void GatherChoices(const Json& document, const Endpoint& endpoint, Gathered* gathered) {
  for (const Json& choice : ListOf(document, "choices")) {
    for (const Json& image : ListOf(ObjectOf(choice, "message"), "images")) {
      const Json& place = ObjectOf(image, "image_url");
      auto url = place.find("url");
      const bool there = url != place.end() && url->is_string();
      GatherUri(there ? std::string_view(url->get_ref<const std::string&>()) : "", endpoint, gathered);
    }
  }
}

// Why a chat without pictures has none. A refusal has the shapes of the chat document that OpenRouter took
// over from OpenAI: finish_reason "content_filter", or a text under "refusal"; and a choice may carry an
// error of its own.
Failure WhyNoChoice(const Json& document, std::string_view secret) {
  for (const Json& choice : ListOf(document, "choices")) {
    if (const Json* error = ErrorIn(choice)) return ReadError(*error, 0, secret);
    const Json& message = ObjectOf(choice, "message");
    const std::string refusal = TextOf(message, "refusal"), reason = TextOf(choice, "finish_reason");
    if (!refusal.empty() || reason == "content_filter") {
      return {.error_class = ErrorClass::kSafety,
              .message = refusal.empty() ? "The model's content filter refused." : SafeText(refusal, secret),
              .provider_code = refusal.empty() ? "content_filter" : "refusal"};
    }
    const std::string content = TextOf(message, "content");
    if (!content.empty())
      return NoPicture("The model answered with words instead of a picture: " +
                       SafeText(std::string_view(content).substr(0, 200), secret));
  }
  return NoPicture("");
}

}  // namespace

std::optional<PollAnswer> ReadSynchronous(const Json& document, const Endpoint& endpoint,
                                          std::string_view secret) {
  if (!document.is_object()) return std::nullopt;
  const bool chat = IsList(document, "choices");
  const Json* error = ErrorIn(document);
  if (!chat && !IsList(document, "data") && error == nullptr) return std::nullopt;
  Gathered gathered;
  chat ? GatherChoices(document, endpoint, &gathered) : GatherImages(document, endpoint, &gathered);
  PollAnswer answer;
  answer.cost_micros = CostOf(document);
  const std::string refused = RefusalOf(gathered);
  if (!gathered.outputs.empty()) {
    answer.kind = PollAnswer::kSucceeded;
    answer.outputs = std::move(gathered.outputs);
    if (!refused.empty()) answer.failure = NoPicture(refused);  // explains what is missing beside the rest
    return answer;
  }
  answer.kind = PollAnswer::kFailed;
  answer.charged = WasCharged(document);
  if (error != nullptr) {
    answer.failure = ReadError(*error, 0, secret);
  } else {
    answer.failure = refused.empty() && chat ? WhyNoChoice(document, secret) : NoPicture(refused);
  }
  return answer;
}

}  // namespace mediagen::openrouter
