// Encode: check the options, then the format's own encoder.
#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

Status CheckRange(std::string_view name, int value, int least, int most) {
  if (value >= least && value <= most) return OkStatus();
  return Error(Code::kInvalid, fmt::format("{} is {}; it goes from {} to {}", name, value, least, most));
}

}  // namespace

StatusOr<BufferRef> Encode(const Pixels& pixels, const EncodeOptions& options) {
  RETURN_IF_ERROR(codec::CheckPixels(pixels));
  RETURN_IF_ERROR(CheckRange("quality", options.quality, 1, 100));
  RETURN_IF_ERROR(CheckRange("method", options.method, 0, 6));
  RETURN_IF_ERROR(CheckRange("png_level", options.png_level, 1, 12));
  switch (options.format) {
    case Format::kPng:
      return codec::EncodePng(pixels, options);
    case Format::kJpeg:
      return codec::EncodeJpeg(pixels, options);
    case Format::kWebp:
      return codec::EncodeWebp(pixels, options);
    default:
      return Error(Code::kUnsupported,
                   fmt::format("pictures are not written as {}", codec::DisplayName(options.format)),
                   {.hint = "PNG, JPEG and WebP are."});
  }
}

}  // namespace mediagen
