// The two ways to decode a PNG; DecodePng (formats.h) tries the fast one first. Internal to codec/.
//
// Thread-safe: no state.
#pragma once

#include <optional>
#include <string_view>

#include "codec/formats.h"

namespace mediagen::codec {

// The usual PNG, inflated in one go by libdeflate: up to 8 bits a sample, not interlaced, nothing out of
// place. Its pixels are libpng's, bit for bit. Nothing for any other kind of PNG and for whatever is not
// plainly right: cut off, broken, or odd. libpng is then the one judge of what is an error and how it reads.
// It is the stricter one in a single thing: libdeflate forgives deflate streams whose code lengths run past
// their end, when all the rest and the checksum hold. Allocates the pixels or the inflated bytes, whichever
// are more, and three rows; up to three rows to expand from; and the bytes of the IDAT chunks where there are
// several.
std::optional<Pixels> DecodePngFast(std::string_view bytes, const ImageInfo& info);

// Any PNG. kInvalid for one that is truncated or broken.
StatusOr<Pixels> DecodePngByLibpng(std::string_view bytes, const ImageInfo& info);

}  // namespace mediagen::codec
