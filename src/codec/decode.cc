// Decode: probe, judge, decode, orient.
#include <utility>

#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

StatusOr<Pixels> DecodeStored(std::string_view bytes, const ImageInfo& info, const DecodeOptions& options) {
  switch (info.format) {
    case Format::kPng:
      return codec::DecodePng(bytes, info);
    case Format::kWebp:
      return codec::DecodeWebp(bytes, info);
    case Format::kJpeg: {
      uint32_t width = options.target_width, height = options.target_height;
      if (options.apply_orientation && info.orientation >= 5)
        std::swap(width, height);  // 5–8 stand on their side
      return codec::DecodeJpeg(bytes, info, options.limits, width, height);
    }
    default:
      return Error(Code::kUnsupported, fmt::format("{} is not decoded", codec::DisplayName(info.format)),
                   {.hint = "PNG, JPEG and WebP are."});
  }
}

}  // namespace

StatusOr<Pixels> Decode(std::string_view bytes, const DecodeOptions& options) {
  ASSIGN_OR_RETURN(const ImageInfo info, Probe(bytes, options.limits));
  ASSIGN_OR_RETURN(Pixels pixels, DecodeStored(bytes, info, options));
  if (!options.apply_orientation) return pixels;
  return codec::Orient(std::move(pixels), info.orientation);
}

}  // namespace mediagen
