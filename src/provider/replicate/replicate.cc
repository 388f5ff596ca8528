#include "provider/replicate/replicate.h"

#include "fmt/format.h"
#include "provider/replicate/input.h"
#include "provider/replicate/prediction.h"
#include "provider/replicate/target.h"
#include "provider/webhook_signature.h"
#include "provider/wire_adapter.h"

namespace mediagen {
namespace {

using replicate::BuildInput;
using replicate::IsPredictionId;
using replicate::ParseTarget;
using replicate::ReadHandle;
using replicate::ReadPrediction;
using replicate::Target;

constexpr std::string_view kBaseUrl = "https://api.replicate.com/v1";
class ReplicateAdapter final : public WireAdapter {
 public:
  ReplicateAdapter(ProviderConfig config, Endpoint endpoint)
      : WireAdapter(std::move(config), std::move(endpoint), "REPLICATE_API_TOKEN") {}

  bool reconcilable() const override { return true; }
  bool takes_webhook_url() const override { return true; }

  Capabilities CapabilitiesOf(std::string_view model) const override {
    Capabilities capabilities;
    StatusOr<Target> target = ParseTarget(model);
    capabilities.kinds = {"image", "video"};
    capabilities.max_n_per_request = replicate::TraitsOf(target.ok() ? target->model : "").max_outputs;
    capabilities.negative_prompt = true;
    capabilities.references = true;
    capabilities.aspect_ratio = true;
    return capabilities;
  }

  StatusOr<HttpRequest> BuildSubmit(const PartRequest& part, const Id& attempt,
                                    const std::string& webhook_url) const override {
    ASSIGN_OR_RETURN(Target target, ParseTarget(part.model));
    ASSIGN_OR_RETURN(Json input, BuildInput(part, target));
    Json body = {{"input", std::move(input)}};
    if (!target.version.empty()) body["version"] = target.version;
    if (!webhook_url.empty()) {
      body["webhook"] = webhook_url;
      body["webhook_events_filter"] = {"completed"};
    }
    return Pay(endpoint_.base() + target.path, attempt, body);
  }

  SubmitAnswer ParseSubmit(const HttpResponse& response) const override {
    SubmitAnswer answer;
    const bool accepted = IsAccepted(response, &answer);
    // A 201 whose end was lost still names what was paid for.
    if (response.status < 200 || response.status >= 300) return answer;
    if (accepted) ReadAccepted(response, &answer);
    const std::string_view id = FirstMemberId(response.body);
    if (answer.kind == SubmitAnswer::kUnknown && IsPredictionId(id)) {
      answer.remote.id = id;
      Accept(&answer);
    }
    return answer;
  }

  StatusOr<HttpRequest> BuildPoll(const RemoteHandle& handle) const override {
    ASSIGN_OR_RETURN(std::string url, PredictionUrl(handle));
    return Ask("GET", std::move(url));
  }

  PollAnswer ParsePoll(const HttpResponse& response) const override {
    PollAnswer answer;
    std::optional<Json> json = PollDocument(response, &answer);
    return json ? ReadPrediction(*json, endpoint_, config_.api_key) : answer;
  }

  StatusOr<HttpRequest> BuildCancel(const RemoteHandle& handle) const override {
    ASSIGN_OR_RETURN(std::string url, PredictionUrl(handle));
    return Ask("POST", url + "/cancel");
  }

  StatusOr<HttpRequest> BuildReconcile(const PartRequest&, int64_t after_ms, int64_t before_ms,
                                       const std::string& next_url) const override {
    RETURN_IF_ERROR(CheckReady());
    if (!next_url.empty() && !endpoint_.SameOrigin(next_url)) {
      return Error(Code::kForbidden,
                   "The provider's list goes on at another origin; the key is not sent there.");
    }
    return Ask("GET", next_url.empty() ? fmt::format("{}/predictions?created_after={}&created_before={}",
                                                     endpoint_.base(), PercentEncode(FormatTime(after_ms)),
                                                     PercentEncode(FormatTime(before_ms)))
                                       : next_url);
  }

  ReconcileAnswer ParseReconcile(const HttpResponse& response, const PartRequest& part) const override;

  // The secret of the account's own webhooks: it is asked for with the key.
  StatusOr<HttpRequest> BuildWebhookKeys() const override {
    RETURN_IF_ERROR(CheckReady());
    return Ask("GET", endpoint_.base() + "/webhooks/default/secret");
  }
  StatusOr<std::vector<std::string>> ParseWebhookKeys(const HttpResponse& response) const override;
  StatusOr<Webhook> ReadWebhook(const WebhookRequest& request) const override;

 private:
  // Built from the id: the URLs that the answer gave are kept for the record, and never asked with the key.
  StatusOr<std::string> PredictionUrl(const RemoteHandle& handle) const {
    RETURN_IF_ERROR(CheckReady());
    if (IsPredictionId(handle.id)) return fmt::format("{}/predictions/{}", endpoint_.base(), handle.id);
    return Error(Code::kInvalid, fmt::format("\"{}\" is no prediction id.", Shorten(handle.id, 60)));
  }

  static void Accept(SubmitAnswer* answer) {
    answer->kind = SubmitAnswer::kSubmitted;
    answer->failure = {};
    if (answer->result.kind == PollAnswer::kTransient) answer->result.kind = PollAnswer::kPending;
  }

