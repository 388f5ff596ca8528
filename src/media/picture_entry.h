// How a variant stands in the cache: its raw SHA-256, then its bytes, so that one entry gives the ETag and
// the body without a copy. Internal to media/.
#pragma once

#include "media/media.h"

namespace mediagen {

constexpr size_t kShaBytes = 32;

std::string VariantCacheKey(const Output& output, const Recipe& recipe, int effort);
// Everything in the cache that is made of an output carries these.
std::vector<std::string> OutputTags(const Id& output);

Picture PictureOfEntry(BufferRef entry, Format format, int effort);
Picture NewPicture(std::string_view bytes, Format format, int effort);

}  // namespace mediagen
