// PNGs of every kind, written sample by sample, and what the standard says that they look like. Shares
// nothing with the decoder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/image.h"

namespace mediagen {

struct PngPicture {
  int colour_type = 0, depth = 8;
  uint32_t width = 1, height = 1;
  bool interlaced = false;
  std::vector<uint16_t> samples;      // row by row from the top, as many a pixel as the colour type has
  std::string palette, transparency;  // of PLTE and tRNS; "": there is no such chunk

  int channels() const { return colour_type == 2 ? 3 : colour_type == 4 ? 2 : colour_type == 6 ? 4 : 1; }
};

struct PngStyle {
  int filter = 0;                // 0–4; 5: by turns
  int level = 6;                 // 0–12, libdeflate's scale
  size_t data_bytes = SIZE_MAX;  // of each IDAT
  std::string before_palette;    // chunks behind IHDR
  std::string before_data;       // chunks before the first IDAT
  std::string behind_data;       // chunks before IEND
};

// A kind of colour type and depth, its samples by seed: all values for small depths, else of chance. With
// `transparent` it has a tRNS whose colour some of the pixels have, or half of the palette's entries.
PngPicture PngOf(int colour_type, int depth, uint32_t width, uint32_t height, bool transparent = false,
                 uint64_t seed = 1);
std::string WritePng(const PngPicture& picture, const PngStyle& style = {});

// Its 8-bit RGB, or RGBA where it may be transparent (PNG third edition §12 and §13.12): small depths are
// scaled up, 16 bits to the nearest of 8. An index past the palette is black.
Pixels Shown(const PngPicture& picture);

}  // namespace mediagen
