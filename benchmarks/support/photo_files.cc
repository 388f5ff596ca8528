#include <png.h>
#include <webp/decode.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

// After <cstdio>, whose types it needs.
#include <jpeglib.h>

#include "support/photo.h"

namespace mediagen::bench {
namespace {

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "benchmark: %s\n", what);
  std::exit(1);
}

void AppendPng(png_structp png, png_bytep bytes, png_size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), size);
}

bool IsJpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8"); }

const uint8_t* BytesOf(const std::string& bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

// libjpeg's own handler of errors prints what it was and ends the program, as everything here does.
Photo ReadJpeg(const std::string& bytes, bool* half_colour) {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, BytesOf(bytes), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  *half_colour = jpeg.num_components == 3 && jpeg.comp_info[0].h_samp_factor == 2 &&
                 jpeg.comp_info[0].v_samp_factor == 2 && jpeg.comp_info[1].h_samp_factor == 1 &&
                 jpeg.comp_info[1].v_samp_factor == 1;
  jpeg.out_color_space = JCS_RGB;
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

Photo ReadWebp(const std::string& bytes) {
  int width = 0, height = 0;
  if (WebPGetInfo(BytesOf(bytes), bytes.size(), &width, &height) == 0) Die("a result is no picture");
  Photo photo{static_cast<uint32_t>(width), static_cast<uint32_t>(height), {}};
  photo.rgb.resize(photo.stride() * photo.height);
  if (WebPDecodeRGBInto(BytesOf(bytes), bytes.size(), photo.rgb.data(), photo.rgb.size(),
                        static_cast<int>(photo.stride())) == nullptr)
    Die("a WebP cannot be read");
  return photo;
}

Photo ReadPng(const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) Die("a PNG cannot be read");
  image.format = PNG_FORMAT_RGB;
  Photo photo{image.width, image.height, {}};
  photo.rgb.resize(photo.stride() * photo.height);
  if (png_image_finish_read(&image, nullptr, photo.rgb.data(), 0, nullptr) == 0) Die("a PNG cannot be read");
  return photo;
}

}  // namespace

std::string PngOf(const Photo& photo) {
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  if (setjmp(png_jmpbuf(png)) != 0) Die("libpng could not write");
  png_set_write_fn(png, &bytes, AppendPng, nullptr);
  png_set_IHDR(png, info, photo.width, photo.height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (uint32_t y = 0; y < photo.height; ++y) png_write_row(png, photo.rgb.data() + photo.stride() * y);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

std::string JpegOf(const Photo& photo, int quality) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): the library's type
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = photo.width;
  jpeg.image_height = photo.height;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(photo.rgb.data() + photo.stride() * jpeg.next_scanline);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string bytes(reinterpret_cast<const char*>(out), size);
  jpeg_destroy_compress(&jpeg);
  std::free(out);
  return bytes;
}

Photo ReadPhoto(const std::string& bytes) {
  bool ignored = false;
  if (IsJpeg(bytes)) return ReadJpeg(bytes, &ignored);
  return bytes.starts_with("RIFF") ? ReadWebp(bytes) : ReadPng(bytes);
}

bool IsHalfColour(const std::string& bytes) {
  if (bytes.starts_with("RIFF")) return bytes.compare(12, 4, "VP8L") != 0;  // lossy WebP has no other
  if (!IsJpeg(bytes)) Die("a result is neither JPEG nor WebP");
  bool half = false;
  ReadJpeg(bytes, &half);
  return half;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (!file.good() && !file.eof()) Die(("cannot read " + path).c_str());
  return bytes;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) Die(("cannot write " + path).c_str());
}

}  // namespace mediagen::bench
