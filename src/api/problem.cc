#include "api/problem.h"

#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

std::string_view Title(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

int HttpStatusOf(Code code) {
  switch (code) {
    case Code::kOk:
      return 200;
    case Code::kInvalid:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kUnauthorized:
      return 401;
    case Code::kForbidden:
      return 403;
    case Code::kConflict:
    case Code::kStaleFence:
    case Code::kStale:
    case Code::kUnknownOutcome:
      return 409;
    case Code::kRateLimited:
      return 429;
    case Code::kBudgetExceeded:
      return 402;
    case Code::kOverloaded:
    case Code::kUnavailable:
    case Code::kForked:
    case Code::kClosed:
      return 503;
    case Code::kUnsupported:
      return 422;
    case Code::kTooLarge:
      return 413;
    case Code::kTimeout:
      return 504;
    case Code::kProviderRejected:
    case Code::kSafety:
      return 422;
    case Code::kStorageFull:
      return 507;
    default:
      return 500;
  }
}

Response ProblemResponse(const Status& status) {
  return ProblemResponse(status, HttpStatusOf(CodeOf(status)));
}

Response ProblemResponse(const Status& status, int http_status) {
  ErrorInfo info = InfoOf(status);
  Json problem = {{"type", fmt::format("urn:mediagen:problem:{}", CodeName(info.code))},
                  {"title", Title(http_status)},
                  {"status", http_status},
                  {"detail", info.message},
                  {"code", CodeName(info.code)}};
  if (!info.hint.empty()) problem["hint"] = info.hint;
  if (info.retry_after_ms >= 0) problem["retryAfterMs"] = info.retry_after_ms;
  if (!info.object.empty()) problem["object"] = info.object;
  Response response;
  response.status = http_status;
  response.headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}};
  if (info.retry_after_ms >= 0)
    response.headers.emplace_back("Retry-After", std::to_string((info.retry_after_ms + 999) / 1000));
  BufferRef body = BufferRef::Own(Dump(problem));
  response.headers.emplace_back("Content-Length", std::to_string(body.size()));
  response.body = BytesBody{body, 0, body.size()};
  return response;
}

Response UnreadableResponse(std::string_view method, const Status& status) {
  const ErrorInfo info = InfoOf(status);
  int http_status = HttpStatusOf(info.code);
  if (info.code == Code::kTooLarge && info.object == "target") http_status = 414;
  if (info.code == Code::kTooLarge && info.object == "headers") http_status = 431;
  Response response = ProblemResponse(status, http_status);
  if (method == "HEAD") response.body = std::monostate{};
  return response;
}

}  // namespace mediagen
