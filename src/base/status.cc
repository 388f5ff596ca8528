#include "base/status.h"

#include <array>

#include "absl/strings/cord.h"
#include "base/json.h"

namespace mediagen {
namespace {

constexpr absl::string_view kPayload = "mediagen/error";

constexpr std::array<std::string_view, 24> kNames = {
    "ok",          "invalid",      "not_found",       "unauthorized",    "forbidden",
    "conflict",    "rate_limited", "budget_exceeded", "overloaded",      "unavailable",
    "unsupported", "too_large",    "timeout",         "canceled",        "forked",
    "closed",      "stale_fence",  "stale",           "unknown_outcome", "provider_rejected",
    "safety",      "storage_full", "corrupt",         "internal"};

absl::StatusCode AbslCode(Code code) {
  switch (code) {
    case Code::kInvalid:
      return absl::StatusCode::kInvalidArgument;
    case Code::kNotFound:
      return absl::StatusCode::kNotFound;
    case Code::kUnauthorized:
      return absl::StatusCode::kUnauthenticated;
    case Code::kForbidden:
      return absl::StatusCode::kPermissionDenied;
    case Code::kConflict:
      return absl::StatusCode::kAlreadyExists;
    case Code::kRateLimited:
    case Code::kBudgetExceeded:
    case Code::kOverloaded:
    case Code::kTooLarge:
    case Code::kStorageFull:
      return absl::StatusCode::kResourceExhausted;
    case Code::kUnavailable:
      return absl::StatusCode::kUnavailable;
    case Code::kUnsupported:
      return absl::StatusCode::kUnimplemented;
    case Code::kTimeout:
      return absl::StatusCode::kDeadlineExceeded;
    case Code::kCanceled:
      return absl::StatusCode::kCancelled;
    case Code::kCorrupt:
      return absl::StatusCode::kDataLoss;
    case Code::kForked:
    case Code::kClosed:
    case Code::kStaleFence:
    case Code::kStale:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

Status Error(Code code, std::string message, ErrorDetail detail) {
  if (code == Code::kOk) code = Code::kInternal;  // an error that read as success would be lost
  Status status(AbslCode(code), message);
  Json payload = {
      {"c", static_cast<int>(code)}, {"h", detail.hint}, {"r", detail.retry_after_ms}, {"o", detail.object}};
  status.SetPayload(kPayload, absl::Cord(Dump(payload)));
  return status;
}

ErrorInfo InfoOf(const Status& status) {
  ErrorInfo info;
  info.message = std::string(FromAbsl(status.message()));
  if (status.ok()) {
    info.code = Code::kOk;
    return info;
  }
  auto cord = status.GetPayload(kPayload);
  if (!cord.has_value()) return info;
  Json payload = Json::parse(std::string(*cord), nullptr, false);
  if (!payload.is_object()) return info;
  info.code = static_cast<Code>(payload.value("c", static_cast<int>(Code::kInternal)));
  info.hint = payload.value("h", "");
  info.retry_after_ms = payload.value("r", int64_t{-1});
  info.object = payload.value("o", "");
  return info;
}

Code CodeOf(const Status& status) { return status.ok() ? Code::kOk : InfoOf(status).code; }

Status Annotate(const Status& status, std::string_view prefix) {
  if (status.ok()) return status;
  ErrorInfo info = InfoOf(status);
  return Error(info.code, std::string(prefix) + ": " + info.message,
               {info.hint, info.retry_after_ms, info.object});
}

std::string_view CodeName(Code code) {
  size_t index = static_cast<size_t>(-static_cast<int32_t>(code));
  return index < kNames.size() ? kNames[index] : kNames.back();
}

std::string ErrorJson(const Status& status) {
  ErrorInfo info = InfoOf(status);
  Json json = {{"code", CodeName(info.code)},
               {"message", info.message},
               {"hint", info.hint.empty() ? Json(nullptr) : Json(info.hint)},
               {"retryAfterMs", info.retry_after_ms < 0 ? Json(nullptr) : Json(info.retry_after_ms)},
               {"object", info.object.empty() ? Json(nullptr) : Json(info.object)}};
  return Dump(json);
}

}  // namespace mediagen
