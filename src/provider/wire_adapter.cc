#include "provider/wire_adapter.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "fmt/format.h"
#include "provider/failure.h"

namespace mediagen {
namespace {

constexpr int64_t kAskTimeoutMs = 30'000;
constexpr uint64_t kMaxDownloadBytes = 512u << 20;  // a video; the caller may set less
constexpr int kMaxDownloadRedirects = 5;

const Json& EmptyList() {
  static const Json* empty = new Json(Json::array());
  return *empty;
}
const Json& EmptyObject() {
  static const Json* empty = new Json(Json::object());
  return *empty;
}

const Json* Member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

}  // namespace

Status WireAdapter::CheckReady() const {
  if (!config_.api_key.empty() || key_name_.empty()) return OkStatus();
  return Error(Code::kUnauthorized, fmt::format("Provider \"{}\" has no API key.", config_.name),
               {.hint = fmt::format("Set the environment variable {}, or \"apiKey\" in the configuration.",
                                    config_.api_key_env.empty() ? key_name_ : config_.api_key_env)});
}

void WireAdapter::AddKey(HttpRequest* request) const {
  request->headers.emplace_back("Authorization", "Bearer " + config_.api_key);
}

Failure WireAdapter::ReadFailure(const HttpResponse& response) const {
  return FailureOf(response, config_.api_key);
}

HttpRequest WireAdapter::Ask(std::string_view method, std::string url) const {
  HttpRequest request = endpoint_.Plain(method, std::move(url));
  if (!config_.api_key.empty() && endpoint_.SameOrigin(request.url)) AddKey(&request);
  request.headers.emplace_back("Accept", "application/json");
  request.timeout_ms = std::min(config_.timeout_ms, kAskTimeoutMs);
  return request;
}

StatusOr<HttpRequest> WireAdapter::Pay(std::string url, const Id& attempt, const Json& body) const {
  return Pay(std::move(url), attempt, "application/json", Dump(body));
}

StatusOr<HttpRequest> WireAdapter::Pay(std::string url, const Id& attempt, std::string content_type,
                                       std::string body) const {
  RETURN_IF_ERROR(CheckReady());
  HttpRequest request = Ask("POST", std::move(url));
  request.once = true;
  request.timeout_ms = config_.timeout_ms;
  request.stall_timeout_ms = config_.timeout_ms;  // a synchronous answer is silent until it is there
  request.max_body_bytes = kAnswerLimits.max_bytes;
  request.headers.emplace_back("Content-Type", std::move(content_type));
  request.headers.emplace_back("Idempotency-Key", attempt.text());
  request.body = std::move(body);
  return request;
}

bool WireAdapter::IsAccepted(const HttpResponse& response, SubmitAnswer* answer) const {
  const bool complete = response.progress == HttpProgress::kAnswered;
  if (RejectedForCertain(response) || (complete && !IsSuccess(response) && Unbilled(response))) {
    answer->kind = SubmitAnswer::kRejected;
    answer->failure = ReadFailure(response);
    return false;
  }
  answer->kind = SubmitAnswer::kUnknown;
  answer->failure = UnknownOutcome(response, config_.api_key);
  return IsSuccess(response);
}

std::optional<Json> WireAdapter::PollDocument(const HttpResponse& response, PollAnswer* answer) const {
  StatusOr<Json> json = ParseJson(response.body, "the provider's answer", kAnswerLimits);
  if (IsSuccess(response) && json.ok() && json->is_object()) return std::move(*json);
  if (IsSuccess(response)) {
    answer->failure = {
        .error_class = ErrorClass::kServer,
        .message = json.ok() ? "The provider's answer is not an object." : InfoOf(json.status()).message,
        .retryable = true};
    return std::nullopt;
  }
  answer->failure = ReadFailure(response);
  answer->next_poll_ms = std::max<int64_t>(answer->failure.retry_after_ms, 0);
  // Gone, by the word of the API itself; a proxy's page says nothing about the request.
  const bool gone =
      response.progress == HttpProgress::kAnswered && (response.status == 404 || response.status == 410);
  if (gone && json.ok() && json->is_object()) {
    answer->kind = PollAnswer::kFailed;
    answer->charged = true;  // it was accepted; nothing says that it was not billed
  }
  return std::nullopt;
}

StatusOr<HttpRequest> WireAdapter::BuildDownload(const RemoteOutput& output) const {
  RETURN_IF_ERROR(ParseUrl(output.url).status());
  const bool with_key = output.needs_credentials && endpoint_.SameOrigin(output.url);
  HttpRequest request = endpoint_.Plain("GET", output.url);
  if (with_key && !config_.api_key.empty()) AddKey(&request);
  request.timeout_ms = config_.timeout_ms;
  request.max_redirects = kMaxDownloadRedirects;
  request.max_body_bytes = kMaxDownloadBytes;
  return request;
}

std::string WireAdapter::Resolve(std::string_view url) const {
  std::string absolute(url);
  if (url.starts_with('/') && !url.starts_with("//")) {
    StatusOr<Url> base = ParseUrl(endpoint_.base());
    if (!base.ok()) return "";
    absolute = base->origin() + absolute;
  }
  return endpoint_.Acceptable(absolute) ? absolute : "";
}

std::optional<RemoteOutput> WireAdapter::UrlOutput(std::string_view url, std::string_view media_type) const {
  if (!endpoint_.Acceptable(url)) return std::nullopt;
  RemoteOutput output;
  output.url = url;
  output.media_type = Shorten(media_type, 80);
  output.needs_credentials = endpoint_.SameOrigin(url);
  return output;
}

bool IsSuccess(const HttpResponse& response) {
  return response.progress == HttpProgress::kAnswered && response.status >= 200 && response.status < 300;
}

std::string TextOf(const Json& object, const char* name) {
  const Json* value = Member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

const Json& ListOf(const Json& object, const char* name) {
  const Json* value = Member(object, name);
  return value != nullptr && value->is_array() ? *value : EmptyList();
}

const Json& ObjectOf(const Json& object, const char* name) {
  const Json* value = Member(object, name);
  return value != nullptr && value->is_object() ? *value : EmptyObject();
}

std::optional<uint64_t> WholeNumberOf(const Json& object, const char* name) {
  const Json* value = Member(object, name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) return value->get<uint64_t>();
  if (value->is_number_integer() && value->get<int64_t>() >= 0)
    return static_cast<uint64_t>(value->get<int64_t>());
  if (!value->is_string()) return std::nullopt;
  const auto& text = value->get_ref<const std::string&>();
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::optional<int64_t> MicrosOf(const Json& object, const char* name) {
  const Json* value = Member(object, name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double usd = value->get<double>();
  if (!std::isfinite(usd) || usd < 0 || usd > 1e9) return std::nullopt;
  return std::llround(usd * 1e6);
}

std::string_view FirstMemberId(std::string_view body) {
  auto skip = [&](std::string_view expected) {
    body = body.substr(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
    if (!body.starts_with(expected)) return false;
    body.remove_prefix(expected.size());
    return true;
  };
  if (!skip("{") || !skip("\"id\"") || !skip(":") || !skip("\"")) return {};
  const size_t quote = body.find('"');
  return quote != std::string_view::npos && IsPathSegment(body.substr(0, quote)) ? body.substr(0, quote)
                                                                                 : std::string_view();
}

bool IsPathSegment(std::string_view id) {
  if (id.empty() || id.size() > 200 || id == "." || id == "..") return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace mediagen
