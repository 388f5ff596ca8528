// What is seen of translucent pixels where there is no alpha.
#pragma once

#include "codec/image.h"

namespace mediagen::codec {

// RGBA over the colour `background` (0xRRGGBB), as RGB.
StatusOr<Pixels> Flatten(const Pixels& rgba, uint32_t background);

}  // namespace mediagen::codec
