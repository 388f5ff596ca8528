// JPEG by libjpeg-turbo: DCT-scaled decoding, 4:2:0 encoding.
#include <turbojpeg.h>

#include <memory>
#include <string>

#include "codec/formats.h"
#include "codec/matte.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

constexpr uint32_t kMaxJpegSide = 65500;  // libjpeg's JPEG_MAX_DIMENSION

using Handle = std::unique_ptr<void, int (*)(tjhandle)>;

Status NoMemory() { return Error(Code::kOverloaded, "there is no memory for a JPEG codec"); }

// libjpeg's own words, told apart by the two that mean that bytes are missing.
Status Failure(tjhandle handle, size_t size) {
  const std::string words = tjGetErrorStr2(handle);
  const bool truncated =
      words.find("remature end") != words.npos || words.find("Input file read error") != words.npos;
  return truncated ? Truncated(Format::kJpeg, size, "the picture data is not complete")
                   : Broken(Format::kJpeg, words);
}

Status CheckScans(std::string_view bytes, const DecodeLimits& limits) {
  if (CountJpegScans(bytes, limits.max_jpeg_scans) <= limits.max_jpeg_scans) return OkStatus();
  return Error(Code::kTooLarge, fmt::format("the JPEG has more than {} scans", limits.max_jpeg_scans),
               {.hint = "Save it with a common progressive script; those have about ten."});
}

// The strongest reduction that keeps both sides at the target or above. Only powers of two have fast
// transforms.
tjscalingfactor FactorFor(int width, int height, uint32_t target_width, uint32_t target_height) {
  if (target_width == 0 && target_height == 0) return {1, 1};
  for (int divisor : {8, 4, 2}) {
    const tjscalingfactor factor = {1, divisor};
    if (static_cast<uint32_t>(TJSCALED(width, factor)) >= target_width &&
        static_cast<uint32_t>(TJSCALED(height, factor)) >= target_height) {
      return factor;
    }
  }
  return {1, 1};
}

// CMYK as Adobe writes it (inverted) over white paper; without a profile there is nothing better.
void CmykToRgb(const Pixels& cmyk, Pixels* rgb) {
  for (uint32_t y = 0; y < cmyk.height; ++y) {
    const uint8_t* from = cmyk.row(y);
    uint8_t* to = rgb->row(y);
    for (uint32_t x = 0; x < cmyk.width; ++x, from += 4, to += 3) {
      for (int c = 0; c < 3; ++c) to[c] = static_cast<uint8_t>((from[c] * from[3] + 127) / 255);
    }
  }
}

}  // namespace

StatusOr<Pixels> DecodeJpeg(std::string_view bytes, const ImageInfo& info, const DecodeLimits& limits,
                            uint32_t target_width, uint32_t target_height) {
  RETURN_IF_ERROR(CheckScans(bytes, limits));
  const Handle handle(tjInitDecompress(), tjDestroy);
  if (!handle) return NoMemory();
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  int width = 0, height = 0, subsampling = 0, colour_space = 0;
  if (tjDecompressHeader3(handle.get(), data, bytes.size(), &width, &height, &subsampling, &colour_space) !=
      0) {
    return Failure(handle.get(), bytes.size());
  }
  if (static_cast<uint32_t>(width) != info.width || static_cast<uint32_t>(height) != info.height) {
    return Broken(Format::kJpeg, "its headers give two sizes");
  }
  const bool cmyk = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
  const tjscalingfactor factor = FactorFor(width, height, target_width, target_height);
  ASSIGN_OR_RETURN(Pixels pixels, NewPixels(static_cast<uint32_t>(TJSCALED(width, factor)),
                                            static_cast<uint32_t>(TJSCALED(height, factor)), cmyk ? 4 : 3));
  if (tjDecompress2(handle.get(), data, bytes.size(), pixels.data.get(), static_cast<int>(pixels.width), 0,
                    static_cast<int>(pixels.height), cmyk ? TJPF_CMYK : TJPF_RGB,
                    TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING) != 0) {
    return Failure(handle.get(), bytes.size());
  }
  if (!cmyk) return pixels;
  ASSIGN_OR_RETURN(Pixels rgb, NewPixels(pixels.width, pixels.height, 3));
  CmykToRgb(pixels, &rgb);
  return rgb;
}

StatusOr<BufferRef> EncodeJpeg(const Pixels& pixels, const EncodeOptions& options) {
  if (pixels.width > kMaxJpegSide || pixels.height > kMaxJpegSide) {
    return Error(Code::kTooLarge,
                 fmt::format("a JPEG holds at most {} pixels a side, not {}x{}", kMaxJpegSide, pixels.width,
                             pixels.height),
                 {.hint = "Make the picture smaller, or write a PNG."});
  }
  const Handle handle(tjInitCompress(), tjDestroy);
  if (!handle) return NoMemory();
  Pixels flat;
  if (pixels.channels == 4) {
    ASSIGN_OR_RETURN(flat, Flatten(pixels, options.background));
  }
  const Pixels& source = pixels.channels == 4 ? flat : pixels;
  uint8_t* out = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): the library's type
  const int failed =
      tjCompress2(handle.get(), source.data.get(), static_cast<int>(source.width), 0,
                  static_cast<int>(source.height), TJPF_RGB, &out, &size, TJSAMP_420, options.quality, 0);
  std::shared_ptr<uint8_t> owner(out, tjFree);
  if (failed != 0)
    return Error(Code::kInternal, fmt::format("JPEG was not encoded: {}", tjGetErrorStr2(handle.get())));
  return BufferRef::Alias({reinterpret_cast<const char*>(out), size}, std::move(owner));
}

}  // namespace mediagen::codec
