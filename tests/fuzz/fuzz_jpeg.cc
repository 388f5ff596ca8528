// JPEG, whole and reduced while it is decoded, against libjpeg's own interface.
#include "codec/colour.h"
#include "codec/formats.h"
#include "codec/jpeg_reader.h"
#include "fuzz/picture.h"

namespace mediagen::fuzz {
namespace {

// libjpeg's pixels as the decoder shows them, without a profile.
Pixels Shown(JpegReading reading) {
  if (!reading.ink) return std::move(reading.pixels);
  if (!reading.adobe) {
    for (size_t i = 0; i < reading.pixels.bytes(); ++i)
      reading.pixels.data[i] = static_cast<uint8_t>(255 - reading.pixels.data[i]);
  }
  return codec::CmykToSrgb("", reading.pixels).value();
}

void CheckAgainstLibjpeg(std::string_view bytes, const StatusOr<Pixels>& pixels, uint32_t divisor) {
  // Many scans cost libjpeg minutes (libjpeg-turbo#249), which is what the limit is for.
  if (CodeOf(pixels.status()) == Code::kTooLarge) return;
  std::optional<JpegReading> reading = ReadJpeg(bytes, divisor);
  Require(reading.has_value() == pixels.ok(), "libjpeg's verdict");
  if (reading) Require(SameColours(Shown(*std::move(reading)), *pixels), "libjpeg's pixels");
}

void CheckReduced(std::string_view bytes, const ImageInfo& info, const StatusOr<Pixels>& whole,
                  uint32_t width, uint32_t height) {
  DecodeOptions options = Stored();
  options.target_width = width, options.target_height = height;
  const StatusOr<Pixels> reduced = Decode(bytes, options);
  if (!reduced.ok()) return CheckRefusal(reduced.status());
  if (CodeOf(whole.status()) != Code::kTooLarge) Require(whole.ok(), "a picture is broken at any size");
  CheckWhole(*reduced);
  Require(reduced->width >= std::min(width, info.width), "the target stays covered across");
  Require(reduced->height >= std::min(height, info.height), "the target stays covered down");
  const uint32_t divisor = (info.width + reduced->width - 1) / reduced->width;
  for (uint32_t known : {1u, 2u, 4u, 8u}) {
    const auto part = [&](uint32_t side) { return (side + known - 1) / known; };
    if (part(info.width) == reduced->width && part(info.height) == reduced->height && known >= divisor)
      return;
  }
  Require(false, "a half, a quarter or an eighth");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view bytes = fuzz::Text(data, size);
  if (Sniff(bytes) != Format::kJpeg) return 0;
  fuzz::Require(codec::CountJpegScans(bytes, 5) <= 6, "counting stops");
  const StatusOr<ImageInfo> info = Probe(bytes, fuzz::kLimits);
  if (!info.ok()) return fuzz::CheckRefusal(info.status()), 0;
  const StatusOr<Pixels> pixels = Decode(bytes, fuzz::Stored());
  if (pixels.ok())
    fuzz::CheckSize(*pixels, info->width, info->height);
  else
    fuzz::CheckRefusal(pixels.status());
  fuzz::CheckAgainstLibjpeg(bytes, pixels, 1);
  if (info->width <= 1024 && info->height <= 1024) {
    fuzz::CheckReduced(bytes, *info, pixels, (info->width + 1) / 2, 0);
    fuzz::CheckReduced(bytes, *info, pixels, 1, 1);
  }
  fuzz::CheckShown(bytes, *info, pixels);
  return 0;
}
