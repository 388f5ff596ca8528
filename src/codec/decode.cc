// Decode: probe, judge, decode, bring the colours to sRGB, orient.
#include <utility>

#include "codec/colour.h"
#include "codec/formats.h"
#include "codec/frames.h"
#include "codec/icc.h"
#include "codec/png_colours.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

Status NotRead(Format format) {
  return Error(Code::kUnsupported, fmt::format("{} is not decoded", codec::DisplayName(format)),
               {.hint = "PNG, JPEG, WebP and GIF are."});
}

// Pictures without a profile, and with one that says nothing, are taken for sRGB, as browsers take them.
std::string ProfileOf(std::string_view bytes, const ImageInfo& info, const DecodeOptions& options) {
  if (!options.to_srgb) return "";
  if (info.icc) return codec::IccProfile(bytes, info.format);
  return info.format == Format::kPng ? codec::PngColourProfile(bytes) : "";
}

StatusOr<Pixels> ToSrgb(Pixels pixels, const std::string& icc) {
  if (!icc.empty() && codec::GamutOf(icc) == codec::Gamut::kOther)
    RETURN_IF_ERROR(codec::ToSrgb(icc, &pixels));
  return pixels;
}

StatusOr<Pixels> DecodeJpeg(std::string_view bytes, const ImageInfo& info, const DecodeOptions& options) {
  uint32_t width = options.target_width, height = options.target_height;
  if (options.apply_orientation && info.orientation >= 5)
    std::swap(width, height);  // 5–8 stand on their side
  ASSIGN_OR_RETURN(codec::JpegPixels jpeg, codec::DecodeJpeg(bytes, info, options.limits, width, height));
  const std::string icc = ProfileOf(bytes, info, options);
  if (jpeg.cmyk) {
    StatusOr<Pixels> rgb = codec::CmykToSrgb(icc, jpeg.pixels);
    return rgb.ok() || icc.empty() ? std::move(rgb) : codec::CmykToSrgb("", jpeg.pixels);
  }
  return ToSrgb(std::move(jpeg.pixels), icc);
}

StatusOr<Pixels> DecodeStored(std::string_view bytes, const ImageInfo& info, const DecodeOptions& options) {
  StatusOr<Pixels> pixels;
  switch (info.format) {
    case Format::kJpeg:
      return DecodeJpeg(bytes, info, options);
    case Format::kGif:
      return codec::DecodeGif(bytes, info, options.limits);
    case Format::kPng:
      pixels = codec::DecodePng(bytes, info);
      break;
    case Format::kWebp:
      pixels = codec::DecodeWebp(bytes, info);
      break;
    default:
      return NotRead(info.format);
  }
  RETURN_IF_ERROR(pixels.status());
  return ToSrgb(*std::move(pixels), ProfileOf(bytes, info, options));
}

}  // namespace

StatusOr<Pixels> Decode(std::string_view bytes, const DecodeOptions& options) {
  ASSIGN_OR_RETURN(const ImageInfo info, Probe(bytes, options.limits));
  ASSIGN_OR_RETURN(Pixels pixels, DecodeStored(bytes, info, options));
  if (!options.apply_orientation) return pixels;
  return codec::Orient(std::move(pixels), info.orientation);
}

StatusOr<Animation> DecodeFrames(std::string_view bytes, const DecodeOptions& options) {
  ASSIGN_OR_RETURN(const ImageInfo info, Probe(bytes, options.limits));
  if (info.format == Format::kGif) return codec::DecodeGifFrames(bytes, info, options.limits);
  Animation animation;
  if (info.format == Format::kWebp && info.frames > 1) {
    ASSIGN_OR_RETURN(animation, codec::DecodeWebpFrames(bytes, info, options.limits));
    const std::string icc = ProfileOf(bytes, info, options);
    for (Frame& frame : animation.frames) {
      ASSIGN_OR_RETURN(frame.pixels, ToSrgb(std::move(frame.pixels), icc));
    }
    return animation;
  }
  Frame still;
  ASSIGN_OR_RETURN(still.pixels, Decode(bytes, options));
  animation.frames.push_back(std::move(still));
  animation.loops = 1;
  return animation;
}

}  // namespace mediagen
