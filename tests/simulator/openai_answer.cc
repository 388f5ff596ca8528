#include "simulator/openai_answer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "fmt/format.h"
#include "net/http_date.h"
#include "provider/provider.h"
#include "simulator/wire.h"

namespace mediagen::simulator::openai {
namespace {

// A number, or a form's digits.
std::optional<uint64_t> NumberOf(const Json& fields, const char* name) {
  auto it = fields.find(name);
  if (it == fields.end()) return std::nullopt;
  if (it->is_number_unsigned()) return it->get<uint64_t>();
  if (!it->is_string()) return std::nullopt;
  const std::string text = it->get<std::string>();
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::string Box(const std::string& type, const std::string& content) {
  const auto size = static_cast<uint32_t>(content.size() + 8);
  std::string box;
  for (int shift = 24; shift >= 0; shift -= 8) box.push_back(static_cast<char>(size >> shift));
  return box + type + content;
}

}  // namespace

Reply Problem(int status, const std::string& code, const std::string& message, const std::string& type) {
  return Answer(status,
                {{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}});
}

std::optional<Reply> CheckKey(const Request& request) {
  const std::string key = request.Header("authorization");
  if (key == "Bearer bad") return Problem(401, "invalid_api_key", "Incorrect API key provided.");
  if (key == "Bearer broke")
    return Problem(429, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota");
  return std::nullopt;  // no key at all will do, as with a server of one's own
}

Reply ErrorReply(const Json& fault) {
  const int status = static_cast<int>(IntOf(fault, "status", 500));
  if (IsTrue(fault, "html")) {
    return {.status = status,
            .content_type = "text/html",
            .body = fmt::format("<html><h1>{} Bad Gateway</h1><hr>nginx</html>", status)};
  }
  const int64_t seconds = IntOf(fault, "retryAfter", -1);
  const std::string as = TextOf(fault, "retryAs", "header");
  std::string message = "Simulated failure.";
  if (seconds >= 0 && as == "text") message += fmt::format(" Please try again in {}s.", seconds);
  Reply reply =
      Problem(status, TextOf(fault, "code", status == 429 ? "rate_limit_exceeded" : "simulated"), message);
  if (seconds >= 0 && as == "header") reply.headers.emplace_back("Retry-After", fmt::format("{}", seconds));
  if (seconds >= 0 && as == "ms")
    reply.headers.emplace_back("retry-after-ms", fmt::format("{}", seconds * 1000));
  if (seconds >= 0 && as == "date") {
    reply.headers.emplace_back("Date", FormatHttpDate(NowMs()));
    reply.headers.emplace_back("Retry-After", FormatHttpDate(NowMs() + seconds * 1000));
  }
  const std::string should_retry = TextOf(fault, "shouldRetry");
  if (!should_retry.empty()) reply.headers.emplace_back("x-should-retry", should_retry);
  return reply;
}

Json NormalisedInput(const Json& fields) {
  Json input = {{"prompt", TextOf(fields, "prompt")}, {"width", 1024}, {"height", 1024}};
  input["num_outputs"] = std::clamp<uint64_t>(NumberOf(fields, "n").value_or(1), 1, 10);
  uint32_t width = 0, height = 0;
  if (ParseSize(TextOf(fields, "size"), &width, &height).ok()) {
    input["width"] = width;
    input["height"] = height;
  }
  if (std::optional<uint64_t> seed = NumberOf(fields, "seed")) input["seed"] = *seed;
  return input;
}

Json VideoDocument(const Prediction& p, int64_t now_ms) {
  const std::string state = TextOf(ToJson(p, now_ms, "", ""), "status");
  const int64_t percent = (now_ms - p.created_ms) * 100 / std::max<int64_t>(p.work_ms, 1);
  Json video = {{"id", "video_" + p.id},
                {"object", "video"},
                {"model", p.model},
                {"progress", std::clamp<int64_t>(percent, 0, 99)},
                {"created_at", p.created_ms / 1000},
                {"seconds", "4"},
                {"error", nullptr}};
  if (state == "starting") {
    video["status"] = "queued";
  } else if (state == "processing") {
    video["status"] = "in_progress";
  } else if (state == "succeeded") {
    video["status"] = "completed";
    video["progress"] = 100;
    video["expires_at"] = now_ms / 1000 + 3600;
  } else if (state == "failed" || state == "aborted") {
    video["status"] = "failed";
    video["error"] = {{"code", TextOf(p.fault, "code", "server_error")},
                      {"message", TextOf(p.fault, "fail", "aborted")}};
  } else {
    video["status"] = state;
  }
  if (IsTrue(p.fault, "nullFields")) {
    for (const char* name : {"progress", "created_at", "error", "seconds"}) video.erase(name);
  }
  return video;
}

std::string Mp4(const std::string& seed) {
  const std::string brands("isom\0\0\2\0isommp41", 16);
  std::string media;
  for (uint64_t i = 0; i < 64; ++i) media += fmt::format("{:016x}", Xxh3(seed, i));
  return Box("ftyp", brands) + Box("mdat", media);
}

std::vector<float> Embedding(const std::string& text, size_t dimensions) {
  std::vector<double> sum(dimensions, 0.0);
  const std::string lower = ToLower(text);
  for (size_t at = 0; at <= lower.size();) {
    const size_t end = std::min(lower.find(' ', at), lower.size());
    const std::string_view word = std::string_view(lower).substr(at, end - at);
    for (size_t i = 0; i < dimensions; ++i)
      sum[i] += static_cast<double>(static_cast<int64_t>(Xxh3(word, i))) / 9.3e18;
    at = end + 1;
  }
  double square = 0;
  for (double value : sum) square += value * value;
  const double length = square > 0 ? std::sqrt(square) : 1.0;
  std::vector<float> vector;
  for (double value : sum) vector.push_back(static_cast<float>(value / length));
  return vector;
}

}  // namespace mediagen::simulator::openai
