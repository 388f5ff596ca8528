#include "provider/openai/openai.h"

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/inline_data.h"
#include "provider/openai/answer.h"
#include "provider/openai/error.h"
#include "provider/openai/request.h"
#include "provider/webhook_signature.h"
#include "provider/wire_adapter.h"

namespace mediagen {
namespace {

constexpr size_t kMaxPictures = 64;  // of one answer

class OpenAiAdapter final : public WireAdapter {
 public:
  OpenAiAdapter(ProviderConfig config, Endpoint endpoint, bool own)
      : WireAdapter(std::move(config), std::move(endpoint), own ? "OPENAI_API_KEY" : ""), own_(own) {}

  Capabilities CapabilitiesOf(std::string_view model) const override {
    return openai::CapabilitiesOf(openai::TraitsOf(model), own_);
  }

  StatusOr<HttpRequest> BuildSubmit(const PartRequest& part, const Id& attempt,
                                    const std::string& webhook_url) const override;
  SubmitAnswer ParseSubmit(const HttpResponse& response) const override;

  StatusOr<HttpRequest> BuildPoll(const RemoteHandle& handle) const override {
    ASSIGN_OR_RETURN(std::string url, VideoUrl(handle));
    return Ask("GET", std::move(url));
  }

  PollAnswer ParsePoll(const HttpResponse& response) const override {
    PollAnswer answer;
    std::optional<Json> document = PollDocument(response, &answer);
    return document ? openai::ReadVideo(*document, endpoint_.base(), config_.api_key) : answer;
  }

  // OpenAI has nothing but the deletion of a video, which it may refuse while the video is made. A video that
  // was ready meanwhile is deleted too: it is asked for only when nobody wants the video any more.
  StatusOr<HttpRequest> BuildCancel(const RemoteHandle& handle) const override {
    ASSIGN_OR_RETURN(std::string url, VideoUrl(handle));
    return Ask("DELETE", std::move(url));
  }

  StatusOr<Webhook> ReadWebhook(const WebhookRequest& request) const override;

 protected:
  Failure ReadFailure(const HttpResponse& response) const override {
    return openai::ReadError(response, config_.api_key);
  }

 private:
  StatusOr<std::string> VideoUrl(const RemoteHandle& handle) const {
    RETURN_IF_ERROR(CheckReady());
    if (IsPathSegment(handle.id)) return fmt::format("{}/videos/{}", endpoint_.base(), handle.id);
    return Error(Code::kInvalid,
                 fmt::format("\"{}\" is no video id.", Shorten(ReplaceBadUtf8(handle.id), 60)));
  }

  void ReadAccepted(const Json& document, SubmitAnswer* answer) const;
  PollAnswer ReadPictures(const Json& document) const;
  std::optional<RemoteOutput> ReadPicture(const Json& item, std::string_view media_type) const;

