#include "provider/fal/fal.h"

#include "fmt/format.h"
#include "provider/fal/errors.h"
#include "provider/fal/input.h"
#include "provider/fal/models.h"
#include "provider/fal/result.h"
#include "provider/fal/status.h"
#include "provider/fal/target.h"
#include "provider/fal/webhook.h"
#include "provider/wire_adapter.h"

namespace mediagen {
namespace {

using fal::Target;

constexpr std::string_view kBaseUrl = "https://queue.fal.run";
constexpr std::string_view kWebhookKeysUrl = "https://rest.alpha.fal.ai/.well-known/jwks.json";
constexpr std::string_view kWebhookKeysPath = "/.well-known/jwks.json";

class FalAdapter final : public WireAdapter {
 public:
  FalAdapter(ProviderConfig config, Endpoint endpoint)
      : WireAdapter(std::move(config), std::move(endpoint), "FAL_KEY") {}

  bool takes_webhook_url() const override { return true; }

  Capabilities CapabilitiesOf(std::string_view model) const override {
    return fal::CapabilitiesOf(fal::TraitsOf(model));
  }

  StatusOr<HttpRequest> BuildSubmit(const PartRequest& part, const Id& attempt,
                                    const std::string& webhook_url) const override {
    ASSIGN_OR_RETURN(Target target, fal::ParseTarget(part.model));
    ASSIGN_OR_RETURN(Json input, fal::BuildInput(part));
    std::string url = fmt::format("{}/{}", endpoint_.base(), target.path);
    if (!webhook_url.empty()) url += "?fal_webhook=" + PercentEncode(webhook_url);
    return Pay(std::move(url), attempt, input);
  }

  SubmitAnswer ParseSubmit(const HttpResponse& response) const override;

  RemoteHandle HandleFor(const PartRequest& part, const std::string& id) const override {
    StatusOr<Target> target = fal::ParseTarget(part.model);
    RemoteHandle handle{.id = id};
    if (target.ok()) FillIn(target->app, &handle);
    return handle;
  }

  StatusOr<HttpRequest> BuildPoll(const RemoteHandle& handle) const override {
    ASSIGN_OR_RETURN(std::string url, RequestUrl(handle, handle.status_url, "/status"));
    if (url.find("logs=") == std::string::npos)
      url += url.find('?') == std::string::npos ? "?logs=1" : "&logs=1";
    return Ask("GET", std::move(url));
  }
  PollAnswer ParsePoll(const HttpResponse& response) const override;

  StatusOr<HttpRequest> BuildResult(const RemoteHandle& handle) const override {
    ASSIGN_OR_RETURN(std::string url, RequestUrl(handle, handle.result_url, ""));
    return Ask("GET", std::move(url));
  }
  PollAnswer ParseResult(const HttpResponse& response) const override;

  StatusOr<HttpRequest> BuildCancel(const RemoteHandle& handle) const override {
    ASSIGN_OR_RETURN(std::string url, RequestUrl(handle, handle.cancel_url, "/cancel"));
    return Ask("PUT", std::move(url));
  }

  StatusOr<HttpRequest> BuildWebhookKeys() const override;
  StatusOr<std::vector<std::string>> ParseWebhookKeys(const HttpResponse& response) const override {
    if (!IsSuccess(response)) return Error(Code::kUnavailable, ReadFailure(response).message);
    return fal::ReadWebhookKeys(response.body);
  }
  StatusOr<Webhook> ReadWebhook(const WebhookRequest& request) const override {
    return fal::ReadWebhook(request);
  }

 protected:
  void AddKey(HttpRequest* request) const override {
    request->headers.emplace_back("Authorization", "Key " + config_.api_key);
  }
  Failure ReadFailure(const HttpResponse& response) const override {
    return fal::ReadError(response, config_.api_key);
  }
  bool Unbilled(const HttpResponse& response) const override { return fal::IsUnbilledError(response); }

 private:
  std::string OwnUrl(std::string_view app, std::string_view id, std::string_view suffix) const {
    return fmt::format("{}/{}/requests/{}{}", endpoint_.base(), app, id, suffix);
  }

  // The URLs of `app`'s request in the place of those that are missing or of another origin.
  void FillIn(std::string_view app, RemoteHandle* handle) const {
    if (!IsPathSegment(handle->id)) return;
    if (!endpoint_.SameOrigin(handle->status_url)) handle->status_url = OwnUrl(app, handle->id, "/status");
    if (!endpoint_.SameOrigin(handle->result_url)) handle->result_url = OwnUrl(app, handle->id, "");
    if (!endpoint_.SameOrigin(handle->cancel_url)) handle->cancel_url = OwnUrl(app, handle->id, "/cancel");
  }

  // The app that a submit to `url` was for, however its origin is spelt; "" when it was none of this
  // adapter's.
  std::string AppOfSubmit(std::string_view url) const {
    StatusOr<Url> base = ParseUrl(endpoint_.base() + "/"), asked = ParseUrl(url);
    if (!base.ok() || !asked.ok() || asked->origin() != base->origin()) return "";
    std::string_view path = asked->path_and_query;
    if (!path.starts_with(base->path_and_query)) return "";
    path.remove_prefix(base->path_and_query.size());
    StatusOr<Target> target = fal::ParseTarget(path.substr(0, path.find('?')));
    return target.ok() ? target->app : "";
  }

