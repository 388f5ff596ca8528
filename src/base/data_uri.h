// Data URLs (RFC 2397) as pictures come in them: "data:image/png;base64,…".
//
// Thread-safe: pure functions. What is inside is hostile input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mediagen {

struct DataUri {
  std::string_view media_type;  // as it is claimed, without parameters; "" where none is
  std::string_view base64;      // all behind the comma
};

// Whether a text means to be one. Schemes are the same in either case (RFC 3986 §3.1).
bool IsDataUri(std::string_view text);

// Its pieces, nothing copied or decoded. kInvalid for another scheme, for what stands in front of the comma
// when that is longer than any type, and for text that is not base64: pictures have no other encoding.
StatusOr<DataUri> ParseDataUri(std::string_view text);

// The bytes. White space is skipped: data URLs are wrapped in mails and configuration files. kTooLarge when
// they may be more than `max_bytes`, before any is decoded; kInvalid names the first bad character.
StatusOr<std::string> DecodeDataUri(const DataUri& uri, uint64_t max_bytes);

}  // namespace mediagen
