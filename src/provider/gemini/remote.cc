// Operations and interactions: work that is asked about until it is over.
#include <algorithm>

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/gemini/answer.h"
#include "provider/gemini/error.h"
#include "provider/gemini/model.h"
#include "provider/inline_data.h"
#include "provider/wire_adapter.h"

namespace mediagen::gemini {
namespace {

constexpr size_t kMaxOutputs = 64;
constexpr int64_t kOperationPollMs = 10'000;  // what Google's own clients do; a video takes a minute or more

PollAnswer Pending(std::string message = "") {
  PollAnswer answer;
  answer.kind = PollAnswer::kPending;
  answer.progress.message = std::move(message);
  return answer;
}

PollAnswer Succeeded(std::vector<RemoteOutput> outputs) {
  PollAnswer answer;
  answer.kind = PollAnswer::kSucceeded;
  answer.outputs = std::move(outputs);
  return answer;
}

bool IsTrue(const Json& object, const char* name) {
  auto it = object.find(name);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

// The reasons why samples are missing, as sentences of Google's.
std::string FilteredReasons(const Json& response, std::string_view secret) {
  std::string reasons;
  for (const Json& reason : ListOf(response, "raiMediaFilteredReasons")) {
    if (!reason.is_string() || reasons.size() > 400) continue;
    reasons += fmt::format("{}{}", reasons.empty() ? "" : " ", reason.get_ref<const std::string&>());
  }
  return SafeText(reasons, secret);
}

// An interaction's pictures and videos. Only what the model put out: other steps repeat what it was given.
std::vector<RemoteOutput> ReadSteps(const Json& interaction, const Endpoint& endpoint) {
  std::vector<RemoteOutput> outputs;
  for (const Json& step : ListOf(interaction, "steps")) {
    if (TextOf(step, "type") != "model_output") continue;
    for (const Json& content : ListOf(step, "content")) {
      const std::string type = TextOf(content, "type");
      if ((type != "image" && type != "video") || outputs.size() >= kMaxOutputs) continue;
      const std::string media_type = TextOf(content, "mime_type"), uri = TextOf(content, "uri");
      std::optional<RemoteOutput> output = uri.empty() ? InlineOutput(TextOf(content, "data"), media_type)
                                                       : FileOutput(uri, media_type, endpoint);
      if (output) outputs.push_back(std::move(*output));
    }
  }
  return outputs;
}

enum class State { kWaiting, kCompleted, kFailed, kCanceled, kIncomplete, kOverBudget };
struct StateWord {
  std::string_view word;
  State state;
  std::string_view message;  // of one that waits
};
constexpr StateWord kStates[] = {
    {"queued", State::kWaiting, "Waiting in the queue."},
    {"in_progress", State::kWaiting, ""},
    {"requires_action", State::kWaiting, "The interaction waits for an action, which nothing here can take."},
    {"completed", State::kCompleted, ""},
    {"failed", State::kFailed, ""},
    {"cancelled", State::kCanceled, ""},
    {"incomplete", State::kIncomplete, ""},
    {"budget_exceeded", State::kOverBudget, ""},
};

PollAnswer ReadEnded(State state, const Json& interaction, const Endpoint& endpoint,
                     std::string_view secret) {
  // Made and paid for, whatever it is that came after.
  std::vector<RemoteOutput> outputs = ReadSteps(interaction, endpoint);
  if (!outputs.empty() && state != State::kCanceled) return Succeeded(std::move(outputs));
  switch (state) {
    case State::kCanceled:
      return Failed(ErrorClass::kCanceled, "The interaction was canceled.", "cancelled");
    case State::kIncomplete:
      return Failed(ErrorClass::kServer, "The interaction ended before its result was complete.",
                    "incomplete");
    case State::kOverBudget:
      return Failed(ErrorClass::kBilling, "The interaction ended at its budget.", "budget_exceeded");
    case State::kFailed: {
      auto error = interaction.find("error");
      return Failed(ReadErrorObject(error == interaction.end() ? Json() : *error,
                                    "The interaction failed and gave no reason.", secret));
    }
    default:
      return Failed(ErrorClass::kServer, "The interaction completed without a picture or video.");
  }
}

}  // namespace

PollAnswer ReadOperation(const Json& operation, const Endpoint& endpoint, std::string_view secret) {
  if (!IsTrue(operation, "done")) {
    PollAnswer pending = Pending();
    pending.next_poll_ms = kOperationPollMs;
    return pending;
  }
  auto error = operation.find("error");
  if (error != operation.end() && !error->is_null() && !(error->is_object() && error->empty()))
    return Failed(ReadErrorObject(*error, "The operation failed and gave no reason.", secret));

  const Json& response = ObjectOf(ObjectOf(operation, "response"), "generateVideoResponse");
  std::vector<RemoteOutput> outputs;
  for (const Json& sample : ListOf(response, "generatedSamples")) {
    std::optional<RemoteOutput> output = FileOutput(TextOf(ObjectOf(sample, "video"), "uri"), "", endpoint);
    if (output && outputs.size() < kMaxOutputs) outputs.push_back(std::move(*output));
  }
  if (!outputs.empty()) return Succeeded(std::move(outputs));
  const std::string reasons = FilteredReasons(response, secret);
  if (!reasons.empty() || WholeNumberOf(response, "raiMediaFilteredCount").value_or(0) > 0) {
    return Failed(ErrorClass::kSafety,
                  reasons.empty() ? "The video was withheld by a safety filter." : reasons,
                  "raiMediaFiltered");
  }
  return Failed(ErrorClass::kServer, "The operation is done, and there is no video in it.");
}

PollAnswer ReadInteraction(const Json& interaction, const Endpoint& endpoint, std::string_view secret) {
  const std::string status = TextOf(interaction, "status");
  for (const StateWord& known : kStates) {
    if (known.word != status) continue;
    if (known.state == State::kWaiting) return Pending(std::string(known.message));
    return ReadEnded(known.state, interaction, endpoint, secret);
  }
  return Pending(fmt::format("Gemini reports the state \"{}\", which is not known here; waiting.",
                             Shorten(SafeText(status, secret), 40)));
}

std::string HandleIdOf(const Json& document) {
  std::string name = TextOf(document, "name"), id = TextOf(document, "id");
  if (IsOperationName(name)) return name;
  return IsInteractionId(id) ? id : "";
}

std::string SalvageHandleId(std::string_view body) {
  auto skip = [&](std::string_view expected) {
    std::string_view rest = body.substr(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
    if (!rest.starts_with(expected)) return false;
    body = rest.substr(expected.size());
    return true;
  };
  if (!skip("{")) return "";
  const bool operation = skip("\"name\"");
  if (!operation && !skip("\"id\"")) return "";
  if (!skip(":") || !skip("\"")) return "";
  const size_t quote = body.find('"');
  if (quote == std::string_view::npos) return "";
  const std::string_view value = body.substr(0, quote);
  const bool fits = operation ? IsOperationName(value) : IsInteractionId(value);
  return fits ? std::string(value) : "";
}

}  // namespace mediagen::gemini
