#include "support/bare.h"

#include <png.h>
#include <webp/encode.h>

#include <cstdio>
#include <cstdlib>

// After <cstdio>, whose types it needs.
#include <jpeglib.h>

#include "fmt/format.h"

namespace mediagen::bench {
namespace {

std::string Numbers(int version) {
  return fmt::format("{}.{}.{}", version >> 16, version >> 8 & 255, version & 255);
}

}  // namespace

Photo BareReadJpeg(const std::string& bytes, unsigned divisor) {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  jpeg.scale_num = 1;
  jpeg.scale_denom = divisor;
  jpeg_start_decompress(&jpeg);
  Photo photo{jpeg.output_width, jpeg.output_height, {}};
  photo.rgb.resize(photo.stride() * photo.height);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = photo.rgb.data() + photo.stride() * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return photo;
}

size_t BareWriteWebp(const Photo& photo, int quality, int method) {
  WebPConfig config;
  WebPPicture picture;
  WebPMemoryWriter writer;
  WebPConfigInit(&config);
  WebPPictureInit(&picture);
  WebPMemoryWriterInit(&writer);
  config.quality = static_cast<float>(quality);
  config.method = method;
  picture.width = static_cast<int>(photo.width);
  picture.height = static_cast<int>(photo.height);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  const bool done = WebPPictureImportRGB(&picture, photo.rgb.data(), static_cast<int>(photo.stride())) != 0 &&
                    WebPEncode(&config, &picture) != 0;
  WebPPictureFree(&picture);
  const size_t size = writer.size;
  WebPMemoryWriterClear(&writer);
  if (done) return size;
  std::fprintf(stderr, "benchmark: libwebp did not encode\n");
  std::exit(1);
}

std::string JpegVersion() {
  const int version = LIBJPEG_TURBO_VERSION_NUMBER;  // 2001005 is 2.1.5
  return fmt::format("{}.{}.{}", version / 1'000'000, version / 1000 % 1000, version % 1000);
}
std::string WebpVersion() { return Numbers(WebPGetEncoderVersion()); }
std::string PngVersion() { return PNG_LIBPNG_VER_STRING; }

}  // namespace mediagen::bench
