// Conditional requests (RFC 9110 §13) and range requests (§14), for representations with a strong ETag and no
// Last-Modified: If-Modified-Since and If-Unmodified-Since are ignored, as §13.1.3 and §13.1.4 say for a
// resource without a modification date, and a date in If-Range never holds (§13.1.5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/http.h"

namespace mediagen {

enum class Precondition { kProceed, kNotModified, kFailed };

// §13.2.2 for a representation that exists, with the entity tag `etag` (quoted, strong).
Precondition CheckPreconditions(const ApiRequest& request, std::string_view etag);
// The same for a record, whose tag is RecordEtag's: If-Match compares the version alone, for it asks what the
// record says and not in which bytes it was sent.
Precondition CheckRecordPreconditions(const ApiRequest& request, std::string_view etag);

// "<version>.<hash of the bytes served>", quoted: strong, and another one in each content coding (§8.8.3.3).
std::string RecordEtag(int64_t version, std::string_view served);

// Whether `list` (If-Match or If-None-Match) holds `etag`: "*" or any of the tags; by weak comparison, or
// strong (§8.8.3.2). A list that is malformed holds what stands before its mistake.
bool EtagListHolds(std::string_view list, std::string_view etag, bool strong);

struct ByteRange {
  uint64_t offset = 0, length = 0;
};
enum class RangeResult { kWhole, kPartial, kUnsatisfiable };
// §14.2 for a representation of `size` bytes: only GET, only bytes, only one range (several are answered
// whole), If-Range by strong comparison; a malformed Range is ignored. To be called after the preconditions.
RangeResult CheckRange(const ApiRequest& request, std::string_view etag, uint64_t size, ByteRange* range);

}  // namespace mediagen
