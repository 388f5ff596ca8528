#include "codec/matte.h"

namespace mediagen::codec {

StatusOr<Pixels> Flatten(const Pixels& rgba, uint32_t background) {
  ASSIGN_OR_RETURN(Pixels rgb, NewPixels(rgba.width, rgba.height, 3));
  const uint32_t behind[3] = {background >> 16 & 0xFF, background >> 8 & 0xFF, background & 0xFF};
  for (uint32_t y = 0; y < rgba.height; ++y) {
    const uint8_t* from = rgba.row(y);
    uint8_t* to = rgb.row(y);
    for (uint32_t x = 0; x < rgba.width; ++x, from += 4, to += 3) {
      const uint32_t alpha = from[3];
      for (int c = 0; c < 3; ++c)
        to[c] = static_cast<uint8_t>((from[c] * alpha + behind[c] * (255 - alpha) + 127) / 255);
    }
  }
  return rgb;
}

}  // namespace mediagen::codec
