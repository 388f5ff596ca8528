#include "provider/openrouter/errors.h"

#include <algorithm>
#include <charconv>

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/wire_adapter.h"

namespace mediagen::openrouter {
namespace {

constexpr JsonLimits kErrorLimits{.max_bytes = 64 << 10, .max_depth = 16};
constexpr double kMaxHintS = 3600;  // a longer pause is a mistake or an attack
constexpr size_t kMaxNamed = 3;     // of a list that a message repeats

struct TypedError {
  std::string_view type;
  ErrorClass error_class;
};
constexpr TypedError kTypedErrors[] = {
    {"content_policy_violation", ErrorClass::kSafety}, {"refusal", ErrorClass::kSafety},
    {"invalid_image", ErrorClass::kInvalid},           {"image_too_large", ErrorClass::kInvalid},
    {"image_too_small", ErrorClass::kInvalid},         {"unsupported_image_format", ErrorClass::kInvalid},
    {"image_download_failed", ErrorClass::kInvalid},   {"image_not_found", ErrorClass::kInvalid},
    {"rate_limit_exceeded", ErrorClass::kRateLimited}, {"provider_overloaded", ErrorClass::kOverloaded},
    {"provider_unavailable", ErrorClass::kOverloaded}, {"timeout", ErrorClass::kTimeout},
};

std::optional<ErrorClass> ClassOfType(std::string_view type) {
  for (const TypedError& known : kTypedErrors) {
    if (type == known.type) return known.error_class;
  }
  return std::nullopt;
}

// An HTTP status out of "code", which is a number, or a text that may hold one; 0 when it is a word or
// absent.
int StatusIn(const Json& error) {
  const uint64_t code = WholeNumberOf(error, "code").value_or(0);
  return code >= 400 && code <= 599 ? static_cast<int>(code) : 0;
}

// A 403 is a moderation's refusal when its metadata say what was flagged; else the key may not do this.
bool WasModerated(const Json& metadata) {
  return !ListOf(metadata, "reasons").empty() || !TextOf(metadata, "flagged_input").empty();
}

ErrorClass ClassOf(const Json& error, int status) {
  const Json& metadata = ObjectOf(error, "metadata");
  if (auto known = ClassOfType(TextOf(metadata, "error_type"))) return *known;
  if (auto known = ClassOfType(TextOf(error, "code"))) return *known;
  if (status < 400) status = StatusIn(error);
  if (status == 403 && WasModerated(metadata)) return ErrorClass::kSafety;
  if (status == 524) return ErrorClass::kTimeout;  // a proxy's "the origin did not answer in time"
  return status == 0 ? ErrorClass::kServer : ClassOfStatus(status);
}

// The first texts of a list, or "".
std::string Names(const Json& list) {
  std::string names;
  size_t count = 0;
  for (const Json& item : list) {
    if (!item.is_string() || count++ == kMaxNamed) continue;
    names += (names.empty() ? "" : ", ") + Shorten(item.get_ref<const std::string&>(), 60);
  }
  return names;
}

// The message, and what else helps: which provider behind OpenRouter, what was flagged, what is up instead.
// The flagged input is a piece of the prompt and is not repeated.
std::string Explain(const Json& error, std::string_view secret) {
  const Json& metadata = ObjectOf(error, "metadata");
  std::string text = TextOf(error, "message");
  if (const std::string raw = TextOf(metadata, "raw"); !raw.empty())
    text += fmt::format("{}{}", text.empty() ? "" : ": ", Shorten(raw, 200));
  if (const std::string name = TextOf(metadata, "provider_name"); !name.empty())
    text += fmt::format(" (provider {})", Shorten(name, 60));
  if (const std::string reasons = Names(ListOf(metadata, "reasons")); !reasons.empty())
    text += fmt::format(" (flagged: {})", reasons);
  if (const std::string models = Names(ListOf(ObjectOf(error, "availability"), "fallback_models"));
      !models.empty())
    text += fmt::format(" (OpenRouter names instead: {})", models);
  return SafeText(text, secret);
}

// The most telling word there is.
std::string CodeIn(const Json& error, std::string_view secret) {
  const Json& metadata = ObjectOf(error, "metadata");
  for (const std::string& word :
       {TextOf(metadata, "error_type"), TextOf(metadata, "provider_code"), TextOf(error, "code")}) {
    if (!word.empty()) return SafeText(Shorten(word, 80), secret);
  }
  const std::optional<uint64_t> code = WholeNumberOf(error, "code");
  return code ? fmt::format("{}", *code) : "";
}

// "availability": {"code", "retryable", "retry_after", "fallback_models"}. retry_after's unit is not
// documented; it is read as that of Retry-After.
void ReadAvailability(const Json& availability, Failure* failure) {
  auto retryable = availability.find("retryable");
  if (retryable != availability.end() && retryable->is_boolean()) failure->retryable = retryable->get<bool>();
  auto after = availability.find("retry_after");
  if (after == availability.end() || !after->is_number()) return;
  const double seconds = after->get<double>();
  if (seconds >= 0) failure->retry_after_ms = static_cast<int64_t>(std::min(seconds, kMaxHintS) * 1000);
}

// A video's error is a text alone.
Failure ReadText(const std::string& text, std::string_view secret) {
  Failure failure;
  const std::string lower = ToLower(std::string_view(text).substr(0, 4096));
  const auto speaks_of = [&](std::string_view word) { return lower.find(word) != std::string::npos; };
  if (speaks_of("content_policy_violation") || speaks_of("content policy") || speaks_of("moderation"))
    failure.error_class = ErrorClass::kSafety;
  if (auto known = ClassOfType(lower)) {
    failure.error_class = *known;
    failure.provider_code = lower;
    failure.retryable = IsRetryable(*known);
  }
  failure.message = SafeText(text, secret);
  return failure;
}

}  // namespace

const Json* ErrorIn(const Json& document) {
  if (!document.is_object()) return nullptr;
  auto error = document.find("error");
  if (error == document.end()) return nullptr;
  const bool says = (error->is_object() && !error->empty()) ||
                    (error->is_string() && !error->get_ref<const std::string&>().empty());
  return says ? &*error : nullptr;
}

Failure ReadError(const Json& error, int status, std::string_view secret) {
  if (error.is_string() && status < 400) return ReadText(error.get<std::string>(), secret);
  Failure failure;
  failure.error_class = ClassOf(error, status);
  failure.retryable = IsRetryable(failure.error_class);
  failure.provider_code = CodeIn(error, secret);
  failure.message = error.is_string() ? SafeText(error.get<std::string>(), secret) : Explain(error, secret);
  if (failure.message.empty()) failure.message = "The provider gave an error without a message.";
  ReadAvailability(ObjectOf(error, "availability"), &failure);
  return failure;
}

Failure ReadErrorAnswer(const HttpResponse& response, std::string_view secret) {
  Failure failure = FailureOf(response, secret);
  if (response.progress != HttpProgress::kAnswered) return failure;
  if (response.status == 524) {
    failure.error_class = ErrorClass::kTimeout;
    failure.retryable = true;
  }
  StatusOr<Json> document = ParseJson(response.body, "the answer", kErrorLimits);
  const Json* error = document.ok() ? ErrorIn(*document) : nullptr;
  if (error == nullptr) return failure;
  Failure said = ReadError(*error, response.status, secret);
  said.message = fmt::format("The provider answered HTTP {}: {}", response.status, said.message);
  const bool hinted = !response.Header("retry-after").empty() || !response.Header("retry-after-ms").empty();
  if (said.retry_after_ms < 0 || (hinted && failure.retry_after_ms >= 0))
    said.retry_after_ms = failure.retry_after_ms;
  return said;
}

std::optional<int64_t> CostOf(const Json& document) { return MicrosOf(ObjectOf(document, "usage"), "cost"); }

bool WasCharged(const Json& document) {
  if (auto cost = CostOf(document)) return *cost > 0;
  const Json* error = ErrorIn(document);
  HttpResponse as_status;
  as_status.progress = HttpProgress::kAnswered;
  as_status.status = error == nullptr ? 0 : StatusIn(*error);
  return !RejectedForCertain(as_status);
}

}  // namespace mediagen::openrouter
