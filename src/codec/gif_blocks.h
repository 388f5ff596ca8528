// What the probe and the decoder of GIF share (GIF89a, W3C 1990). Internal to codec/.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mediagen::codec {

// The size of the colour table that a packed byte announces, of the screen or of a frame; 0: there is none.
inline size_t ColourTableBytes(uint32_t flags) {
  return (flags & 0x80) != 0 ? size_t{3} << ((flags & 7) + 1) : 0;
}

}  // namespace mediagen::codec
