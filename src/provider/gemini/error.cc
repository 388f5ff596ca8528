#include "provider/gemini/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "provider/failure.h"
#include "provider/wire_adapter.h"

namespace mediagen::gemini {
namespace {

constexpr JsonLimits kErrorLimits{.max_bytes = 256 << 10, .max_depth = 16};
constexpr double kMaxHintMs = 3'600'000;  // a longer pause is a mistake or an attack

struct RpcCode {
  uint64_t number;
  std::string_view word;
  ErrorClass error_class;
};
// google.rpc.Code. FAILED_PRECONDITION is about the account (its country, its billing), not about the moment.
constexpr RpcCode kRpcCodes[] = {
    {1, "CANCELLED", ErrorClass::kCanceled},
    {2, "UNKNOWN", ErrorClass::kServer},
    {3, "INVALID_ARGUMENT", ErrorClass::kInvalid},
    {4, "DEADLINE_EXCEEDED", ErrorClass::kTimeout},
    {5, "NOT_FOUND", ErrorClass::kNotFound},
    {6, "ALREADY_EXISTS", ErrorClass::kInvalid},
    {7, "PERMISSION_DENIED", ErrorClass::kAuth},
    {8, "RESOURCE_EXHAUSTED", ErrorClass::kRateLimited},
    {9, "FAILED_PRECONDITION", ErrorClass::kInvalid},
    {10, "ABORTED", ErrorClass::kServer},
    {11, "OUT_OF_RANGE", ErrorClass::kInvalid},
    {12, "UNIMPLEMENTED", ErrorClass::kInvalid},
    {13, "INTERNAL", ErrorClass::kServer},
    {14, "UNAVAILABLE", ErrorClass::kOverloaded},
    {15, "DATA_LOSS", ErrorClass::kServer},
    {16, "UNAUTHENTICATED", ErrorClass::kAuth},
};

const RpcCode* FindCode(std::string_view word, std::optional<uint64_t> number) {
  for (const RpcCode& code : kRpcCodes) {
    if (EqualsIgnoreCase(code.word, word) || code.number == number) return &code;
  }
  return nullptr;
}

// What the typed members of "details" tell.
struct Details {
  int64_t retry_ms = -1;
  bool daily_quota = false;
  bool bad_key = false;  // told as INVALID_ARGUMENT
};

Details ReadDetails(const Json& error) {
  Details details;
  for (const Json& detail : ListOf(error, "details")) {
    const std::string type = TextOf(detail, "@type");
    if (type.ends_with("RetryInfo")) details.retry_ms = DurationMs(TextOf(detail, "retryDelay"));
    if (TextOf(detail, "reason") == "API_KEY_INVALID") details.bad_key = true;
    for (const Json& violation : ListOf(detail, "violations")) {
      if (TextOf(violation, "quotaId").find("PerDay") != std::string::npos) details.daily_quota = true;
    }
  }
  return details;
}

// Streamed errors come in a list.
const Json& ErrorIn(const Json& body) {
  return ObjectOf(body.is_array() && !body.empty() ? body[0] : body, "error");
}

void Apply(const Details& details, Failure* failure) {
  if (details.bad_key) failure->error_class = ErrorClass::kAuth;
  failure->retryable = IsRetryable(failure->error_class);
  if (details.retry_ms >= 0) failure->retry_after_ms = details.retry_ms;
  if (!details.daily_quota) return;
  failure->retryable = false;  // the delay that comes along is that of the other quotas
  failure->retry_after_ms = -1;
  failure->message += " This quota is a daily one.";
}

}  // namespace

int64_t DurationMs(std::string_view text) {
  double seconds = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  if (error != std::errc() || unit != "s" || !(seconds >= 0) || !std::isfinite(seconds)) return -1;
  return static_cast<int64_t>(std::ceil(std::min(seconds * 1000, kMaxHintMs)));
}

Failure ReadHttpFailure(const HttpResponse& response, std::string_view secret) {
  Failure failure = FailureOf(response, secret);
  if (response.progress != HttpProgress::kAnswered) return failure;
  StatusOr<Json> body = ParseJson(response.body, "the error", kErrorLimits);
  if (!body.ok()) return failure;
  const Json& error = ErrorIn(*body);
  const std::string word = TextOf(error, "status");
  failure.provider_code = Shorten(SafeText(word, secret), 60);
  const RpcCode* code = FindCode(word, std::nullopt);
  const bool billing = failure.error_class == ErrorClass::kBilling;  // no word of Google's says it
  if (code != nullptr && !billing) failure.error_class = code->error_class;
  Apply(ReadDetails(error), &failure);
  return failure;
}

Failure ReadErrorObject(const Json& error, std::string_view otherwise, std::string_view secret) {
  Failure failure;
  const std::optional<uint64_t> number = WholeNumberOf(error, "code");
  const std::string text = TextOf(error, "code");
  const std::string word = number || text.empty() ? TextOf(error, "status") : text;
  const std::string message = error.is_string() ? error.get<std::string>() : TextOf(error, "message");
  failure.message = message.empty() ? std::string(otherwise) : SafeText(message, secret);
  failure.provider_code = Shorten(SafeText(word, secret), 60);
  if (const RpcCode* code = FindCode(word, number)) {
    failure.error_class = code->error_class;
    failure.provider_code = code->word;
  } else if (number && *number >= 400 && *number < 600) {
    failure.error_class = ClassOfStatus(static_cast<int>(*number));
  }
  Apply(ReadDetails(error), &failure);
  return failure;
}

}  // namespace mediagen::gemini
