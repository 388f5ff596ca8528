#include "simulator/fal_error.h"

#include <map>

#include "fmt/format.h"
#include "net/http_date.h"

namespace mediagen::simulator::fal {

Reply Detail(int status, const std::string& detail) { return Answer(status, {{"detail", detail}}); }

Reply PlatformError(const Json& fault) {
  const int status = static_cast<int>(IntOf(fault, "status", 500));
  const int64_t seconds = IntOf(fault, "retryAfter", -1);
  const std::string as = TextOf(fault, "retryAs", "header"), type = TextOf(fault, "errorType");
  if (IsTrue(fault, "html")) {
    return {.status = status,
            .content_type = "text/html",
            .body = fmt::format("<html><h1>{}</h1><hr>nginx</html>", status)};
  }
  std::string detail = "Simulated failure.";
  if (seconds >= 0 && as == "text") detail += fmt::format(" Try again in {} seconds.", seconds);
  Json body = {{"detail", detail}};
  if (!type.empty()) body["error_type"] = type;
  Reply reply = Answer(status, body);
  if (!type.empty()) reply.headers.emplace_back("X-Fal-Error-Type", type);
  if (fault.contains("retryable"))
    reply.headers.emplace_back("X-Fal-Retryable", IsTrue(fault, "retryable") ? "true" : "false");
  if (seconds >= 0 && as == "header") reply.headers.emplace_back("Retry-After", fmt::format("{}", seconds));
  if (seconds >= 0 && as == "date") {
    reply.headers.emplace_back("Date", FormatHttpDate(NowMs()));
    reply.headers.emplace_back("Retry-After", FormatHttpDate(NowMs() + seconds * 1000));
  }
  return reply;
}

bool IsUnbilled(const Json& fault) {
  static const std::map<std::string, int64_t> kStatus = {
      {"request_timeout", 504},           {"startup_timeout", 504},
      {"runner_scheduling_failure", 503}, {"runner_connection_timeout", 503},
      {"runner_disconnected", 503},       {"runner_connection_refused", 503},
      {"runner_connection_error", 503},   {"runner_incomplete_response", 502},
      {"runner_server_error", 500}};
  auto known = kStatus.find(TextOf(fault, "errorType"));
  return known != kStatus.end() && known->second == IntOf(fault, "status", 0);
}

Json ModelError(const Json& fault) {
  return {{"detail",
           {{{"loc", {"body", "prompt", 0}},
             {"msg", TextOf(fault, "fail")},
             {"type", TextOf(fault, "failType", "value_error")},
             {"ctx", Json::object()},
             {"input", "what was given"}}}}};
}

}  // namespace mediagen::simulator::fal
