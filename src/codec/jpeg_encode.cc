// JPEG encoding by libjpeg-turbo.
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "codec/formats.h"
#include "codec/jpeg_error.h"
#include "codec/matte.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

constexpr uint32_t kMaxJpegSide = 65500;  // libjpeg's JPEG_MAX_DIMENSION

// libjpeg unwinds by longjmp: only plain values here.
struct Writer {
  jpeg_compress_struct jpeg;
  JpegError error;
  unsigned char* out;
  unsigned long size;  // NOLINT(google-runtime-int): the library's type
};

void SetChroma(jpeg_compress_struct* jpeg, Chroma chroma) {
  const int across = chroma == Chroma::k444 ? 1 : 2, down = chroma == Chroma::k420 ? 2 : 1;
  jpeg->comp_info[0].h_samp_factor = across;
  jpeg->comp_info[0].v_samp_factor = down;
  for (int i : {1, 2}) jpeg->comp_info[i].h_samp_factor = jpeg->comp_info[i].v_samp_factor = 1;
}

bool Write(Writer* writer, const Pixels& pixels, const EncodeOptions& options, JSAMPARRAY rows) {
  if (setjmp(writer->error.jump) != 0) return false;
  jpeg_compress_struct& jpeg = writer->jpeg;
  jpeg_create_compress(&jpeg);
  jpeg_mem_dest(&jpeg, &writer->out, &writer->size);
  jpeg.image_width = pixels.width;
  jpeg.image_height = pixels.height;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, options.quality, TRUE);
  SetChroma(&jpeg, options.chroma);
  jpeg.optimize_coding = options.optimize || options.progressive ? TRUE : FALSE;
  if (options.progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  if (!options.icc.empty()) {
    jpeg_write_icc_profile(&jpeg, reinterpret_cast<const JOCTET*>(options.icc.data()),
                           static_cast<unsigned>(options.icc.size()));
  }
  while (jpeg.next_scanline < jpeg.image_height)
    jpeg_write_scanlines(&jpeg, rows + jpeg.next_scanline, jpeg.image_height - jpeg.next_scanline);
  jpeg_finish_compress(&jpeg);
  return true;
}

}  // namespace

StatusOr<BufferRef> EncodeJpeg(const Pixels& pixels, const EncodeOptions& options) {
  if (pixels.width > kMaxJpegSide || pixels.height > kMaxJpegSide) {
    return Error(Code::kTooLarge,
                 fmt::format("a JPEG holds at most {} pixels a side, not {}x{}", kMaxJpegSide, pixels.width,
                             pixels.height),
                 {.hint = "Make the picture smaller, or write a PNG."});
  }
  Pixels flat;
  if (pixels.channels == 4) {
    ASSIGN_OR_RETURN(flat, Flatten(pixels, options.background));
  }
  const Pixels& source = pixels.channels == 4 ? flat : pixels;
  std::vector<JSAMPROW> rows(source.height);
  for (uint32_t y = 0; y < source.height; ++y) rows[y] = const_cast<JSAMPROW>(source.row(y));

  Writer writer;
  std::memset(&writer.jpeg, 0, sizeof writer.jpeg);
  writer.jpeg.err = writer.error.Begin();
  // A guess that is mostly enough: growing copies what is there.
  writer.size = 4096 + source.bytes() / 4;
  writer.out = static_cast<unsigned char*>(std::malloc(writer.size));
  if (writer.out == nullptr) return Error(Code::kOverloaded, "there is no memory for a JPEG");
  unsigned char* const first = writer.out;
  const bool written = Write(&writer, source, options, rows.data());
  jpeg_destroy_compress(&writer.jpeg);
  if (writer.out != first) std::free(first);  // jpeg_mem_dest frees only what it has allocated itself
  std::shared_ptr<uint8_t> owner(writer.out, std::free);
  if (!written) {
    return Annotate(writer.error.ToStatus(0, {}), "The JPEG was not written");
  }
  return BufferRef::Alias({reinterpret_cast<const char*>(writer.out), writer.size}, std::move(owner));
}

}  // namespace mediagen::codec
