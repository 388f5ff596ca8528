// JPEGs of every kind that cameras and programs write, for tests.
#pragma once

#include <string>

#include "codec/image.h"

namespace mediagen {

struct JpegKind {
  enum Space { kYcc, kRgb, kGrey, kCmyk, kYcck } space = kYcc;
  int across = 1, down = 1;  // how many times less of the colour than of the light
  bool progressive = false;
  bool arithmetic = false;
  int restart = 0;    // blocks between restart markers
  bool adobe = true;  // CMYK: with Adobe's marker
  int quality = 95;
};
// `pixels` have 4 channels for CMYK and YCCK, as the file has them, else 3; of grey the first one counts.
std::string WriteJpeg(const Pixels& pixels, const JpegKind& kind);

}  // namespace mediagen
