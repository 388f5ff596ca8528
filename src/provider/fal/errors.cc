#include "provider/fal/errors.h"

#include <algorithm>

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/wire_adapter.h"

namespace mediagen::fal {
namespace {

constexpr JsonLimits kErrorLimits{.max_bytes = 4 << 20};  // the models' errors repeat their input
constexpr size_t kMaxDetails = 3;

// fal's table of platform errors. `ends` says that the type tells how a request ended: it does not wait in
// the queue when a submit is answered with it. "internal_error" and "client_disconnected" may speak of the
// call alone, with the request in the queue, or its result there to be had.
struct PlatformError {
  std::string_view type;
  int status;
  ErrorClass error_class;
  bool ends;
};
constexpr PlatformError kPlatformErrors[] = {
    {"request_timeout", 504, ErrorClass::kTimeout, true},
    {"startup_timeout", 504, ErrorClass::kTimeout, true},
    {"runner_scheduling_failure", 503, ErrorClass::kOverloaded, true},
    {"runner_connection_timeout", 503, ErrorClass::kOverloaded, true},
    {"runner_disconnected", 503, ErrorClass::kOverloaded, true},
    {"runner_connection_refused", 503, ErrorClass::kOverloaded, true},
    {"runner_connection_error", 503, ErrorClass::kOverloaded, true},
    {"runner_incomplete_response", 502, ErrorClass::kServer, true},
    {"runner_server_error", 500, ErrorClass::kServer, true},
    {"internal_error", 500, ErrorClass::kServer, false},
    {"client_disconnected", 499, ErrorClass::kCanceled, false},
    {"client_cancelled", 499, ErrorClass::kCanceled, true},
    {"bad_request", 400, ErrorClass::kInvalid, true},
};

const PlatformError* FindPlatformError(std::string_view type) {
  for (const PlatformError& known : kPlatformErrors) {
    if (known.type == type) return &known;
  }
  return nullptr;
}

// The type is safe to show when it is a word of the sort that types are.
std::string SafeType(std::string_view type) {
  return type.size() <= 80 && IsPathSegment(type) ? std::string(type) : "";
}

void SetType(std::string_view type, Failure* failure) {
  const std::string safe = SafeType(type);
  if (safe.empty()) return;
  failure->provider_code = safe;
  const PlatformError* known = FindPlatformError(safe);
  const bool refused = safe == "content_policy_violation";
  if (known == nullptr && !refused) return;  // a type that is not known changes nothing
  failure->error_class = refused ? ErrorClass::kSafety : known->error_class;
  failure->retryable = IsRetryable(failure->error_class);
}

bool Says(std::string_view header, std::string_view word, std::string_view digit) {
  return EqualsIgnoreCase(header, word) || header == digit;
}

// One page of fal's documentation calls the header X-Fal-Retryable, another X-Fal-Needs-Retry. A timeout that
// the caller set himself comes again.
void ReadHints(const HttpResponse& response, Failure* failure) {
  const bool hopeless = failure->error_class == ErrorClass::kSafety ||
                        failure->error_class == ErrorClass::kAuth ||
                        failure->error_class == ErrorClass::kBilling;
  for (std::string_view name : {"x-fal-retryable", "x-fal-needs-retry"}) {
    const std::string_view value = Trim(response.Header(name));
    if (value.empty()) continue;
    if (Says(value, "true", "1")) failure->retryable = !hopeless;
    if (Says(value, "false", "0")) failure->retryable = false;
    break;
  }
  if (failure->error_class == ErrorClass::kTimeout &&
      EqualsIgnoreCase(Trim(response.Header("x-fal-request-timeout-type")), "user"))
    failure->retryable = false;
}

// "body.prompt: too long". `input` and `ctx` are left out: they hold prompts and pictures.
std::string DetailText(const Json& detail) {
  std::string text;
  for (const Json& step : ListOf(detail, "loc")) {
    if (!text.empty()) text += '.';
    if (step.is_string()) text += step.get<std::string>();
    if (step.is_number_integer()) text += Dump(step);
  }
  const std::string message = TextOf(detail, "msg");
  return fmt::format("{}{}{}", text, text.empty() || message.empty() ? "" : ": ", message);
}

constexpr std::string_view kContentPolicy = "content_policy_violation";

// The type that decides: a refusal for safety before any other, else the first.
std::string DetailType(const Json& details) {
  std::string first;
  for (const Json& detail : details) {
    const std::string type = TextOf(detail, "type");
    if (type == kContentPolicy) return std::string(kContentPolicy);
    if (first.empty()) first = type;
  }
  return first;
}

// The texts of a detail that is an array, or "".
std::string DetailTexts(const Json& details) {
  std::string text;
  for (size_t i = 0; i < std::min(details.size(), kMaxDetails); ++i) {
    const std::string one = DetailText(details[i]);
    if (!one.empty()) text += fmt::format("{}{}", text.empty() ? "" : "; ", one);
  }
  return text;
}

std::string TypeOf(const HttpResponse& response, const Json& document) {
  const std::string type = TextOf(document, "error_type");
  return type.empty() ? std::string(Trim(response.Header("x-fal-error-type"))) : type;
}

Json DocumentOf(const HttpResponse& response) {
  StatusOr<Json> json = ParseJson(response.body, "the provider's error", kErrorLimits);
  return json.ok() && json->is_object() ? std::move(*json) : Json(Json::object());
}

}  // namespace

Failure ReadError(const HttpResponse& response, std::string_view secret) {
  Failure failure = FailureOf(response, secret);
  if (response.progress != HttpProgress::kAnswered) return failure;
  const Json document = DocumentOf(response);
  const Json& details = ListOf(document, "detail");
  if (!details.empty()) {
    const std::string text = SafeText(DetailTexts(details), secret);
    failure.message =
        fmt::format("The provider answered HTTP {}{}{}", response.status, text.empty() ? "." : ": ", text);
  }
  const std::string detail_type = DetailType(details);
  SetType(detail_type.empty() ? TypeOf(response, document) : detail_type, &failure);
  ReadHints(response, &failure);
  return failure;
}

Failure EndedWith(const Json& error, std::string_view error_type, const HttpResponse& response,
                  std::string_view secret) {
  Failure failure;
  const std::string text = SafeText(error.is_string() ? error.get<std::string>()
                                    : error.is_null() ? ""
                                                      : Dump(error),
                                    secret);
  failure.message = !text.empty() ? text
                    : SafeType(error_type).empty()
                        ? "The request failed and gave no reason."
                        : fmt::format("The request failed: {}.", SafeType(error_type));
  // An error without a type is the model's own, and comes again with the same input.
  SetType(error_type, &failure);
  ReadHints(response, &failure);
  return failure;
}

Failure ReadModelError(const Json& document, std::string_view secret) {
  Failure failure{.error_class = ErrorClass::kInvalid};
  const Json& details = ListOf(document, "detail");
  const std::string text =
      SafeText(details.empty() ? TextOf(document, "detail") : DetailTexts(details), secret);
  failure.message = text.empty() ? "The model answered with an error." : text;
  SetType(DetailType(details), &failure);
  return failure;
}

bool IsUnbilledError(const HttpResponse& response) {
  if (response.progress != HttpProgress::kAnswered || response.status < 500) return false;
  const PlatformError* known = FindPlatformError(TypeOf(response, DocumentOf(response)));
  return known != nullptr && known->ends && known->status == response.status;
}

bool IsUnbilledType(std::string_view error_type) {
  const PlatformError* known = FindPlatformError(error_type);
  return known != nullptr && known->status >= 500;
}

bool IsEnd(const HttpResponse& response) {
  if (response.progress != HttpProgress::kAnswered || response.status < 400) return false;
  switch (response.status) {
    case 401:  // the key's trouble, not the request's
    case 402:
    case 403:
    case 408:
    case 429:  // fal: the job is done, only the GET is to be repeated
    case 503:
      return false;
    default:
      break;
  }
  const Json document = DocumentOf(response);
  if (!document.contains("detail") && !document.contains("error_type")) return false;  // a proxy's
  const PlatformError* known = FindPlatformError(TypeOf(response, document));
  return known == nullptr || known->ends;
}

bool IsStillInProgress(const Json& document) {
  return ToLower(TextOf(document, "detail")).find("still in progress") != std::string::npos;
}

}  // namespace mediagen::fal