  void ReadAccepted(const HttpResponse& response, SubmitAnswer* answer) const {
    StatusOr<Json> json = ParseJson(response.body, "the provider's answer", kAnswerLimits);
    if (!json.ok()) return;
    std::optional<RemoteHandle> handle = ReadHandle(*json, endpoint_);
    if (!handle.has_value()) return;
    answer->remote = std::move(*handle);
    answer->result = ReadPrediction(*json, endpoint_, config_.api_key);
    Accept(answer);
  }

  enum class Match { kNo, kYes, kUnreadable };
  static Match Compare(const Json& prediction, const Target& target, const Json& input);
};

// Whether a listed prediction is what BuildSubmit would have sent. Replicate deletes inputs after an hour;
// what is left then cannot be told apart.
ReplicateAdapter::Match ReplicateAdapter::Compare(const Json& prediction, const Target& target,
                                                  const Json& input) {
  if (!prediction.is_object()) return Match::kNo;
  const std::string model = TextOf(prediction, target.deployment ? "deployment" : "model");
  if (!model.empty() && !target.model.empty() && model != target.model) return Match::kNo;
  const std::string version = TextOf(prediction, "version");
  if (!target.version.empty() && !version.empty() && ToLower(version) != target.version) return Match::kNo;
  auto removed = prediction.find("data_removed");
  auto listed = prediction.find("input");
  const bool gone = removed != prediction.end() && removed->is_boolean() && removed->get<bool>();
  if (gone || listed == prediction.end() || listed->is_null()) return Match::kUnreadable;
  return *listed == input ? Match::kYes : Match::kNo;
}

ReconcileAnswer ReplicateAdapter::ParseReconcile(const HttpResponse& response,
                                                 const PartRequest& part) const {
  ReconcileAnswer answer;
  StatusOr<Target> target = ParseTarget(part.model);
  StatusOr<Json> input = target.ok() ? BuildInput(part, *target) : StatusOr<Json>(target.status());
  if (!input.ok()) {
    answer.failure = {.error_class = ErrorClass::kInvalid, .message = InfoOf(input.status()).message};
    return answer;
  }
  StatusOr<Json> page = ParseJson(response.body, "the provider's list", kAnswerLimits);
  if (!IsSuccess(response) || !page.ok() || !page->is_object() || !page->contains("results") ||
      !(*page)["results"].is_array()) {
    answer.failure = IsSuccess(response) ? Failure{.error_class = ErrorClass::kServer,
                                                   .message = "The provider's list cannot be read.",
                                                   .retryable = true}
                                         : ReadFailure(response);
    return answer;
  }
  bool unreadable = false;
  for (const Json& prediction : (*page)["results"]) {
    const Match match = Compare(prediction, *target, *input);
    unreadable = unreadable || match == Match::kUnreadable;
    std::optional<RemoteHandle> handle =
        match == Match::kYes ? ReadHandle(prediction, endpoint_) : std::nullopt;
    if (handle.has_value()) answer.found.push_back(std::move(*handle));
  }
  if (unreadable && answer.found.empty()) {
    answer.failure = {.error_class = ErrorClass::kExpired,
                      .message =
                          "Replicate has deleted the inputs of predictions of that time; which one is this "
                          "request's cannot be told."};
    return answer;
  }
  answer.next_url = TextOf(*page, "next");
  if (!answer.next_url.empty() && !endpoint_.SameOrigin(answer.next_url)) {
    answer.failure = {.error_class = ErrorClass::kServer,
                      .message = "The provider's list goes on at another origin; it is not followed there."};
    answer.next_url.clear();
    answer.kind = answer.found.empty() ? ReconcileAnswer::kTransient : ReconcileAnswer::kFound;
    return answer;
  }
  answer.kind = !answer.next_url.empty() ? ReconcileAnswer::kMore
                : answer.found.empty()   ? ReconcileAnswer::kNone
                                         : ReconcileAnswer::kFound;
  return answer;
}

// {"key": "whsec_…"}
StatusOr<std::vector<std::string>> ReplicateAdapter::ParseWebhookKeys(const HttpResponse& response) const {
  if (!IsSuccess(response)) return Error(Code::kUnavailable, ReadFailure(response).message);
  StatusOr<Json> json = ParseJson(response.body, "the provider's webhook secret");
  std::string key = json.ok() ? TextOf(*json, "key") : "";
  if (key.starts_with("whsec_") && key.size() > 6) return std::vector<std::string>{std::move(key)};
  return Error(Code::kUnavailable, "Replicate's answer holds no webhook secret.");
}

// The body is the prediction, of which nothing but its id is read: inputs and outputs may be removed from it.
StatusOr<Webhook> ReplicateAdapter::ReadWebhook(const WebhookRequest& request) const {
  Webhook webhook;
  ASSIGN_OR_RETURN(webhook.delivery, CheckStandardWebhook(request));
  ASSIGN_OR_RETURN(Json prediction, ParseJson(request.body, "the webhook", kAnswerLimits));
  webhook.remote_id = TextOf(prediction, "id");
  if (IsPredictionId(webhook.remote_id)) return webhook;
  return Error(Code::kInvalid, "The webhook names no prediction.");
}

}  // namespace

StatusOr<std::unique_ptr<Adapter>> NewReplicateAdapter(ProviderConfig config) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Make(config, kBaseUrl));
  return std::unique_ptr<Adapter>(std::make_unique<ReplicateAdapter>(std::move(config), std::move(endpoint)));
}

}  // namespace mediagen