  const bool own_;  // OpenAI itself, and no server that is like it
};

StatusOr<HttpRequest> OpenAiAdapter::BuildSubmit(const PartRequest& part, const Id& attempt,
                                                 const std::string&) const {
  const openai::Traits traits = openai::TraitsOf(part.model);
  RETURN_IF_ERROR(CheckRequest(config_.name, CapabilitiesOf(part.model), part, part.n));
  const int most = part.kind == "image" ? traits.max_n : 1;
  if (part.n > most)
    return Error(Code::kInvalid,
                 fmt::format("One request to \"{}\" makes {} at most.", Shorten(part.model, 100), most));
  ASSIGN_OR_RETURN(Json fields, openai::BuildFields(part, traits, own_));
  if (part.kind == "image" && part.references.empty())
    return Pay(endpoint_.base() + "/images/generations", attempt, fields);
  ASSIGN_OR_RETURN(openai::Form form, openai::BuildForm(part, traits, fields));
  openai::Form::Encoded encoded = form.Encode(SystemRandom());
  return Pay(endpoint_.base() + (part.kind == "image" ? "/images/edits" : "/videos"), attempt,
             std::move(encoded.content_type), std::move(encoded.body));
}

SubmitAnswer OpenAiAdapter::ParseSubmit(const HttpResponse& response) const {
  SubmitAnswer answer;
  const bool accepted = IsAccepted(response, &answer);
  if (answer.kind == SubmitAnswer::kRejected || response.status < 200 || response.status >= 300)
    return answer;
  std::optional<Json> document = accepted ? openai::DocumentIn(response.body) : std::nullopt;
  if (document) {
    ReadAccepted(*document, &answer);
  } else if (answer.remote.id = openai::SalvageVideoId(response.body); !answer.remote.id.empty()) {
    answer.kind = SubmitAnswer::kSubmitted;  // a 200 whose end was lost still names what was paid for
    answer.failure = {};
    answer.result.kind = PollAnswer::kPending;
  }
  return answer;
}

// A document that is neither a video, nor a list of pictures, nor an error leaves the answer unknown.
void OpenAiAdapter::ReadAccepted(const Json& document, SubmitAnswer* answer) const {
  if (openai::IsVideo(document)) {
    const std::string id = TextOf(document, "id");
    if (!IsPathSegment(id)) return;
    answer->kind = SubmitAnswer::kSubmitted;
    answer->remote.id = id;
    answer->result = openai::ReadVideo(document, endpoint_.base(), config_.api_key);
    if (answer->result.kind == PollAnswer::kTransient) answer->result.kind = PollAnswer::kPending;
  } else {
    auto data = document.find("data");
    if ((data == document.end() || !data->is_array()) && !openai::HoldsError(document)) return;
    answer->kind = SubmitAnswer::kReceived;
    answer->result = ReadPictures(document);
  }
  answer->failure = {};
}

// Pictures that can be read count, whatever else the answer says. Without any, an error of the kinds that
// come before work begins was not charged; everything else counts as charged, since nothing says that it was
// not.
PollAnswer OpenAiAdapter::ReadPictures(const Json& document) const {
  PollAnswer answer;
  const std::string media_type = openai::MediaTypeOf(TextOf(document, "output_format"));
  for (const Json& item : ListOf(document, "data")) {
    if (answer.outputs.size() >= kMaxPictures) break;
    if (std::optional<RemoteOutput> picture = ReadPicture(item, media_type))
      answer.outputs.push_back(std::move(*picture));
  }
  if (!answer.outputs.empty()) {
    answer.kind = PollAnswer::kSucceeded;
    return answer;
  }
  answer.kind = PollAnswer::kFailed;
  answer.charged = true;
  if (!openai::HoldsError(document)) {
    answer.failure = {.error_class = ErrorClass::kServer,
                      .message = "The provider's answer holds no picture."};
    return answer;
  }
  answer.failure = openai::ErrorIn(document, config_.api_key);
  const ErrorClass error_class = answer.failure.error_class;
  answer.charged = error_class != ErrorClass::kBilling && error_class != ErrorClass::kAuth &&
                   error_class != ErrorClass::kRateLimited && error_class != ErrorClass::kInvalid &&
                   error_class != ErrorClass::kNotFound;
  if (answer.charged) answer.failure.retryable = false;  // it would be paid for again
  return answer;
}

// Either field, whatever was asked for; a server of one's own may put a data URI into any of them, or a path
// of its own into "url".
std::optional<RemoteOutput> OpenAiAdapter::ReadPicture(const Json& item, std::string_view media_type) const {
  for (const char* name : {"b64_json", "url"}) {
    const std::string text = TextOf(item, name);
    if (text.empty()) continue;
    std::optional<RemoteOutput> picture = text.starts_with("data:") ? DataUriOutput(text)
                                          : name[0] == 'b'          ? InlineOutput(text, media_type)
                                                                    : UrlOutput(Resolve(text), media_type);
    if (picture) return picture;
  }
  return std::nullopt;
}

// {"id": "evt_…", "type": "video.completed", "data": {"id": "video_…"}}. Events of other things (batches,
// fine-tuning) go to the same URL; they are about no request of ours.
StatusOr<Webhook> OpenAiAdapter::ReadWebhook(const WebhookRequest& given) const {
  WebhookRequest request = given;
  if (request.keys.empty() && !config_.webhook_secret.empty()) request.keys = {config_.webhook_secret};
  Webhook webhook;
  ASSIGN_OR_RETURN(webhook.delivery, CheckStandardWebhook(request));
  ASSIGN_OR_RETURN(Json event, ParseJson(request.body, "the webhook"));
  const std::string id = TextOf(ObjectOf(event, "data"), "id");
  if (!IsPathSegment(id)) return Error(Code::kInvalid, "The webhook names no object of the provider's.");
  const std::string type = TextOf(event, "type");
  if (type.empty() || type.starts_with("video.")) webhook.remote_id = id;
  return webhook;
}

}  // namespace

StatusOr<std::unique_ptr<Adapter>> NewOpenAiAdapter(ProviderConfig config) {
  ASSIGN_OR_RETURN(Endpoint endpoint, Endpoint::Make(config, openai::kBaseUrl));
  const bool own = openai::IsOpenAi(endpoint);
  return std::unique_ptr<Adapter>(
      std::make_unique<OpenAiAdapter>(std::move(config), std::move(endpoint), own));
}

}  // namespace mediagen
