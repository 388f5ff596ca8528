#include "provider/openai/answer.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/openai/error.h"
#include "provider/wire_adapter.h"

namespace mediagen::openai {
namespace {

constexpr size_t kMaxPictures = 64;
constexpr size_t kSalvageBytes = 4096;

std::optional<Json> ObjectIn(std::string_view text) {
  StatusOr<Json> json = ParseJson(text, "the provider's answer", kAnswerLimits);
  if (!json.ok() || !json->is_object()) return std::nullopt;
  return std::move(*json);
}

// One event of a stream, into the document that all of them make.
void AddEvent(std::string_view data, Json* document) {
  std::optional<Json> event = ObjectIn(data);  // "[DONE]" is none
  if (!event) return;
  if (HoldsError(*event)) {
    (*document)["error"] = std::move((*event)["error"]);
  } else if (TextOf(*event, "type") == "error") {
    event->erase("type");
    (*document)["error"] = std::move(*event);
  } else if (TextOf(*event, "type").ends_with(".completed") &&
             ListOf(*document, "data").size() < kMaxPictures) {
    if (event->contains("output_format")) (*document)["output_format"] = (*event)["output_format"];
    (*document)["data"].push_back(std::move(*event));
  }
}

// The lines of "data:" up to an empty line are one event (WHATWG HTML, server-sent events).
std::optional<Json> DocumentOfEvents(std::string_view body) {
  Json document = Json::object();
  std::string data;
  while (true) {
    const size_t end = body.find('\n');
    std::string_view line = body.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("data:")) {
      line.remove_prefix(line.starts_with("data: ") ? 6 : 5);
      data.append(data.empty() ? "" : "\n").append(line);
    }
    const bool over = end == std::string_view::npos;
    if (line.empty() || over) {
      if (!data.empty()) AddEvent(data, &document);
      data.clear();
    }
    if (over) break;
    body.remove_prefix(end + 1);
  }
  if (document.empty()) return std::nullopt;
  return document;
}

PollAnswer Failed(Failure failure) {
  PollAnswer answer;
  answer.kind = PollAnswer::kFailed;
  answer.failure = std::move(failure);
  answer.failure.retryable = false;  // it would be paid for again
  answer.charged = true;
  return answer;
}

// Out of a number of 0 to 100, also as a digit string.
std::optional<double> FractionOf(const Json& document) {
  auto it = document.find("progress");
  if (it == document.end()) return std::nullopt;
  double percent = -1;
  if (it->is_number())
    percent = it->get<double>();
  else if (std::optional<uint64_t> whole = WholeNumberOf(document, "progress"))
    percent = static_cast<double>(*whole);
  if (!std::isfinite(percent) || percent < 0) return std::nullopt;
  return std::min(percent / 100, 1.0);
}

PollAnswer Completed(const Json& document, std::string_view base) {
  PollAnswer answer;
  const std::string id = TextOf(document, "id");
  if (!IsPathSegment(id)) {
    answer.failure = {.message = "The provider's video has no id that can be fetched.", .retryable = true};
    return answer;
  }
  answer.kind = PollAnswer::kSucceeded;
  RemoteOutput output;
  output.url = fmt::format("{}/videos/{}/content", base, id);
  output.media_type = "video/mp4";
  output.needs_credentials = true;
  answer.outputs.push_back(std::move(output));
  return answer;
}

bool IsTrue(const Json& document, const char* name) {
  auto it = document.find(name);
  return it != document.end() && it->is_boolean() && it->get<bool>();
}

}  // namespace

std::optional<Json> DocumentIn(std::string_view body) {
  body = Trim(body);
  if (body.starts_with("data:") || body.starts_with("event:") || body.starts_with(':'))
    return DocumentOfEvents(body);
  return ObjectIn(body);
}

bool IsVideo(const Json& document) {
  if (TextOf(document, "object") == "video") return true;
  const std::string status = TextOf(document, "status");
  if (document.contains("data") || status.empty() || TextOf(document, "id").empty()) return false;
  return status == "failed" || !HoldsError(document);
}

PollAnswer ReadVideo(const Json& document, std::string_view base, std::string_view secret) {
  if (TextOf(document, "object") == "video.deleted" || IsTrue(document, "deleted"))
    return Failed({.error_class = ErrorClass::kCanceled, .message = "The video was deleted."});
  const std::string status = TextOf(document, "status");
  if (status == "completed") return Completed(document, base);
  if (status == "failed") return Failed(ErrorIn({{"error", ObjectOf(document, "error")}}, secret));
  PollAnswer answer;
  if (status.empty()) {
    answer.failure = {.message = "The provider's answer says nothing of a video's state.", .retryable = true};
    return answer;
  }
  answer.kind = PollAnswer::kPending;
  answer.progress.fraction = FractionOf(document);
  if (status == "queued") {
    answer.progress.message = "The video is queued.";
  } else if (status != "in_progress") {
    answer.progress.message =
        fmt::format("The provider reports the state \"{}\", which is not known here; waiting.",
                    Shorten(SafeText(status, secret), 40));
  }
  return answer;
}

std::string SalvageVideoId(std::string_view body) {
  std::string key, id, object;
  bool first = true;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth != 1) return depth == 0;  // what is deeper is nobody's id
    if (event == Json::parse_event_t::key) {
      if (!key.empty()) first = false;
      key = parsed.get<std::string>();
    } else if (event == Json::parse_event_t::value && parsed.is_string()) {
      if (key == "id" && first) id = parsed.get<std::string>();
      if (key == "object") object = parsed.get<std::string>();
    }
    return true;
  };
  [[maybe_unused]] const Json broken =
      Json::parse(body.substr(0, kSalvageBytes), watch, /*allow_exceptions=*/false);
  const bool certain = id.starts_with("video_") || object == "video";
  return certain && IsPathSegment(id) ? id : "";
}

std::string MediaTypeOf(std::string_view output_format) {
  for (std::string_view known : {"png", "jpeg", "webp"}) {
    if (output_format == known) return fmt::format("image/{}", known);
  }
  return "";
}

}  // namespace mediagen::openai
