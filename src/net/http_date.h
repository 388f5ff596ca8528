// Dates of HTTP headers (RFC 9110 §5.6.7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mediagen {

// Wall ms of any of the three forms that RFC 9110 has a recipient accept; kInvalid otherwise. Thread-safe.
StatusOr<int64_t> ParseHttpDate(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT"; parts of a second are dropped. Thread-safe.
std::string FormatHttpDate(int64_t wall_ms);

}  // namespace mediagen