  StatusOr<std::string> RequestUrl(const RemoteHandle& handle, const std::string& given,
                                   std::string_view suffix) const;
  std::optional<RemoteHandle> ReadHandle(const Json& document, std::string_view submit_url) const;
};

// fal asks to use the URLs that it gave; they are used where the key may go. From others only the app is
// taken: behind a proxy they name fal's own host.
StatusOr<std::string> FalAdapter::RequestUrl(const RemoteHandle& handle, const std::string& given,
                                             std::string_view suffix) const {
  RETURN_IF_ERROR(CheckReady());
  if (!IsPathSegment(handle.id))
    return Error(Code::kInvalid, fmt::format("\"{}\" is no id of fal's.", Shorten(handle.id, 60)));
  if (endpoint_.SameOrigin(given)) return given.substr(0, given.find('#'));
  for (const std::string* url : {&handle.status_url, &handle.result_url, &handle.cancel_url}) {
    const std::string app = fal::AppInUrl(*url, handle.id);
    if (!app.empty()) return OwnUrl(app, handle.id, suffix);
  }
  return Error(Code::kInvalid,
               fmt::format("Which app of fal's the request \"{}\" belongs to is not known.", handle.id));
}

std::optional<RemoteHandle> FalAdapter::ReadHandle(const Json& document, std::string_view submit_url) const {
  RemoteHandle handle;
  handle.id = TextOf(document, "request_id");
  if (!IsPathSegment(handle.id)) return std::nullopt;
  handle.status_url = Resolve(TextOf(document, "status_url"));
  handle.result_url = Resolve(TextOf(document, "response_url"));
  handle.cancel_url = Resolve(TextOf(document, "cancel_url"));
  const std::string app = AppOfSubmit(submit_url);
  if (!app.empty()) FillIn(app, &handle);
  return handle;
}

SubmitAnswer FalAdapter::ParseSubmit(const HttpResponse& response) const {
  SubmitAnswer answer;
  (void)IsAccepted(response, &answer);
  // A 2xx whose end was lost still names what was paid for.
  if (response.status < 200 || response.status >= 300 || answer.kind == SubmitAnswer::kRejected)
    return answer;
  const Json document = fal::SubmitDocument(response.body);
  std::optional<RemoteHandle> handle = ReadHandle(document, response.final_url);
  if (!handle) return answer;
  answer.kind = SubmitAnswer::kSubmitted;
  answer.failure = {};
  answer.remote = std::move(*handle);
  // Older deployments tell no state here.
  const bool whole = IsSuccess(response) && !TextOf(document, "status").empty();
  if (whole) answer.result = fal::ReadStatus(document, response, config_.api_key);
  if (answer.result.kind == PollAnswer::kTransient) {
    answer.result = {};
    answer.result.kind = PollAnswer::kPending;
  }
  return answer;
}

PollAnswer FalAdapter::ParsePoll(const HttpResponse& response) const {
  PollAnswer answer;
  StatusOr<Json> json = ParseJson(response.body, "the provider's answer", kAnswerLimits);
  // The answers to a cancel come with an error's status where there is nothing to cancel any more.
  const bool canceling = response.progress == HttpProgress::kAnswered && json.ok() &&
                         (response.status == 400 || response.status == 404) &&
                         !TextOf(*json, "status").empty();
  if (canceling) {
    answer = fal::ReadStatus(*json, response, config_.api_key);
    const bool over = answer.kind == PollAnswer::kReady || answer.kind == PollAnswer::kFailed;
    if (!over) return answer;
    answer = {};
  }
  std::optional<Json> document = PollDocument(response, &answer);
  return document ? fal::ReadStatus(*document, response, config_.api_key) : answer;
}

// A result that is an error of the model's own is the request's end. What says nothing of the model's work is
// asked for again: the work is done, and only the GET is repeated.
PollAnswer FalAdapter::ParseResult(const HttpResponse& response) const {
  constexpr size_t kMaxWords = 64 << 10;  // a longer success is no word about the queue: it is parsed once
  PollAnswer answer;
  StatusOr<Json> json = Json();
  if (!IsSuccess(response) || response.body.size() <= kMaxWords)
    json = ParseJson(response.body, "the provider's answer", kAnswerLimits);
  const bool readable = response.progress == HttpProgress::kAnswered && json.ok() && json->is_object();
  if (readable && fal::IsStillInProgress(*json)) {
    answer.kind = PollAnswer::kPending;
    answer.next_poll_ms = fal::kPollMs;
    return answer;
  }
  std::optional<Json> result = PollDocument(response, &answer);
  if (result) {
    return fal::ReadResult(
        *result, [this](std::string_view url, std::string_view type) { return UrlOutput(url, type); },
        response, config_.api_key);
  }
  if (answer.kind == PollAnswer::kFailed || !fal::IsEnd(response)) return answer;
  answer.kind = PollAnswer::kFailed;
  answer.next_poll_ms = 0;
  answer.charged = response.status < 500;  // "5xx are not billed" (fal's documentation of its queue)
  return answer;
}

// The keys are published apart from the queue, to everybody: the API key has no business there. A server of
// the reader's own publishes its own.
StatusOr<HttpRequest> FalAdapter::BuildWebhookKeys() const {
  std::string url(kWebhookKeysUrl);
  if (!endpoint_.SameOrigin(kBaseUrl)) {
    ASSIGN_OR_RETURN(Url base, ParseUrl(endpoint_.base()));
    url = base.origin() + std::string(kWebhookKeysPath);
  }
  HttpRequest request = endpoint_.Plain("GET", std::move(url));
  request.headers.emplace_back("Accept", "application/json");
  request.timeout_ms = 30'000;
  request.max_body_bytes = 1 << 20;
  return request;
}

}  // namespace

StatusOr<std::unique_ptr<Adapter>> NewFalAdapter(ProviderConfig config) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Make(config, kBaseUrl));
  return std::unique_ptr<Adapter>(std::make_unique<FalAdapter>(std::move(config), std::move(endpoint)));
}

}  // namespace mediagen
