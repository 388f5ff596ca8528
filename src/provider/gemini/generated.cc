// The answer of generateContent, and its outcome by reasons.
#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/gemini/answer.h"
#include "provider/inline_data.h"
#include "provider/wire_adapter.h"

namespace mediagen::gemini {
namespace {

constexpr size_t kMaxOutputs = 64;
constexpr size_t kMaxQuote = 200;

struct Outcome {
  std::string_view reason;  // of a candidate ("finishReason")
  ErrorClass error_class;
  std::string_view sentence;  // where no picture came
};
constexpr std::string_view kNone = "The model ended without making a picture.";
constexpr Outcome kOutcomes[] = {
    {"SAFETY", ErrorClass::kSafety, "The answer was withheld by the safety settings."},
    {"PROHIBITED_CONTENT", ErrorClass::kSafety, "The answer was withheld: its content is prohibited."},
    {"BLOCKLIST", ErrorClass::kSafety, "The answer was withheld: it holds words of a block list."},
    {"SPII", ErrorClass::kSafety, "The answer was withheld: it may hold sensitive personal information."},
    {"RECITATION", ErrorClass::kSafety, "The answer was withheld: it repeats what exists already."},
    {"IMAGE_SAFETY", ErrorClass::kSafety, "The picture was withheld by the safety settings."},
    {"IMAGE_PROHIBITED_CONTENT", ErrorClass::kSafety, "The picture was withheld: its content is prohibited."},
    {"IMAGE_RECITATION", ErrorClass::kSafety,
     "The picture was withheld: it repeats one that exists already."},
    {"NO_IMAGE", ErrorClass::kServer, kNone},
    {"IMAGE_OTHER", ErrorClass::kServer, kNone},
    {"STOP", ErrorClass::kServer, kNone},
};

const Outcome* FindOutcome(std::string_view reason) {
  for (const Outcome& outcome : kOutcomes) {
    if (outcome.reason == reason) return &outcome;
  }
  return nullptr;
}

// A draft that the model thought with is not its answer.
bool IsThought(const Json& part) {
  auto thought = part.find("thought");
  return thought != part.end() && thought->is_boolean() && thought->get<bool>();
}

std::optional<RemoteOutput> PictureOf(const Json& part, const Endpoint& endpoint) {
  const Json& data = ObjectOf(part, "inlineData");
  if (!data.empty()) {
    auto bytes = data.find("data");
    if (bytes == data.end() || !bytes->is_string()) return std::nullopt;
    return InlineOutput(bytes->get_ref<const std::string&>(), TextOf(data, "mimeType"));
  }
  const Json& file = ObjectOf(part, "fileData");
  return FileOutput(TextOf(file, "fileUri"), TextOf(file, "mimeType"), endpoint);
}

struct Content {
  std::vector<RemoteOutput> outputs;
  std::string text;    // what the model said besides
  std::string reason;  // the last candidate's
};

Content ReadCandidates(const Json& answer, const Endpoint& endpoint) {
  Content content;
  for (const Json& candidate : ListOf(answer, "candidates")) {
    content.reason = TextOf(candidate, "finishReason");
    const Outcome* outcome = FindOutcome(content.reason);
    const bool flagged = outcome != nullptr && outcome->error_class == ErrorClass::kSafety;
    for (const Json& part : ListOf(ObjectOf(candidate, "content"), "parts")) {
      if (!part.is_object() || IsThought(part)) continue;
      if (content.text.size() < kMaxQuote) content.text += TextOf(part, "text").substr(0, 4 * kMaxQuote);
      std::optional<RemoteOutput> output = PictureOf(part, endpoint);
      if (!output || content.outputs.size() >= kMaxOutputs) continue;
      if (flagged) output->safety = "flagged";
      content.outputs.push_back(std::move(*output));
    }
  }
  return content;
}

PollAnswer WithoutPicture(const Content& content, const Json& answer, std::string_view secret) {
  const Json& feedback = ObjectOf(answer, "promptFeedback");
  const std::string block = Shorten(SafeText(TextOf(feedback, "blockReason"), secret), 60);
  if (!block.empty() && content.reason.empty()) {
    return Failed(ErrorClass::kSafety, fmt::format("The prompt was refused ({}).", block), block);
  }
  const std::string reason = Shorten(SafeText(content.reason, secret), 60);
  const Outcome* outcome = FindOutcome(content.reason);
  const ErrorClass error_class = outcome != nullptr ? outcome->error_class : ErrorClass::kServer;
  std::string message(outcome != nullptr ? outcome->sentence : kNone);
  if (outcome == nullptr && !reason.empty()) message += fmt::format(" It gave the reason {}.", reason);
  const std::string said = Shorten(SafeText(content.text, secret), kMaxQuote);
  if (!said.empty()) message += fmt::format(" It said: {}", said);
  return Failed(error_class, std::move(message), reason);
}

// For the record: what Google calls this answer, and what it counted.
std::string Note(const Json& answer, std::string_view secret) {
  const std::string id = Shorten(SafeText(TextOf(answer, "responseId"), secret), 80);
  std::string note = id.empty() ? "" : fmt::format("Response {}.", id);
  if (auto tokens = WholeNumberOf(ObjectOf(answer, "usageMetadata"), "totalTokenCount"))
    note += fmt::format("{}{} tokens.", note.empty() ? "" : " ", *tokens);
  return note;
}

}  // namespace

std::optional<RemoteOutput> FileOutput(std::string_view uri, std::string_view media_type,
                                       const Endpoint& endpoint) {
  if (!endpoint.Acceptable(uri)) return std::nullopt;
  RemoteOutput output;
  output.url = uri;
  output.media_type = Shorten(media_type, 80);
  output.needs_credentials = endpoint.SameOrigin(uri);
  return output;
}

PollAnswer Failed(Failure failure) {
  PollAnswer answer;
  answer.kind = PollAnswer::kFailed;
  answer.charged = true;
  answer.failure = std::move(failure);
  return answer;
}

PollAnswer Failed(ErrorClass error_class, std::string message, std::string_view provider_code) {
  return Failed(Failure{.error_class = error_class,
                        .message = std::move(message),
                        .provider_code = std::string(provider_code)});
}

std::optional<PollAnswer> ReadGenerated(const Json& answer, const Endpoint& endpoint,
                                        std::string_view secret) {
  const bool counted = !ObjectOf(answer, "usageMetadata").empty() || !TextOf(answer, "responseId").empty();
  if (ListOf(answer, "candidates").empty() && ObjectOf(answer, "promptFeedback").empty() && !counted)
    return std::nullopt;
  Content content = ReadCandidates(answer, endpoint);
  PollAnswer result;
  if (content.outputs.empty()) {
    result = WithoutPicture(content, answer, secret);
  } else {
    result.kind = PollAnswer::kSucceeded;
    result.outputs = std::move(content.outputs);
  }
  result.progress.message = Note(answer, secret);
  return result;
}

}  // namespace mediagen::gemini
