#include "provider/failure.h"

#include <array>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr JsonLimits kErrorBodyLimits{.max_bytes = 64 << 10, .max_depth = 16};

// The first of the fields that providers put their explanation in. A nested {"error": {"message": …}} is
// looked into.
std::string ExplanationOf(const Json& body) {
  if (body.is_string()) return body.get<std::string>();
  if (!body.is_object()) return "";
  for (const char* name : {"detail", "message", "error", "title"}) {
    auto it = body.find(name);
    if (it == body.end() || it->is_null()) continue;
    if (it->is_string() && !it->get_ref<const std::string&>().empty()) return it->get<std::string>();
    if (it->is_object()) {
      std::string inner = ExplanationOf(*it);
      if (!inner.empty()) return inner;
    } else if (it->is_array() && !it->empty()) {
      return Dump(*it);
    }
  }
  return "";
}

std::string Explanation(const HttpResponse& response) {
  std::string_view body = Trim(response.body);
  if (body.empty()) return "";
  StatusOr<Json> json = ParseJson(body, "the answer", kErrorBodyLimits);
  if (json.ok()) return ExplanationOf(*json);
  return body.front() == '<' ? "" : std::string(body.substr(0, 400));  // a proxy's HTML page explains nothing
}

ErrorClass ClassOfTransport(const Status& transport) {
  switch (CodeOf(transport)) {
    case Code::kTimeout:
      return ErrorClass::kTimeout;
    case Code::kCanceled:
      return ErrorClass::kCanceled;
    case Code::kInvalid:
    case Code::kForbidden:
    case Code::kTooLarge:
      return ErrorClass::kInvalid;
    default:
      return ErrorClass::kServer;
  }
}

bool EndsToken(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == ')' ||
         c == ',';
}

size_t TokenEnd(std::string_view text, size_t from) {
  while (from < text.size() && !EndsToken(text[from])) ++from;
  return from;
}

std::string Without(std::string text, std::string_view secret) {
  if (secret.size() < 4) return text;  // shorter is no key, and would tear words apart
  for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "[key]");
    at += 5;
  }
  return text;
}

}  // namespace

bool RejectedForCertain(const HttpResponse& response) {
  if (response.progress == HttpProgress::kNotSent) return true;
  if (response.progress != HttpProgress::kAnswered) return false;
  switch (response.status) {
    case 400:
    case 401:
    case 402:
    case 403:
    case 404:
    case 413:
    case 415:
    case 422:
    case 429:
      return true;
    default:
      return false;
  }
}

ErrorClass ClassOfStatus(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorClass::kAuth;
    case 402:
      return ErrorClass::kBilling;
    case 404:
      return ErrorClass::kNotFound;
    case 410:
      return ErrorClass::kExpired;
    case 408:
    case 504:
      return ErrorClass::kTimeout;
    case 429:
      return ErrorClass::kRateLimited;
    case 503:
    case 529:  // "overloaded", not registered, but in use
      return ErrorClass::kOverloaded;
    default:
      return status >= 400 && status < 500 ? ErrorClass::kInvalid : ErrorClass::kServer;
  }
}

bool IsRetryable(ErrorClass value) {
  switch (value) {
    case ErrorClass::kRateLimited:
    case ErrorClass::kOverloaded:
    case ErrorClass::kServer:
    case ErrorClass::kTimeout:
      return true;
    default:
      return false;
  }
}

Failure FailureOf(const HttpResponse& response, std::string_view secret) {
  Failure failure;
  if (response.progress != HttpProgress::kAnswered) {
    failure.error_class = ClassOfTransport(response.transport);
    failure.message = SafeText(InfoOf(response.transport).message, secret);
    failure.retryable = IsRetryable(failure.error_class);
    return failure;
  }
  failure.error_class = ClassOfStatus(response.status);
  failure.retryable = IsRetryable(failure.error_class);
  failure.retry_after_ms = RetryAfterMs(response);
  const std::string explanation = SafeText(Explanation(response), secret);
  failure.message = explanation.empty()
                        ? fmt::format("The provider answered HTTP {}.", response.status)
                        : fmt::format("The provider answered HTTP {}: {}", response.status, explanation);
  return failure;
}

Failure UnknownOutcome(const HttpResponse& response, std::string_view secret) {
  Failure failure;
  failure.error_class = ErrorClass::kUnknownOutcome;
  if (response.progress == HttpProgress::kAnswered) {
    const std::string explanation = SafeText(Explanation(response), secret);
    failure.message =
        fmt::format("The provider answered HTTP {}, which does not say whether the request was accepted{}{}",
                    response.status, explanation.empty() ? "." : ": ", explanation);
  } else {
    failure.message =
        fmt::format("The request may have reached the provider, but no complete answer came back: {}",
                    SafeText(InfoOf(response.transport).message, secret));
  }
  return failure;
}

std::string SafeText(std::string_view given, std::string_view secret) {
  constexpr size_t kMaxBytes = 400;
  const std::string text = Without(std::string(given.substr(0, 16 << 10)), secret);
  std::string out;
  for (size_t i = 0; i < text.size() && out.size() <= kMaxBytes;) {
    std::string_view rest = std::string_view(text).substr(i);
    if (rest.starts_with("http://") || rest.starts_with("https://")) {
      size_t end = TokenEnd(text, i);
      size_t query = text.find('?', i);
      out.append(text, i, std::min(query, end) - i);
      if (query < end) out += "?…";
      i = end;
    } else if (rest.starts_with("data:") && TokenEnd(text, i) > i + 5) {
      size_t end = i + 5;  // a data URI holds commas
      while (end < text.size() && (text[end] == ',' || !EndsToken(text[end]))) ++end;
      out += "data:…";
      i = end;
    } else {
      unsigned char c = static_cast<unsigned char>(text[i++]);
      out.push_back(c < ' ' || c == 0x7f ? ' ' : static_cast<char>(c));
    }
  }
  if (!IsUtf8(out)) {
    for (char& c : out) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  return Shorten(Trim(out), kMaxBytes);
}

}  // namespace mediagen
