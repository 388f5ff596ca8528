// PNG: the fast way (png_fast.h) where it can be taken, else libpng. By libpng any colour type, depth and
// interlacing become 8-bit RGB or RGBA. Ancillary chunks are never parsed here, so a compressed text or
// profile cannot become a bomb.
#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "codec/png_fast.h"

namespace mediagen::codec {
namespace {

// What libpng's callbacks see.
struct Source {
  std::string_view bytes;
  size_t at = 0;
  bool truncated = false;
  char message[128] = "";
};

// libpng unwinds by longjmp, which runs no destructors: what it calls, and what calls it, holds only plain
// values.
void OnError(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::snprintf(source->message, sizeof source->message, "%s", message);
  png_longjmp(png, 1);
}

void OnWarning(png_structp, png_const_charp) {}

void OnRead(png_structp png, png_bytep out, size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->bytes.size() - source->at) {
    source->truncated = true;
    png_error(png, "the data ends early");
  }
  std::memcpy(out, source->bytes.data() + source->at, size);
  source->at += size;
}

bool ReadHeader(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_info(png, info);
  png_set_expand(png);  // palettes, 1–4 bits, tRNS
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return true;
}

bool ReadRows(png_structp png, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) {
    source_.bytes = bytes;
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, OnError, OnWarning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) return;
    png_set_read_fn(png_, &source_, OnRead);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr,
                                -1);  // all but IHDR, PLTE, tRNS, IDAT, IEND
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool ready() const { return info_ != nullptr; }
  png_structp png() { return png_; }
  png_infop info() { return info_; }
  Status Failure() const {
    return source_.truncated
               ? Truncated(Format::kPng, source_.bytes.size(), "the picture data is not complete")
               : Broken(Format::kPng, source_.message);
  }

 private:
  Source source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

StatusOr<Pixels> DecodePngByLibpng(std::string_view bytes, const ImageInfo& info) {
  Reader reader(bytes);
  if (!reader.ready()) return Error(Code::kOverloaded, "there is no memory to decode a PNG");
  if (!ReadHeader(reader.png(), reader.info())) return reader.Failure();
  const int channels = png_get_channels(reader.png(), reader.info());
  if (png_get_image_width(reader.png(), reader.info()) != info.width ||
      png_get_image_height(reader.png(), reader.info()) != info.height || (channels != 3 && channels != 4)) {
    return Broken(Format::kPng, "its header contradicts itself");
  }
  ASSIGN_OR_RETURN(Pixels pixels, NewPixels(info.width, info.height, channels));
  if (png_get_rowbytes(reader.png(), reader.info()) != pixels.stride())
    return Broken(Format::kPng, "its rows have another size");
  std::vector<png_bytep> rows(info.height);
  for (uint32_t y = 0; y < info.height; ++y) rows[y] = pixels.row(y);
  if (!ReadRows(reader.png(), rows.data())) return reader.Failure();
  return pixels;
}

StatusOr<Pixels> DecodePng(std::string_view bytes, const ImageInfo& info) {
  if (std::optional<Pixels> pixels = DecodePngFast(bytes, info)) return *std::move(pixels);
  return DecodePngByLibpng(bytes, info);
}

}  // namespace mediagen::codec
