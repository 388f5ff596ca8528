#include "simulator/openrouter_request.h"

#include <charconv>

#include "fmt/format.h"
#include "net/http_date.h"

namespace mediagen::simulator::openrouter {

Reply Problem(int status, const std::string& message) {
  return Answer(status, {{"error", {{"code", status}, {"message", message}}}});
}

std::optional<Reply> CheckKey(const Request& request) {
  const std::string key = request.Header("authorization");
  if (!key.starts_with("Bearer ") || key == "Bearer bad" || key == "Bearer ")
    return Problem(401, "No auth credentials found");
  if (key == "Bearer broke") return Problem(402, "Insufficient credits. Add more and retry.");
  return std::nullopt;
}

Reply ErrorReply(const Json& fault) {
  const int status = static_cast<int>(IntOf(fault, "status", 500));
  const int64_t seconds = IntOf(fault, "retryAfter", -1);
  const std::string as = TextOf(fault, "retryAs", "header");
  if (IsTrue(fault, "html")) {
    return {.status = status,
            .content_type = "text/html",
            .body = fmt::format("<html><h1>{} Bad Gateway</h1><hr>nginx</html>", status)};
  }
  Json error = {{"code", status},
                {"message", status == 429 ? "Rate limit exceeded." : "Provider returned error"}};
  if (seconds >= 0 && as == "text") {
    error["message"] = fmt::format("Rate limit exceeded, try again in {} seconds.", seconds);
  }
  if (seconds >= 0 && as == "availability")
    error["availability"] = {{"retryable", true}, {"retry_after", seconds}};
  if (fault.contains("availability")) error["availability"] = fault["availability"];
  if (fault.contains("errorType")) error["metadata"]["error_type"] = fault["errorType"];
  Reply reply = Answer(status, {{"error", std::move(error)}});
  if (seconds >= 0 && as == "header") reply.headers.emplace_back("Retry-After", fmt::format("{}", seconds));
  if (seconds >= 0 && as == "date") {
    reply.headers.emplace_back("Date", FormatHttpDate(NowMs()));
    reply.headers.emplace_back("Retry-After", FormatHttpDate(NowMs() + seconds * 1000));
  }
  return reply;
}

Json Normalise(const Json& body) {
  Json input = {{"prompt", TextOf(body, "prompt")}, {"num_outputs", IntOf(body, "n", 1)}};
  auto messages = body.find("messages");
  if (messages != body.end() && messages->is_array() && !messages->empty()) {
    input["prompt"] = TextOf(messages->back(), "content");
    const Json parts = messages->back().is_object() ? messages->back().value("content", Json()) : Json();
    if (parts.is_array() && !parts.empty()) input["prompt"] = TextOf(parts[0], "text");
  }
  if (body.contains("seed")) input["seed"] = body["seed"];
  const Json config = body.value("image_config", Json::object());
  input["aspect_ratio"] = TextOf(body, "aspect_ratio", TextOf(config, "aspect_ratio"));
  const std::string size = TextOf(body, "size");
  if (const size_t x = size.find('x'); x != std::string::npos) {
    int64_t width = 0, height = 0;
    std::from_chars(size.data(), size.data() + x, width);
    std::from_chars(size.data() + x + 1, size.data() + size.size(), height);
    input["width"] = width;
    input["height"] = height;
  }
  return input;
}

std::string WrongWith(const Json& body, const std::string& path) {
  if (TextOf(body, "model").empty()) return "model: Required";
  if (path == "/chat/completions") {
    if (!body.contains("messages") || !body["messages"].is_array()) return "messages: Required";
  } else if (TextOf(body, "prompt").empty()) {
    return "prompt: Required";
  }
  if (IsTrue(body, "stream")) return "stream: not simulated";
  if (body.contains("n") && (IntOf(body, "n", 0) < 1 || IntOf(body, "n", 0) > 10))
    return "n: Expected 1 to 10";
  if (body.contains("seed") && !body["seed"].is_number_integer()) return "seed: Expected an integer";
  auto references = body.find("input_references");
  if (references != body.end() && (!references->is_array() || references->size() > 16))
    return "input_references: Expected at most 16";
  return "";
}

}  // namespace mediagen::simulator::openrouter
