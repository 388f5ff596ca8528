// Base64 (RFC 4648 §4 and §5).
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace mediagen {

std::string Base64Encode(std::string_view bytes);     // padded
std::string Base64UrlEncode(std::string_view bytes);  // URL alphabet, no padding

// Both alphabets are refused in one text; padding is optional for the URL alphabet and required for the
// standard one; white space is skipped when `skip_space`. kInvalid names the position of the first bad
// character.
StatusOr<std::string> Base64Decode(std::string_view text, bool skip_space = false);
StatusOr<std::string> Base64UrlDecode(std::string_view text);

}  // namespace mediagen
