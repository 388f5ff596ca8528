// What fal, OpenRouter, Gemini and OpenAI answer, and what they send to a webhook: whole, cut short, or not
// theirs at all. The input is the provider's name, the status of the answer, and its body, a line each.
#include <algorithm>
#include <charconv>
#include <map>
#include <string>

#include "fuzz/input.h"
#include "provider/provider.h"
#include "provider/wire_adapter.h"

namespace mediagen {
namespace {

constexpr char kKey[] = "sk-secret-of-the-fuzzer";

const Adapter* AdapterOf(std::string_view name) {
  static const auto* const adapters = [] {
    auto* made = new std::map<std::string, std::unique_ptr<Adapter>, std::less<>>;
    for (const char* type : {"fal", "openrouter", "gemini", "openai"}) {
      auto adapter = NewAdapter({.name = type, .type = type, .api_key = kKey});
      fuzz::Require(adapter.ok(), "an adapter");
      made->emplace(type, *std::move(adapter));
    }
    return made;
  }();
  auto found = adapters->find(name);
  return found == adapters->end() ? adapters->begin()->second.get() : found->second.get();
}

void CheckFailure(const Failure& failure) {
  fuzz::Require(failure.message.find(kKey) == std::string::npos, "no key in a message");
  fuzz::Require(failure.retry_after_ms >= -1, "a hint that lies ahead");
}

// What is asked about again goes to the provider's own origin, or nowhere.
void CheckHandle(const Adapter& adapter, const RemoteHandle& handle) {
  fuzz::Require(!handle.id.empty(), "a handle has an id");
  for (const auto& request :
       {adapter.BuildPoll(handle), adapter.BuildResult(handle), adapter.BuildCancel(handle)}) {
    if (!request.ok()) continue;
    auto url = ParseUrl(request->url);
    fuzz::Require(url.ok() && url->scheme == "https", "a URL of the provider's");
    fuzz::Require(url->host.ends_with(".run") || url->host.ends_with(".ai") || url->host.ends_with(".com"),
                  "its own origin");
  }
}

void CheckPoll(const Adapter& adapter, const PollAnswer& answer) {
  CheckFailure(answer.failure);
  if (answer.progress.fraction)
    fuzz::Require(*answer.progress.fraction >= 0 && *answer.progress.fraction <= 1, "a fraction");
  fuzz::Require(!answer.cost_micros || *answer.cost_micros >= 0, "a cost");
  for (const RemoteOutput& output : answer.outputs) {
    fuzz::Require(!output.url.empty() || output.bytes, "an output is somewhere");
    auto download = output.bytes ? StatusOr<HttpRequest>(HttpRequest{}) : adapter.BuildDownload(output);
    fuzz::Require(
        !download.ok() || output.bytes || output.needs_credentials ||
            std::none_of(download->headers.begin(), download->headers.end(),
                         [](const auto& header) { return header.second.find(kKey) != std::string::npos; }),
        "no key goes where it is not needed");
  }
}

}  // namespace
}  // namespace mediagen

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  std::string_view rest = fuzz::Text(data, size);
  const Adapter& adapter = *AdapterOf(fuzz::TakeTo('\n', &rest));
  const std::string_view status = fuzz::TakeTo('\n', &rest);
  HttpResponse response;
  response.status = 200;
  std::from_chars(status.data(), status.data() + status.size(), response.status);
  response.body = rest;
  for (HttpProgress progress : {HttpProgress::kAnswered, HttpProgress::kSent, HttpProgress::kNotSent}) {
    response.progress = progress;
    if (progress != HttpProgress::kAnswered) response.transport = Error(Code::kUnavailable, "it broke off");
    const SubmitAnswer submit = adapter.ParseSubmit(response);
    CheckFailure(submit.failure);
    if (submit.kind == SubmitAnswer::kSubmitted) CheckHandle(adapter, submit.remote);
    if (progress == HttpProgress::kNotSent)
      fuzz::Require(submit.kind == SubmitAnswer::kRejected, "what was not sent was not accepted");
    CheckPoll(adapter, adapter.ParsePoll(response));
    CheckPoll(adapter, adapter.ParseResult(response));
  }
  auto webhook = adapter.ReadWebhook({.body = rest, .authenticated = true});
  if (webhook.ok() && !webhook->remote_id.empty())
    CheckHandle(adapter, adapter.HandleFor({.model = "fal-ai/flux/dev"}, webhook->remote_id));
  fuzz::Require(!adapter.ReadWebhook({.body = rest, .keys = {"whsec_AAAA"}}).ok(), "a signature is needed");
  return 0;
}
