#include "provider/fal/status.h"

#include <cstdint>
#include <set>
#include <string>

#include "fmt/format.h"
#include "provider/failure.h"
#include "provider/fal/errors.h"
#include "provider/wire_adapter.h"

namespace mediagen::fal {
namespace {

constexpr size_t kMaxSubmitBytes = 1 << 20;

// Collects the strings of the outermost object, as far as the text goes.
class TopStrings final : public nlohmann::json_sax<Json> {
 public:
  Json Take() {
    for (const std::string& name : torn_) found_.erase(name);
    return std::move(found_);
  }

  bool null() override { return Other(); }
  bool boolean(bool) override { return Other(); }
  bool number_integer(number_integer_t) override { return Other(); }
  bool number_unsigned(number_unsigned_t) override { return Other(); }
  bool number_float(number_float_t, const string_t&) override { return Other(); }
  bool binary(binary_t&) override { return Other(); }
  bool string(string_t& text) override {
    if (depth_ != 1 || !in_object_) return true;
    auto [it, added] = found_.emplace(name_, text);
    if (!added && *it != text) torn_.insert(name_);
    return true;
  }
  bool start_object(size_t) override {
    Other();
    if (depth_++ == 0) in_object_ = true;
    return true;
  }
  bool start_array(size_t) override {
    Other();
    ++depth_;
    return true;
  }
  bool key(string_t& text) override {
    if (depth_ == 1) name_ = text;
    return true;
  }
  bool end_object() override { return --depth_ > 0; }
  bool end_array() override { return --depth_ > 0; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  // A value that is no string: what had this name as a string is not certain.
  bool Other() {
    if (depth_ == 1 && in_object_) torn_.insert(name_);
    return true;
  }

  int depth_ = 0;
  bool in_object_ = false;  // the outermost value is one
  std::string name_;
  Json found_ = Json::object();
  std::set<std::string> torn_;
};

void SetPending(std::string message, PollAnswer* answer) {
  answer->kind = PollAnswer::kPending;
  answer->next_poll_ms = kPollMs;
  answer->progress.message = std::move(message);
}

// Null, "" and absence all mean that there was no error.
bool HasError(const Json& status) {
  auto error = status.find("error");
  const bool text = error != status.end() && !error->is_null() && *error != Json("");
  return text || !TextOf(status, "error_type").empty();
}

void ReadCompleted(const Json& status, const HttpResponse& response, std::string_view secret,
                   PollAnswer* answer) {
  if (!HasError(status)) {
    answer->kind = PollAnswer::kReady;
    return;
  }
  const std::string type = TextOf(status, "error_type");
  answer->kind = PollAnswer::kFailed;
  answer->failure = EndedWith(status.value("error", Json()), type, response, secret);
  answer->charged = !IsUnbilledType(type);  // of the others nothing says that they were not billed
}

// True for what a cancel is answered with; the polls that follow tell what became of the request.
bool ReadCancel(std::string_view state, PollAnswer* answer) {
  if (state == "CANCELLATION_REQUESTED" || state == "OK") {
    SetPending("Cancellation was requested.", answer);
  } else if (state == "ALREADY_COMPLETED") {
    SetPending("The request was complete before it could be canceled.", answer);
  } else if (state == "NOT_FOUND") {
    answer->failure = {.error_class = ErrorClass::kNotFound,
                       .message = "fal does not know the request that was to be canceled."};
  } else {
    return false;
  }
  return true;
}

}  // namespace

Json SubmitDocument(std::string_view body) {
  StatusOr<Json> json = ParseJson(body, "the provider's answer", kAnswerLimits);
  if (json.ok()) return json->is_object() ? std::move(*json) : Json(Json::object());
  TopStrings strings;
  const std::string_view front = body.substr(0, kMaxSubmitBytes);
  (void)Json::sax_parse(front.begin(), front.end(), &strings);
  return strings.Take();
}

PollAnswer ReadStatus(const Json& status, const HttpResponse& response, std::string_view secret) {
  PollAnswer answer;
  const std::string state = TextOf(status, "status");
  if (!status.is_object() || (state.empty() && TextOf(status, "request_id").empty())) {
    answer.failure = {.error_class = ErrorClass::kServer,
                      .message = "The provider's answer is no state of a request.",
                      .retryable = true};
    return answer;
  }
  answer.progress = ReadLogs(ListOf(status, "logs"));
  if (state == "IN_QUEUE") {
    SetPending("The request waits in fal's queue.", &answer);
    const std::optional<uint64_t> position = WholeNumberOf(status, "queue_position");
    if (position && *position <= INT32_MAX) answer.progress.queue_position = static_cast<int64_t>(*position);
  } else if (state == "IN_PROGRESS") {
    SetPending("", &answer);
  } else if (state == "COMPLETED") {
    ReadCompleted(status, response, secret, &answer);
  } else if (!ReadCancel(state, &answer)) {
    SetPending(fmt::format("fal reports the state \"{}\", which is not known here; waiting.",
                           SafeText(Shorten(state, 40), secret)),
               &answer);
  }
  return answer;
}

}  // namespace mediagen::fal
