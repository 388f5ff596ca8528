#include "codec/jpeg_writer.h"

// clang-format off: jpeglib.h needs what stands before it
#include <jpeglib.h>

#include <cstdio>
// clang-format on

#include <cstdlib>

namespace mediagen {
namespace {

J_COLOR_SPACE SpaceOf(JpegKind::Space space) {
  switch (space) {
    case JpegKind::kRgb:
      return JCS_RGB;
    case JpegKind::kGrey:
      return JCS_GRAYSCALE;
    case JpegKind::kCmyk:
      return JCS_CMYK;
    case JpegKind::kYcck:
      return JCS_YCCK;
    default:
      return JCS_YCbCr;
  }
}

}  // namespace

std::string WriteJpeg(const Pixels& pixels, const JpegKind& kind) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr error;
  jpeg.err = jpeg_std_error(&error);  // ends the test program, with words
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int)
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = pixels.width;
  jpeg.image_height = pixels.height;
  jpeg.input_components = pixels.channels;
  jpeg.in_color_space = pixels.channels == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_colorspace(&jpeg, SpaceOf(kind.space));
  jpeg_set_quality(&jpeg, kind.quality, TRUE);
  if (jpeg.num_components >= 3) {
    for (int i = 0; i < jpeg.num_components; ++i) {
      const bool full = i == 0 || i == 3;
      jpeg.comp_info[i].h_samp_factor = full ? kind.across : 1;
      jpeg.comp_info[i].v_samp_factor = full ? kind.down : 1;
    }
  }
  if (kind.progressive) jpeg_simple_progression(&jpeg);
  jpeg.arith_code = kind.arithmetic ? TRUE : FALSE;
  jpeg.restart_interval = static_cast<unsigned>(kind.restart);
  if (pixels.channels == 4) jpeg.write_Adobe_marker = kind.adobe ? TRUE : FALSE;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(pixels.row(jpeg.next_scanline));
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string bytes(reinterpret_cast<char*>(out), size);
  std::free(out);
  jpeg_destroy_compress(&jpeg);
  return bytes;
}

}  // namespace mediagen
