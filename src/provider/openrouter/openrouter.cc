#include "provider/openrouter/openrouter.h"

#include <algorithm>

#include "fmt/format.h"
#include "provider/openrouter/answer.h"
#include "provider/openrouter/errors.h"
#include "provider/openrouter/models.h"
#include "provider/openrouter/request.h"
#include "provider/openrouter/video.h"
#include "provider/webhook_signature.h"
#include "provider/wire_adapter.h"

namespace mediagen {
namespace {

constexpr std::string_view kBaseUrl = "https://openrouter.ai/api/v1";
constexpr JsonLimits kWebhookLimits{.max_bytes = 1 << 20, .max_depth = 32};

class OpenRouterAdapter final : public WireAdapter {
 public:
  OpenRouterAdapter(ProviderConfig config, Endpoint endpoint)
      : WireAdapter(std::move(config), std::move(endpoint), "OPENROUTER_API_KEY") {}

  Capabilities CapabilitiesOf(std::string_view model) const override {
    return openrouter::CapabilitiesOf(model);
  }

  StatusOr<HttpRequest> BuildSubmit(const PartRequest& part, const Id& attempt,
                                    const std::string& webhook_url) const override {
    ASSIGN_OR_RETURN(openrouter::Submission submission, openrouter::BuildSubmission(part, webhook_url));
    ASSIGN_OR_RETURN(HttpRequest request, Pay(endpoint_.base() + submission.path, attempt, submission.body));
    if (!config_.app_url.empty()) request.headers.emplace_back("HTTP-Referer", config_.app_url);
    if (!config_.app_title.empty()) request.headers.emplace_back("X-OpenRouter-Title", config_.app_title);
    return request;
  }

  SubmitAnswer ParseSubmit(const HttpResponse& response) const override {
    SubmitAnswer answer;
    if (IsAccepted(response, &answer)) ReadAccepted(response, &answer);
    // A 202 whose end was lost still names what was paid for. Chat answers begin with an "id", too, but with
    // 200.
    const std::string_view id = response.status == 202 ? FirstMemberId(response.body) : "";
    if (answer.kind == SubmitAnswer::kUnknown && !id.empty()) {
      answer.remote.id = id;
      Accept(&answer);
    }
    return answer;
  }

  StatusOr<HttpRequest> BuildPoll(const RemoteHandle& handle) const override {
    RETURN_IF_ERROR(CheckReady());
    if (IsPathSegment(handle.id)) return Ask("GET", fmt::format("{}/videos/{}", endpoint_.base(), handle.id));
    if (endpoint_.SameOrigin(handle.status_url) && endpoint_.Acceptable(handle.status_url))
      return Ask("GET", handle.status_url);
    return Error(Code::kInvalid, fmt::format("\"{}\" is no id of a video job.", Shorten(handle.id, 60)));
  }

  PollAnswer ParsePoll(const HttpResponse& response) const override {
    PollAnswer answer;
    std::optional<Json> json = PollDocument(response, &answer);
    return json ? openrouter::ReadJob(*json, endpoint_, config_.api_key) : answer;
  }

  bool takes_webhook_url() const override { return true; }

  StatusOr<Webhook> ReadWebhook(const WebhookRequest& given) const override {
    WebhookRequest request = given;
    if (request.keys.empty() && !config_.webhook_secret.empty()) request.keys = {config_.webhook_secret};
    Webhook webhook;
    ASSIGN_OR_RETURN(webhook.delivery, CheckOpenRouterWebhook(request));
    ASSIGN_OR_RETURN(Json json, ParseJson(request.body, "the webhook", kWebhookLimits));
    if (!json.is_object() || TextOf(json, "type").empty())
      return Error(Code::kInvalid, "The webhook's body is none of OpenRouter's events.");
    webhook.remote_id = TextOf(ObjectOf(json, "data"), "id");
    if (!IsPathSegment(webhook.remote_id)) webhook.remote_id.clear();
    return webhook;
  }

 protected:
  Failure ReadFailure(const HttpResponse& response) const override {
    return openrouter::ReadErrorAnswer(response, config_.api_key);
  }

  // OpenRouter's guide to POST /images: an image generation that did not finish is answered with 502 and not
  // charged. Not said of the other paths, and a proxy's page is not OpenRouter's word.
  bool Unbilled(const HttpResponse& response) const override {
    if (response.status != 502 || !IsOwnPath(response.final_url, "/images")) return false;
    StatusOr<Json> json = ParseJson(response.body, "the provider's answer", kAnswerLimits);
    return json.ok() && openrouter::ErrorIn(*json) != nullptr && openrouter::CostOf(*json).value_or(0) == 0;
  }

 private:
  bool IsOwnPath(const std::string& url, std::string_view path) const {
    StatusOr<Url> given = ParseUrl(url), own = ParseUrl(endpoint_.base() + std::string(path));
    return given.ok() && own.ok() && given->origin() == own->origin() &&
           given->path_and_query == own->path_and_query;
  }

  static void Accept(SubmitAnswer* answer) {
    answer->kind = SubmitAnswer::kSubmitted;
    answer->failure = {};
    if (answer->result.kind == PollAnswer::kTransient) answer->result.kind = PollAnswer::kPending;
  }

  void ReadAccepted(const HttpResponse& response, SubmitAnswer* answer) const {
    StatusOr<Json> json = ParseJson(response.body, "the provider's answer", kAnswerLimits);
    if (!json.ok()) return;
    if (std::optional<RemoteHandle> handle = openrouter::ReadHandle(*json, endpoint_)) {
      answer->remote = std::move(*handle);
      answer->result = openrouter::ReadJob(*json, endpoint_, config_.api_key);
      return Accept(answer);
    }
    std::optional<PollAnswer> result = openrouter::ReadSynchronous(*json, endpoint_, config_.api_key);
    if (!result.has_value()) return;
    answer->kind = SubmitAnswer::kReceived;
    answer->failure = {};
    answer->result = std::move(*result);
  }
};

// A line break would end the header and begin another.
Status CheckHeaderText(const ProviderConfig& config, std::string_view name, std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= ' ' && c != 0x7f; });
  if (plain) return OkStatus();
  return Error(Code::kInvalid,
               fmt::format("{} of provider \"{}\" holds control characters.", name, config.name));
}

}  // namespace

StatusOr<std::unique_ptr<Adapter>> NewOpenRouterAdapter(ProviderConfig config) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Make(config, kBaseUrl));
  RETURN_IF_ERROR(CheckHeaderText(config, "appUrl", config.app_url));
  RETURN_IF_ERROR(CheckHeaderText(config, "appTitle", config.app_title));
  return std::unique_ptr<Adapter>(
      std::make_unique<OpenRouterAdapter>(std::move(config), std::move(endpoint)));
}

}  // namespace mediagen
