// The libraries below everybody's codecs, called directly: what is left when nothing else is done.
#pragma once

#include <cstddef>
#include <string>

#include "support/photo.h"

namespace mediagen::bench {

// Decodes a JPEG, reduced in the transform by `divisor` (1, 2, 4 or 8). At 8 hardly more than the entropy
// decoder is left.
Photo BareReadJpeg(const std::string& bytes, unsigned divisor);

// libwebp's encoder on pixels in memory; how many bytes came.
size_t BareWriteWebp(const Photo& photo, int quality, int method);

std::string JpegVersion();
std::string WebpVersion();
std::string PngVersion();

}  // namespace mediagen::bench
