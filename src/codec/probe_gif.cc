// GIF87a/89a: the logical screen, the number of frames, whether any of them has a transparent colour. Headers
// and block lengths only.
#include <algorithm>

#include "codec/bytes.h"
#include "codec/formats.h"
#include "codec/gif_blocks.h"

namespace mediagen::codec {
namespace {

// Behind the sub-blocks that begin at `at`: each has a length byte, a length of 0 ends them.
size_t SkipSubBlocks(std::string_view bytes, size_t at) {
  while (U8(bytes, at) != 0) at += 1 + U8(bytes, at);
  return at + 1;
}

}  // namespace

StatusOr<ImageInfo> ProbeGif(std::string_view bytes) {
  constexpr size_t kHeader = 13;
  constexpr uint32_t kExtension = 0x21, kImage = 0x2C, kGraphicControl = 0xF9;
  if (bytes.size() < kHeader) return Truncated(Format::kGif, bytes.size(), "its header is not complete");
  ImageInfo info{.format = Format::kGif, .width = Le16(bytes, 6), .height = Le16(bytes, 8)};
  int frames = 0;
  for (size_t at = kHeader + ColourTableBytes(U8(bytes, 10)); at < bytes.size();) {
    const uint32_t block = U8(bytes, at);
    if (block == kExtension) {
      if (U8(bytes, at + 1) == kGraphicControl && (U8(bytes, at + 3) & 1) != 0) info.alpha = true;
      at = SkipSubBlocks(bytes, at + 2);
    } else if (block == kImage) {
      ++frames;
      at = SkipSubBlocks(bytes, at + 10 + ColourTableBytes(U8(bytes, at + 9)) + 1);  // + LZW code size
    } else {
      break;  // the trailer, or nothing that GIF knows
    }
  }
  info.frames = std::max(1, frames);
  return info;
}

}  // namespace mediagen::codec
