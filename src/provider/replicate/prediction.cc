#include "provider/replicate/prediction.h"

#include <algorithm>
#include <array>

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/replicate/target.h"
#include "provider/wire_adapter.h"

namespace mediagen::replicate {
namespace {

constexpr int64_t kPollMs = 500;  // what Replicate's own clients use

// Null, "" and absence all mean that there was no error; anything else is its text.
std::string ErrorText(const Json& prediction) {
  auto it = prediction.find("error");
  if (it == prediction.end() || it->is_null()) return "";
  return it->is_string() ? it->get<std::string>() : Dump(*it);
}

bool Ran(const Json& prediction) {
  if (!TextOf(prediction, "started_at").empty()) return true;
  auto metrics = prediction.find("metrics");
  if (metrics == prediction.end() || !metrics->is_object()) return false;
  auto seconds = metrics->find("predict_time");
  return seconds != metrics->end() && seconds->is_number() && seconds->get<double>() > 0;
}

// Replicate has no code for a refusal by a model's safety check; these are the words that models and
// Replicate use.
bool SpeaksOfSafety(std::string_view text) {
  constexpr std::array<std::string_view, 8> kWords = {
      "nsfw",           "flagged as sensitive", "sensitive content", "(e005)",
      "content policy", "content moderation",   "safety filter",     "safety system"};
  const std::string lower = ToLower(text.substr(0, 4096));
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// "PA" from "Prediction interrupted; please retry (code: PA)", "E005" from "… (E005)".
std::string CodeIn(std::string_view text) {
  const size_t open = text.rfind('(');
  const size_t close = text.find(')', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return "";
  std::string_view code = text.substr(open + 1, close - open - 1);
  if (code.starts_with("code: ")) code.remove_prefix(6);
  const bool plausible = !code.empty() && code.size() <= 8 &&
                         std::all_of(code.begin(), code.end(),
                                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
  return plausible ? std::string(code) : "";
}

void SetFailed(PollAnswer* answer, ErrorClass error_class, std::string message, bool charged) {
  answer->kind = PollAnswer::kFailed;
  answer->failure.error_class = error_class;
  answer->failure.message = std::move(message);
  answer->charged = charged;
}

void ReadFailure(const Json& prediction, std::string_view secret, PollAnswer* answer) {
  const std::string text = ErrorText(prediction);
  const bool safety = SpeaksOfSafety(text);
  SetFailed(answer, safety ? ErrorClass::kSafety : ErrorClass::kServer,
            text.empty() ? "The prediction failed and gave no reason." : SafeText(text, secret),
            Ran(prediction));
  answer->failure.provider_code = CodeIn(text);
  // The model's own error comes back with the same input; an interruption of Replicate's does not.
  answer->failure.retryable = !safety && answer->failure.provider_code == "PA";
}

void ReadSuccess(const Json& prediction, const Endpoint& endpoint, PollAnswer* answer) {
  auto output = prediction.find("output");
  if (output != prediction.end()) answer->outputs = ReadOutputs(*output, endpoint);
  if (!answer->outputs.empty()) {
    answer->kind = PollAnswer::kSucceeded;
    return;
  }
  auto removed = prediction.find("data_removed");
  if (removed != prediction.end() && removed->is_boolean() && removed->get<bool>()) {
    SetFailed(answer, ErrorClass::kExpired,
              "The prediction succeeded, but Replicate has deleted its output (it keeps them for an hour).",
              true);
  } else {
    SetFailed(answer, ErrorClass::kServer,
              "The prediction succeeded without a picture or video in its output.", true);
  }
}

}  // namespace

PollAnswer ReadPrediction(const Json& prediction, const Endpoint& endpoint, std::string_view secret) {
  PollAnswer answer;
  if (!prediction.is_object() || (!prediction.contains("status") && !prediction.contains("id"))) {
    answer.failure = {.error_class = ErrorClass::kServer,
                      .message = "The provider's answer is no prediction.",
                      .retryable = true};
    return answer;
  }
  const std::string logs = TextOf(prediction, "logs");
  const std::string status = TextOf(prediction, "status");
  answer.progress = ReadProgress(logs);
  answer.seed = ReadSeed(logs);
  if (status == "succeeded") {
    ReadSuccess(prediction, endpoint, &answer);
  } else if (status == "failed") {
    ReadFailure(prediction, secret, &answer);
  } else if (status == "canceled") {
    SetFailed(&answer, ErrorClass::kCanceled, "The prediction was canceled.", Ran(prediction));
  } else if (status == "aborted") {
    SetFailed(&answer, ErrorClass::kTimeout, "The prediction did not start before its deadline.", false);
    answer.failure.retryable = true;
  } else {
    answer.kind = PollAnswer::kPending;
    answer.next_poll_ms = kPollMs;
    if (status == "starting") {
      answer.progress.message = "The model is starting.";
    } else if (status != "processing") {
      answer.progress.message =
          fmt::format("Replicate reports the state \"{}\", which is not known here; waiting.",
                      SafeText(Shorten(status, 40), secret));
    }
  }
  return answer;
}

std::optional<RemoteHandle> ReadHandle(const Json& prediction, const Endpoint& endpoint) {
  RemoteHandle handle;
  handle.id = TextOf(prediction, "id");
  if (!IsPredictionId(handle.id)) return std::nullopt;
  auto urls = prediction.find("urls");
  if (urls != prediction.end() && urls->is_object()) {
    handle.status_url = TextOf(*urls, "get");
    handle.cancel_url = TextOf(*urls, "cancel");
    for (std::string* url : {&handle.status_url, &handle.cancel_url}) {
      if (!endpoint.Acceptable(*url)) url->clear();
    }
  }
  return handle;
}

}  // namespace mediagen::replicate
