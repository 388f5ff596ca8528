// WebP, the picture and all frames, against libwebp's simplest call.
#include <webp/decode.h>

#include <memory>

#include "fuzz/picture.h"

namespace mediagen::fuzz {
namespace {

// The decoder refuses what libwebp would fill up with nothing, and never the other way round. A container
// that denies its bitstream's alpha is believed, as by browsers.
void CheckAgainstLibwebp(std::string_view bytes, const Pixels& pixels) {
  int width = 0, height = 0;
  const auto decode = pixels.channels == 4 ? WebPDecodeRGBA : WebPDecodeRGB;
  const std::unique_ptr<uint8_t, void (*)(void*)> plain(
      decode(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &width, &height), WebPFree);
  Require(plain != nullptr, "libwebp's verdict");
  CheckSize(pixels, static_cast<uint32_t>(width), static_cast<uint32_t>(height));
  Require(std::memcmp(plain.get(), pixels.data.get(), pixels.bytes()) == 0, "libwebp's pixels");
}

bool IsAnimated(std::string_view bytes) {
  WebPBitstreamFeatures features;
  return WebPGetFeatures(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &features) ==
             VP8_STATUS_OK &&
         features.has_animation != 0;
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view bytes = fuzz::Text(data, size);
  if (Sniff(bytes) != Format::kWebp) return 0;
  const StatusOr<ImageInfo> info = Probe(bytes, fuzz::kLimits);
  if (!info.ok()) return fuzz::CheckRefusal(info.status()), 0;
  const StatusOr<Pixels> pixels = Decode(bytes, fuzz::Stored());
  if (pixels.ok())
    fuzz::CheckSize(*pixels, info->width, info->height);
  else
    fuzz::CheckRefusal(pixels.status());
  if (pixels.ok() && !fuzz::IsAnimated(bytes)) fuzz::CheckAgainstLibwebp(bytes, *pixels);
  fuzz::CheckFrames(bytes, *info, pixels);
  fuzz::CheckShown(bytes, *info, pixels);
  return 0;
}
