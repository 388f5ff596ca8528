// JPEGs as libjpeg's own interface reads them, for comparison.
#pragma once

#include <optional>
#include <string_view>

#include "codec/image.h"

namespace mediagen {

// RGB, or for files of ink the four channels as they are stored; reduced to one `divisor`-th in the DCT.
struct JpegReading {
  Pixels pixels;
  bool ink = false;
  bool adobe = false;  // with Adobe's marker
};
// The simplest use of libjpeg, row by row. Nothing for what it calls an error or corrupt data.
std::optional<JpegReading> ReadJpeg(std::string_view bytes, unsigned divisor = 1);

}  // namespace mediagen
