// Probe: sniff, read the headers, judge the size. And the errors that all formats share.
#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen {
namespace codec {

// Past a million pixels a side no codec of ours goes (libpng stops there), and row buffers alone would be the
// attack.
constexpr uint32_t kMaxSide = 1'000'000;

Status Truncated(Format format, uint64_t at, std::string_view what) {
  return Error(Code::kInvalid, fmt::format("{} is truncated at byte {}: {}", DisplayName(format), at, what),
               {.hint = "Fetch or upload the whole picture again."});
}

Status Broken(Format format, std::string_view why) {
  return Error(Code::kInvalid, fmt::format("{} is broken: {}", DisplayName(format), why),
               {.hint = "Send a picture that other programs can open."});
}

Status CheckBytes(std::string_view bytes, const DecodeLimits& limits) {
  if (bytes.size() <= limits.max_bytes) return OkStatus();
  return Error(
      Code::kTooLarge,
      fmt::format("the picture has {} bytes; at most {} are decoded", bytes.size(), limits.max_bytes),
      {.hint = "Send a smaller picture."});
}

Status CheckSize(const ImageInfo& info, const DecodeLimits& limits) {
  if (info.width == 0 || info.height == 0) {
    return Broken(info.format, fmt::format("its size is {}x{}", info.width, info.height));
  }
  const uint64_t pixels = uint64_t{info.width} * info.height;
  if (pixels <= limits.max_pixels && info.width <= kMaxSide && info.height <= kMaxSide) return OkStatus();
  return Error(Code::kTooLarge,
               fmt::format("the {} has {}x{} pixels; at most {} pixels and {} a side are decoded",
                           DisplayName(info.format), info.width, info.height, limits.max_pixels, kMaxSide),
               {.hint = "Send a smaller picture."});
}

}  // namespace codec

namespace {

StatusOr<ImageInfo> ReadHeaders(std::string_view bytes) {
  const Format format = Sniff(bytes);
  switch (format) {
    case Format::kPng:
      return codec::ProbePng(bytes);
    case Format::kJpeg:
      return codec::ProbeJpeg(bytes);
    case Format::kWebp:
      return codec::ProbeWebp(bytes);
    case Format::kGif:
      return codec::ProbeGif(bytes);
    case Format::kUnknown:
      return Error(Code::kInvalid,
                   bytes.empty() ? "the picture is empty"
                                 : fmt::format("{} bytes are no picture of a known format", bytes.size()),
                   {.hint = "PNG, JPEG, WebP and GIF are read."});
    default:
      return Error(Code::kUnsupported,
                   fmt::format("{} is recognised but not read", codec::DisplayName(format)),
                   {.hint = "PNG, JPEG, WebP and GIF are read."});
  }
}

}  // namespace

StatusOr<ImageInfo> Probe(std::string_view bytes, const DecodeLimits& limits) {
  RETURN_IF_ERROR(codec::CheckBytes(bytes, limits));
  ASSIGN_OR_RETURN(ImageInfo info, ReadHeaders(bytes));
  RETURN_IF_ERROR(codec::CheckSize(info, limits));
  return info;
}

}  // namespace mediagen
