// Bytes that claim to be a picture: sniffed, probed, decoded, reduced and encoded again.
#include "codec/image.h"
#include "fuzz/input.h"

namespace mediagen {
namespace {

constexpr DecodeLimits kLimits{.max_pixels = 1 << 20, .max_bytes = 1 << 20, .max_jpeg_scans = 20};

void Decoded(std::string_view bytes, const ImageInfo& info, uint32_t target) {
  StatusOr<Pixels> pixels =
      Decode(bytes, {.limits = kLimits, .target_width = target, .target_height = target});
  if (!pixels.ok()) return;
  fuzz::Require(pixels->width > 0 && pixels->height > 0, "a decoded picture has a size");
  fuzz::Require(uint64_t{pixels->width} * pixels->height <= kLimits.max_pixels, "the limit of pixels");
  fuzz::Require(pixels->channels == 3 || pixels->channels == 4, "three or four channels");
  if (target == 0 && info.orientation == 1)
    fuzz::Require(pixels->width == info.width && pixels->height == info.height, "the probed size");
}

}  // namespace
}  // namespace mediagen

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  std::string_view bytes = fuzz::Text(data, size);
  Format format = Sniff(bytes);
  StatusOr<ImageInfo> info = Probe(bytes, kLimits);
  if (!info.ok()) {
    fuzz::Require(!InfoOf(info.status()).message.empty(), "a refusal says why");
    return 0;
  }
  fuzz::Require(info->format == format, "probe and sniff agree");
  fuzz::Require(info->prompt.size() <= 4096, "the prompt's bound");
  Decoded(bytes, *info, 0);
  Decoded(bytes, *info, 16);
  return 0;
}
