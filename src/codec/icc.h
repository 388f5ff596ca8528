// The ICC profile that a picture file carries. Internal to codec/.
//
// Thread-safe: no state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "codec/image.h"

namespace mediagen::codec {

// The profile of a PNG, JPEG or WebP, inflated and put together. "" when there is none, when it is longer
// than `max_bytes`, or when it is not whole (a missing chunk, a broken stream): such a picture is shown
// without it, as browsers do. Whether the bytes are a profile at all is for colour.h to say. Allocates
// `max_bytes` at most.
std::string IccProfile(std::string_view bytes, Format format, size_t max_bytes = 4u << 20);

}  // namespace mediagen::codec
