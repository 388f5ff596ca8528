// Status: the one way in which mediagen code says that something failed.
//
// An error is an absl::Status that carries an ErrorInfo as a payload: a stable machine code, a sentence that
// says what happened to which object, and a hint that says what to do. CodeOf() reads the code back; a Status
// without our payload reads as kInternal. Everything here is thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/text.h"

namespace mediagen {

using absl::OkStatus;
using absl::Status;
using absl::StatusOr;

// The stable codes. Their numbers are those of the C ABI (mediagen/types.h); their order never changes.
enum class Code : int32_t {
  kOk = 0,
  kInvalid = -1,
  kNotFound = -2,
  kUnauthorized = -3,
  kForbidden = -4,
  kConflict = -5,
  kRateLimited = -6,
  kBudgetExceeded = -7,
  kOverloaded = -8,
  kUnavailable = -9,
  kUnsupported = -10,
  kTooLarge = -11,
  kTimeout = -12,
  kCanceled = -13,
  kForked = -14,
  kClosed = -15,
  kStaleFence = -16,
  kStale = -17,
  kUnknownOutcome = -18,
  kProviderRejected = -19,
  kSafety = -20,
  kStorageFull = -21,
  kCorrupt = -22,
  kInternal = -23,
};

struct ErrorInfo {
  Code code = Code::kInternal;
  std::string message;          // one sentence: what happened, to which object
  std::string hint;             // what the reader can do about it; may be empty
  int64_t retry_after_ms = -1;  // -1: none
  std::string object;           // the id or name that the error is about; may be empty
};

// The optional parts of an error.
struct ErrorDetail {
  std::string hint;
  int64_t retry_after_ms = -1;
  std::string object;
};

// An error with our payload. `code` must not be kOk.
Status Error(Code code, std::string message, ErrorDetail detail = {});

// The code of `status`: kOk for OK, kInternal for an error that is not ours.
Code CodeOf(const Status& status);

// All that `status` says. For an error that is not ours: kInternal and its text.
ErrorInfo InfoOf(const Status& status);

// The same error with `prefix: ` before its message.
Status Annotate(const Status& status, std::string_view prefix);

// "rate_limited" for kRateLimited; "ok" for kOk.
std::string_view CodeName(Code code);

// The documents.md error: {"code","message","hint","retryAfterMs","object"}, absent parts null.
std::string ErrorJson(const Status& status);

}  // namespace mediagen

#define MEDIAGEN_CONCAT_INNER(a, b) a##b
#define MEDIAGEN_CONCAT(a, b) MEDIAGEN_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expr` is an error.
#define RETURN_IF_ERROR(expr)                          \
  do {                                                 \
    ::mediagen::Status mediagen_status = (expr);       \
    if (!mediagen_status.ok()) return mediagen_status; \
  } while (false)

// ASSIGN_OR_RETURN(auto x, F()): x is the value of F(), or the enclosing function returns F()'s error.
#define ASSIGN_OR_RETURN(lhs, expr) \
  MEDIAGEN_ASSIGN_OR_RETURN(MEDIAGEN_CONCAT(mediagen_or_, __LINE__), lhs, expr)
#define MEDIAGEN_ASSIGN_OR_RETURN(tmp, lhs, expr) \
  auto tmp = (expr);                              \
  if (!tmp.ok()) return tmp.status();             \
  lhs = std::move(tmp).value()
