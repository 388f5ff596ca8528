// Money: integer micro-units of a currency (1,000,000 to the unit), never a float; decimal strings in
// documents. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mediagen {

// "5.00" → 5,000,000. Digits, and at most six more behind a point; at most 1,000,000,000 units. kInvalid for
// everything else, signs and exponents included.
StatusOr<int64_t> ParseMicros(std::string_view text);

// 3,000 → "0.003"; at least one digit behind the point.
std::string FormatMicros(int64_t micros);

}  // namespace mediagen
