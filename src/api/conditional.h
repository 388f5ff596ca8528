// Conditional requests (RFC 9110 §13) and range requests (§14), for representations with a strong ETag and no
// Last-Modified.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/http.h"

namespace mediagen {

enum class Precondition { kProceed, kNotModified, kFailed };

// §13.2.2 for a representation that exists, with the entity tag `etag` (quoted, strong). Dates are not
// evaluated: there is no Last-Modified.
Precondition CheckPreconditions(const ApiRequest& request, std::string_view etag);

// Whether `list` (If-Match or If-None-Match) holds `etag`: "*" or any of the tags; by weak comparison, or
// strong (§8.8.3.2).
bool EtagListHolds(std::string_view list, std::string_view etag, bool strong);

struct ByteRange {
  uint64_t offset = 0, length = 0;
};
enum class RangeResult { kWhole, kPartial, kUnsatisfiable };
// §14.2 for a representation of `size` bytes: only GET, only bytes, only one range (several are answered
// whole), If-Range by strong comparison; a malformed Range is ignored.
RangeResult CheckRange(const ApiRequest& request, std::string_view etag, uint64_t size, ByteRange* range);

}  // namespace mediagen
