#include "provider/openai/error.h"

#include <algorithm>
#include <charconv>

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/wire_adapter.h"

namespace mediagen::openai {
namespace {

constexpr JsonLimits kErrorLimits{.max_bytes = 64 << 10, .max_depth = 16};

struct Words {
  std::string code, type, message;
};

// Text, or a number as its digits: servers send both.
std::string CodeText(const Json& error) {
  auto it = error.is_object() ? error.find("code") : error.end();
  if (!error.is_object() || it == error.end()) return "";
  if (it->is_string()) return it->get<std::string>();
  return it->is_number_integer() ? Dump(*it) : "";
}

// {"error": {…}}, {"error": "words"}, or {"message", "type", "code"} without the wrapping.
Words WordsOf(const Json& document) {
  const Json& error = ObjectOf(document, "error");
  const Json& holder = error.empty() ? document : error;
  Words words{.code = CodeText(holder), .type = TextOf(holder, "type"), .message = TextOf(holder, "message")};
  if (words.message.empty()) words.message = TextOf(document, "error");
  return words;
}

struct KnownCode {
  std::string_view code;
  ErrorClass error_class;
};

constexpr KnownCode kKnownCodes[] = {
    {"insufficient_quota", ErrorClass::kBilling},
    {"billing_hard_limit_reached", ErrorClass::kBilling},
    {"billing_not_active", ErrorClass::kBilling},
    {"credit_balance_exhausted", ErrorClass::kBilling},
    {"organization_spend_limit_exceeded", ErrorClass::kBilling},
    {"project_spend_limit_exceeded", ErrorClass::kBilling},
    {"moderation_blocked", ErrorClass::kSafety},
    {"content_policy_violation", ErrorClass::kSafety},
    {"rate_limit_exceeded", ErrorClass::kRateLimited},
    {"invalid_api_key", ErrorClass::kAuth},
    {"model_not_found", ErrorClass::kNotFound},
    {"unknown_parameter", ErrorClass::kInvalid},
    {"image_generation_user_error", ErrorClass::kInvalid},
    {"invalid_request_error", ErrorClass::kInvalid},
    {"server_error", ErrorClass::kServer},
};

std::optional<ErrorClass> ClassOf(std::string_view word) {
  for (const KnownCode& known : kKnownCodes) {
    if (word == known.code) return known.error_class;
  }
  return std::nullopt;
}

// `by_status`: the class that the status has given already. Of the words the code counts before the type; a
// type that merely says "invalid request" takes nothing away from a status that says more.
std::optional<ErrorClass> ClassOf(const Words& words, std::optional<ErrorClass> by_status) {
  const std::optional<ErrorClass> of_type = ClassOf(words.type);
  // An exhausted account has many codes, and this one type.
  if (of_type == ErrorClass::kBilling || of_type == ErrorClass::kSafety) return of_type;
  if (std::optional<ErrorClass> of_code = ClassOf(words.code)) return of_code;
  if (words.message.find("safety_violations=") != std::string::npos) return ErrorClass::kSafety;
  return by_status ? by_status : of_type;
}

void Apply(const Words& words, std::optional<ErrorClass> by_status, std::string_view secret,
           Failure* failure) {
  failure->error_class = ClassOf(words, by_status).value_or(ErrorClass::kServer);
  failure->retryable = IsRetryable(failure->error_class);
  failure->provider_code = Shorten(SafeText(words.code.empty() ? words.type : words.code, secret), 80);
}

// "1s", "6m0s", "20ms", "1h2m": when a limit is full again. -1 for anything else.
int64_t DurationMs(std::string_view text) {
  double total = 0;
  if (text.empty()) return -1;
  while (!text.empty()) {
    double number = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0)) return -1;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const size_t digits = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, digits);
    const double ms = unit == "ms"  ? 1
                      : unit == "s" ? 1000
                      : unit == "m" ? 60'000
                      : unit == "h" ? 3'600'000
                                    : -1;
    if (ms < 0) return -1;
    total += number * ms;
    text.remove_prefix(digits);
  }
  return static_cast<int64_t>(std::min(total, 3'600'000.0));
}

// Of the limits of which nothing remains, the one that takes longest.
int64_t ResetMs(const HttpResponse& response) {
  int64_t longest = -1;
  for (const char* limit : {"requests", "tokens"}) {
    if (response.Header(fmt::format("x-ratelimit-remaining-{}", limit)) != "0") continue;
    longest = std::max(longest, DurationMs(response.Header(fmt::format("x-ratelimit-reset-{}", limit))));
  }
  return longest;
}

}  // namespace

Failure ReadError(const HttpResponse& response, std::string_view secret) {
  Failure failure = FailureOf(response, secret);
  if (response.progress != HttpProgress::kAnswered) return failure;
  StatusOr<Json> document = ParseJson(response.body, "the answer", kErrorLimits);
  if (document.ok() && document->is_object())
    Apply(WordsOf(*document), failure.error_class, secret, &failure);
  if (failure.error_class == ErrorClass::kBilling || failure.error_class == ErrorClass::kSafety) {
    failure.retry_after_ms = -1;  // waiting does not help
    return failure;
  }
  if (failure.retry_after_ms < 0 && failure.error_class == ErrorClass::kRateLimited)
    failure.retry_after_ms = ResetMs(response);
  const std::string_view should_retry = response.Header("x-should-retry");
  if (should_retry == "true") failure.retryable = true;
  if (should_retry == "false") failure.retryable = false;
  return failure;
}

bool HoldsError(const Json& document) {
  return !ObjectOf(document, "error").empty() || !TextOf(document, "error").empty();
}

Failure ErrorIn(const Json& document, std::string_view secret) {
  Failure failure;
  const Words words = WordsOf(document);
  Apply(words, std::nullopt, secret, &failure);
  failure.message = SafeText(words.message, secret);
  if (failure.message.empty()) failure.message = "The provider failed and gave no reason.";
  return failure;
}

}  // namespace mediagen::openai
