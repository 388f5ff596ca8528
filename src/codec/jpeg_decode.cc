// JPEG decoding by libjpeg-turbo's classic interface, which tells more than TurboJPEG's: how many scans were
// read, which warning came, whether Adobe wrote it. Reduced in the DCT where the result is to be small.
#include <chrono>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "codec/bytes.h"
#include "codec/formats.h"
#include "codec/jpeg_error.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

using Steady = std::chrono::steady_clock;

// What libjpeg's callbacks see. It unwinds by longjmp, which runs no destructors: here and in what stands
// between setjmp and longjmp are only plain values.
struct Reader {
  jpeg_decompress_struct jpeg;
  JpegError error;
  jpeg_progress_mgr progress;
  int max_scans;
  Steady::time_point deadline;
};

Reader* Of(j_common_ptr jpeg) { return reinterpret_cast<Reader*>(jpeg); }

// Called for every row of blocks of every scan: a picture that says little with many scans is stopped here.
void OnProgress(j_common_ptr jpeg) {
  Reader* reader = Of(jpeg);
  if (reader->jpeg.input_scan_number > reader->max_scans)
    reader->error.Stop(JpegError::kScans);
  else if (Steady::now() > reader->deadline)
    reader->error.Stop(JpegError::kTime);
}

// The strongest reduction that keeps both sides at the target or above. Only powers of two have fast
// transforms.
uint32_t DivisorFor(uint32_t width, uint32_t height, uint32_t target_width, uint32_t target_height) {
  if (target_width == 0 && target_height == 0) return 1;
  for (uint32_t divisor : {8u, 4u, 2u}) {
    if ((width + divisor - 1) / divisor >= target_width && (height + divisor - 1) / divisor >= target_height)
      return divisor;
  }
  return 1;
}

bool ReadHeader(Reader* reader, std::string_view bytes) {
  if (setjmp(reader->error.jump) != 0) return false;
  jpeg_create_decompress(&reader->jpeg);
  jpeg_mem_src(&reader->jpeg, AsBytes(bytes), bytes.size());
  jpeg_read_header(&reader->jpeg, TRUE);
  return true;
}

bool Begin(Reader* reader, uint32_t divisor) {
  if (setjmp(reader->error.jump) != 0) return false;
  jpeg_decompress_struct& jpeg = reader->jpeg;
  const bool cmyk = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
  jpeg.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg.scale_num = 1;
  jpeg.scale_denom = divisor;
  jpeg_start_decompress(&jpeg);
  return true;
}

bool ReadRows(Reader* reader, JSAMPARRAY rows) {
  if (setjmp(reader->error.jump) != 0) return false;
  jpeg_decompress_struct& jpeg = reader->jpeg;
  while (jpeg.output_scanline < jpeg.output_height)
    jpeg_read_scanlines(&jpeg, rows + jpeg.output_scanline, jpeg.output_height - jpeg.output_scanline);
  jpeg_finish_decompress(&jpeg);
  return true;
}

// Ends the reader when it goes.
struct Guard {
  Reader* reader;
  ~Guard() { jpeg_destroy_decompress(&reader->jpeg); }
};

// Adobe writes ink as 255 - ink; nobody else does. From here on all do.
void Invert(Pixels* cmyk) {
  for (uint8_t *byte = cmyk->data.get(), *end = byte + cmyk->bytes(); byte < end; ++byte) *byte = ~*byte;
}

}  // namespace

StatusOr<JpegPixels> DecodeJpeg(std::string_view bytes, const ImageInfo& info, const DecodeLimits& limits,
                                uint32_t target_width, uint32_t target_height) {
  if (CountJpegScans(bytes, limits.max_jpeg_scans) > limits.max_jpeg_scans)
    return JpegError::TooManyScans(limits.max_jpeg_scans);
  Reader reader;
  std::memset(&reader.jpeg, 0, sizeof reader.jpeg);
  reader.jpeg.err = reader.error.Begin();
  reader.max_scans = limits.max_jpeg_scans;
  reader.deadline = Steady::now() + std::chrono::milliseconds(limits.max_ms);
  reader.progress.progress_monitor = OnProgress;
  const Guard guard{&reader};
  auto failure = [&] { return reader.error.ToStatus(bytes.size(), limits); };
  if (!ReadHeader(&reader, bytes)) return failure();
  const jpeg_decompress_struct& jpeg = reader.jpeg;
  if (jpeg.image_width != info.width || jpeg.image_height != info.height)
    return Broken(Format::kJpeg, "its headers give two sizes");
  reader.jpeg.progress = &reader.progress;
  if (!Begin(&reader, DivisorFor(info.width, info.height, target_width, target_height))) return failure();

  JpegPixels result;
  result.cmyk = jpeg.out_color_space == JCS_CMYK;
  ASSIGN_OR_RETURN(result.pixels, NewPixels(jpeg.output_width, jpeg.output_height, result.cmyk ? 4 : 3));
  std::vector<JSAMPROW> rows(result.pixels.height);
  for (uint32_t y = 0; y < result.pixels.height; ++y) rows[y] = result.pixels.row(y);
  if (!ReadRows(&reader, rows.data())) return failure();
  if (result.cmyk && !jpeg.saw_Adobe_marker) Invert(&result.pixels);
  return result;
}

}  // namespace mediagen::codec
