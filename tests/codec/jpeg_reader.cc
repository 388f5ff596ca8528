#include "codec/jpeg_reader.h"

// clang-format off: jpeglib.h needs what stands before it
#include <jerror.h>
#include <jpeglib.h>

#include <cstdio>
// clang-format on

#include <csetjmp>
#include <utility>

namespace mediagen {
namespace {

struct Unwinding {
  jpeg_error_mgr error;
  std::jmp_buf jump;
};

void OnError(j_common_ptr jpeg) { std::longjmp(reinterpret_cast<Unwinding*>(jpeg->err)->jump, 1); }

// What says nothing of the pixels is no corruption.
void OnMessage(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  const bool harmless = code == JWRN_ADOBE_XFORM || code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR;
  if (level < 0 && !harmless) OnError(jpeg);
}

// Between setjmp and longjmp there is nothing with a destructor.
bool Begin(jpeg_decompress_struct* jpeg, Unwinding* unwinding, std::string_view bytes, unsigned divisor) {
  if (setjmp(unwinding->jump) != 0) return false;
  jpeg_create_decompress(jpeg);
  jpeg_mem_src(jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(jpeg, TRUE);
  const bool ink = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
  jpeg->out_color_space = ink ? JCS_CMYK : JCS_RGB;
  jpeg->scale_num = 1;
  jpeg->scale_denom = divisor;
  jpeg_start_decompress(jpeg);
  return true;
}

bool ReadRows(jpeg_decompress_struct* jpeg, Unwinding* unwinding, uint8_t* out, size_t stride) {
  if (setjmp(unwinding->jump) != 0) return false;
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW row = out + stride * jpeg->output_scanline;
    jpeg_read_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_decompress(jpeg);
  return true;
}

}  // namespace

std::optional<JpegReading> ReadJpeg(std::string_view bytes, unsigned divisor) {
  jpeg_decompress_struct jpeg{};
  Unwinding unwinding{};
  jpeg.err = jpeg_std_error(&unwinding.error);
  unwinding.error.error_exit = OnError;
  unwinding.error.emit_message = OnMessage;
  JpegReading reading;
  bool whole = Begin(&jpeg, &unwinding, bytes, divisor);
  if (whole) {
    reading.ink = jpeg.out_color_space == JCS_CMYK;
    reading.adobe = jpeg.saw_Adobe_marker != 0;
    reading.pixels = NewPixels(jpeg.output_width, jpeg.output_height, reading.ink ? 4 : 3).value();
    whole = ReadRows(&jpeg, &unwinding, reading.pixels.data.get(), reading.pixels.stride());
  }
  jpeg_destroy_decompress(&jpeg);
  if (!whole) return std::nullopt;
  return reading;
}

}  // namespace mediagen
