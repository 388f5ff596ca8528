#include "provider/provider.h"

#include "fmt/format.h"
#include "provider/fal/fal.h"
#include "provider/gemini/gemini.h"
#include "provider/host/host.h"
#include "provider/openai/openai.h"
#include "provider/openrouter/openrouter.h"
#include "provider/replicate/replicate.h"
#include "provider/sketch/sketch.h"

namespace mediagen {
namespace {

Status CannotDo(const Adapter& adapter, std::string_view what) {
  return Error(Code::kUnsupported, fmt::format("Provider \"{}\" does not {}.", adapter.config().name, what));
}

struct AdapterType {
  std::string_view name;
  std::vector<std::string> key_names;
  StatusOr<std::unique_ptr<Adapter>> (*make)(ProviderConfig);
};

const std::vector<AdapterType>& Types() {
  static const auto* types = new std::vector<AdapterType>{
      {"sketch",
       {},
       [](ProviderConfig config) {
         return StatusOr<std::unique_ptr<Adapter>>(NewSketchAdapter(std::move(config)));
       }},
      {"replicate", {"REPLICATE_API_TOKEN"}, NewReplicateAdapter},
      {"openrouter", {"OPENROUTER_API_KEY"}, NewOpenRouterAdapter},
      {"gemini", {"GEMINI_API_KEY"}, NewGeminiAdapter},
      {"openai", {"OPENAI_API_KEY"}, NewOpenAiAdapter},
      {"fal", {"FAL_KEY", "FAL_API_KEY"}, NewFalAdapter},
      {"host", {}, NewHostAdapter},
  };
  return *types;
}

}  // namespace

std::string_view ErrorClassName(ErrorClass value) {
  switch (value) {
    case ErrorClass::kAuth:
      return "auth";
    case ErrorClass::kBilling:
      return "billing";
    case ErrorClass::kInvalid:
      return "invalid";
    case ErrorClass::kSafety:
      return "safety";
    case ErrorClass::kNotFound:
      return "not_found";
    case ErrorClass::kRateLimited:
      return "rate_limited";
    case ErrorClass::kOverloaded:
      return "overloaded";
    case ErrorClass::kServer:
      return "server";
    case ErrorClass::kTimeout:
      return "timeout";
    case ErrorClass::kUnknownOutcome:
      return "unknown_outcome";
    case ErrorClass::kCanceled:
      return "canceled";
    case ErrorClass::kExpired:
      return "expired";
  }
  return "server";
}

Code CodeOf(const Failure& failure) {
  switch (failure.error_class) {
    // The provider refused for good. The class says why; `unauthorized` or `not_found` outside would speak of
    // the host's own request.
    case ErrorClass::kAuth:
    case ErrorClass::kBilling:
    case ErrorClass::kInvalid:
    case ErrorClass::kNotFound:
    case ErrorClass::kExpired:
      return Code::kProviderRejected;
    case ErrorClass::kSafety:
      return Code::kSafety;
    case ErrorClass::kRateLimited:
      return Code::kRateLimited;
    case ErrorClass::kOverloaded:
      return Code::kOverloaded;
    case ErrorClass::kServer:
      return Code::kUnavailable;
    case ErrorClass::kTimeout:
      return Code::kTimeout;
    case ErrorClass::kUnknownOutcome:
      return Code::kUnknownOutcome;
    case ErrorClass::kCanceled:
      return Code::kCanceled;
  }
  return Code::kInternal;
}

int64_t Adapter::EstimateMicros(const PartRequest& request) const {
  const auto& estimates = config().estimates;
  auto each = estimates.find(request.model);
  if (each == estimates.end()) each = estimates.find("*");
  return each == estimates.end() ? 0 : each->second * request.n;
}

StatusOr<HttpRequest> Adapter::BuildSubmit(const PartRequest&, const Id&, const std::string&) const {
  return CannotDo(*this, "take requests over the wire");
}

SubmitAnswer Adapter::ParseSubmit(const HttpResponse&) const {
  SubmitAnswer answer;  // whatever was sent was not built here: nothing is known of it
  answer.failure = {.error_class = ErrorClass::kUnknownOutcome, .message = "This provider reads no answers."};
  return answer;
}

StatusOr<HttpRequest> Adapter::BuildPoll(const RemoteHandle&) const {
  return CannotDo(*this, "answer polls");
}

PollAnswer Adapter::ParsePoll(const HttpResponse&) const {
  PollAnswer answer;
  answer.failure.message = "This provider reads no answers.";
  return answer;
}

StatusOr<HttpRequest> Adapter::BuildResult(const RemoteHandle&) const {
  return CannotDo(*this, "give results apart from polls");
}

PollAnswer Adapter::ParseResult(const HttpResponse& response) const { return ParsePoll(response); }

StatusOr<HttpRequest> Adapter::BuildWebhookKeys() const {
  return CannotDo(*this, "publish the keys of its webhooks");
}

StatusOr<std::vector<std::string>> Adapter::ParseWebhookKeys(const HttpResponse&) const {
  return CannotDo(*this, "publish the keys of its webhooks");
}

StatusOr<Webhook> Adapter::ReadWebhook(const WebhookRequest&) const {
  return CannotDo(*this, "send webhooks");
}

StatusOr<HttpRequest> Adapter::BuildCancel(const RemoteHandle&) const {
  return CannotDo(*this, "cancel requests");
}

StatusOr<HttpRequest> Adapter::BuildReconcile(const PartRequest&, int64_t, int64_t,
                                              const std::string&) const {
  return CannotDo(*this, "list its requests");
}

ReconcileAnswer Adapter::ParseReconcile(const HttpResponse&, const PartRequest&) const {
  ReconcileAnswer answer;
  answer.failure.message = "This provider does not list its requests.";
  return answer;
}

StatusOr<HttpRequest> Adapter::BuildDownload(const RemoteOutput&) const {
  return CannotDo(*this, "have downloads");
}

StatusOr<std::vector<RemoteOutput>> Adapter::Run(const PartRequest&,
                                                 const std::function<void(const Progress&)>&,
                                                 const std::function<bool()>&) const {
  return CannotDo(*this, "run in this process");
}

std::vector<std::string> KeyNamesOf(std::string_view type) {
  for (const AdapterType& known : Types()) {
    if (type == known.name) return known.key_names;
  }
  return {};
}

std::vector<std::string> AdapterTypes() {
  std::vector<std::string> names;
  for (const AdapterType& type : Types()) names.emplace_back(type.name);
  return names;
}

StatusOr<std::unique_ptr<Adapter>> NewAdapter(ProviderConfig config) {
  if (config.type.empty()) config.type = config.name;
  std::string names;
  for (const AdapterType& type : Types()) {
    if (config.type == type.name) return type.make(std::move(config));
    names += fmt::format("{}{}", names.empty() ? "" : ", ", type.name);
  }
  return Error(Code::kNotFound,
               fmt::format("Provider \"{}\": there is no type \"{}\".", Shorten(config.name, 60),
                           Shorten(config.type, 60)),
               {.hint = fmt::format("The types are: {}.", names), .object = config.name});
}

}  // namespace mediagen
