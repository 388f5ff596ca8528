#include "provider/gemini/gemini.h"

#include "fmt/format.h"
#include "provider/gemini/answer.h"
#include "provider/gemini/error.h"
#include "provider/gemini/model.h"
#include "provider/gemini/request.h"
#include "provider/webhook_signature.h"
#include "provider/wire_adapter.h"

namespace mediagen {
namespace {

constexpr std::string_view kBaseUrl = "https://generativelanguage.googleapis.com/v1beta";

// Takes no webhook URL. Gemini signs the webhooks that a single request asks for with a JWT of Google's own
// key, and the audience that would bind it to this receiver is not documented: any customer of Google's could
// be sent one and pass it on. Webhooks that are registered for a project are signed with its secret, and
// read.
class GeminiAdapter final : public WireAdapter {
 public:
  GeminiAdapter(ProviderConfig config, Endpoint endpoint)
      : WireAdapter(std::move(config), std::move(endpoint), "GEMINI_API_KEY") {}

  Capabilities CapabilitiesOf(std::string_view name) const override {
    StatusOr<gemini::Model> model = gemini::ParseModel(name);
    return gemini::CapabilitiesOf(model.ok() ? model->route : gemini::Route::kGenerate);
  }

  StatusOr<HttpRequest> BuildSubmit(const PartRequest& part, const Id& attempt,
                                    const std::string&) const override {
    ASSIGN_OR_RETURN(gemini::Model model, gemini::ParseModel(part.model));
    const Capabilities capabilities = gemini::CapabilitiesOf(model.route);
    RETURN_IF_ERROR(CheckRequest(config_.name, capabilities, part, part.n));
    if (part.n > capabilities.max_n_per_request)
      return Error(Code::kInvalid, fmt::format("One request of Gemini's makes one; \"n\" is {}.", part.n));
    ASSIGN_OR_RETURN(Json body, gemini::BuildBody(part, model));
    return Pay(endpoint_.base() + gemini::SubmitPath(model), attempt, body);
  }

  SubmitAnswer ParseSubmit(const HttpResponse& response) const override {
    SubmitAnswer answer;
    const bool accepted = IsAccepted(response, &answer);
    if (answer.kind == SubmitAnswer::kRejected || response.status < 200 || response.status >= 300)
      return answer;
    if (accepted) {
      StatusOr<Json> json = ParseJson(response.body, "the provider's answer", kAnswerLimits);
      if (json.ok()) {
        ReadAccepted(*json, &answer);
        return answer;
      }
    }
    // A 2xx whose end was lost still names what was paid for.
    answer.remote.id = gemini::SalvageHandleId(response.body);
    if (!answer.remote.id.empty()) Accept(&answer);
    return answer;
  }

  StatusOr<HttpRequest> BuildPoll(const RemoteHandle& handle) const override {
    ASSIGN_OR_RETURN(std::string url, StatusUrl(handle));
    return Ask("GET", std::move(url));
  }

  PollAnswer ParsePoll(const HttpResponse& response) const override {
    PollAnswer answer;
    std::optional<Json> json = PollDocument(response, &answer);
    return json ? ReadDocument(*json) : answer;
  }

  StatusOr<HttpRequest> BuildCancel(const RemoteHandle& handle) const override {
    if (gemini::IsOperationName(handle.id)) return WireAdapter::BuildCancel(handle);
    ASSIGN_OR_RETURN(std::string url, StatusUrl(handle));
    return Ask("POST", url + "/cancel");
  }

  StatusOr<Webhook> ReadWebhook(const WebhookRequest& request) const override;

 protected:
  void AddKey(HttpRequest* request) const override {
    request->headers.emplace_back("x-goog-api-key", config_.api_key);
  }
  Failure ReadFailure(const HttpResponse& response) const override {
    return gemini::ReadHttpFailure(response, config_.api_key);
  }

 private:
  StatusOr<std::string> StatusUrl(const RemoteHandle& handle) const {
    RETURN_IF_ERROR(CheckReady());
    const std::string path = gemini::StatusPath(handle.id);
    if (!path.empty()) return endpoint_.base() + path;
    return Error(Code::kInvalid,
                 fmt::format("\"{}\" is neither an operation nor an interaction.", Shorten(handle.id, 60)));
  }

  static void Accept(SubmitAnswer* answer) {
    answer->kind = SubmitAnswer::kSubmitted;
    answer->failure = {};
    if (answer->result.kind != PollAnswer::kTransient) return;
    answer->result = {};
    answer->result.kind = PollAnswer::kPending;
  }

  // An operation or an interaction, told apart by what each must have.
  PollAnswer ReadDocument(const Json& json) const {
    if (json.contains("status") || json.contains("steps"))
      return gemini::ReadInteraction(json, endpoint_, config_.api_key);
    if (json.contains("name") || json.contains("done"))
      return gemini::ReadOperation(json, endpoint_, config_.api_key);
    PollAnswer answer;
    answer.failure = {.error_class = ErrorClass::kServer,
                      .message = "The provider's answer is neither an operation nor an interaction.",
                      .retryable = true};
    return answer;
  }

  void ReadAccepted(const Json& json, SubmitAnswer* answer) const {
    if (!json.is_object()) return;
    answer->remote.id = gemini::HandleIdOf(json);
    if (!answer->remote.id.empty()) {
      answer->result = ReadDocument(json);
      return Accept(answer);
    }
    std::optional<PollAnswer> result = gemini::ReadGenerated(json, endpoint_, config_.api_key);
    if (!result) return;
    answer->kind = SubmitAnswer::kReceived;
    answer->failure = {};
    answer->result = std::move(*result);
  }
};

// {"type": "video.generated", "version", "timestamp", "data": {"id", …}}.
StatusOr<Webhook> GeminiAdapter::ReadWebhook(const WebhookRequest& request) const {
  WebhookRequest keyed = request;
  if (keyed.keys.empty() && !config_.webhook_secret.empty()) keyed.keys = {config_.webhook_secret};
  Webhook webhook;
  ASSIGN_OR_RETURN(webhook.delivery, CheckStandardWebhook(keyed));
  ASSIGN_OR_RETURN(Json body, ParseJson(request.body, "the webhook"));
  const Json& data = ObjectOf(body, "data");
  if (TextOf(body, "type").empty() || data.empty())
    return Error(Code::kInvalid, "The webhook is no event of Gemini's.");
  // Which of its names a video's operation goes by there is not documented; whatever else it is finds
  // nothing.
  const std::string id = TextOf(data, "id");
  webhook.remote_id = gemini::StatusPath(id).empty() ? gemini::HandleIdOf(data) : id;
  return webhook;
}

}  // namespace

StatusOr<std::unique_ptr<Adapter>> NewGeminiAdapter(ProviderConfig config) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Make(config, kBaseUrl));
  return std::unique_ptr<Adapter>(std::make_unique<GeminiAdapter>(std::move(config), std::move(endpoint)));
}

}  // namespace mediagen
