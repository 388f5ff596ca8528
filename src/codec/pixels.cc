#include "codec/formats.h"
#include "codec/pixel_pool.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 31;

}  // namespace

StatusOr<Pixels> NewPixels(uint32_t width, uint32_t height, int channels) {
  if (width == 0 || height == 0 || (channels != 3 && channels != 4)) {
    return Error(Code::kInvalid,
                 fmt::format("{}x{} pixels of {} channels do not exist", width, height, channels),
                 {.hint = "Sides of at least 1, and 3 or 4 channels."});
  }
  // The first product fits 64 bits; comparing it by division keeps the second from overflowing.
  const uint64_t area = uint64_t{width} * height;
  if (area > kMaxBytes / static_cast<uint64_t>(channels)) {
    return Error(Code::kTooLarge,
                 fmt::format("{}x{} pixels of {} bytes are more than 2 GiB", width, height, channels),
                 {.hint = "Ask for a smaller picture."});
  }
  uint8_t* data = codec::TakeBuffer(area * static_cast<uint64_t>(channels));
  if (data == nullptr) {
    return Error(Code::kOverloaded, fmt::format("there is no memory for {}x{} pixels", width, height),
                 {.hint = "Try again when less is in work, or ask for a smaller picture."});
  }
  Pixels pixels;
  pixels.width = width;
  pixels.height = height;
  pixels.channels = channels;
  pixels.data = {data, codec::GiveBuffer};
  return pixels;
}

Status codec::CheckPixels(const Pixels& pixels) {
  if (pixels.data && pixels.width > 0 && pixels.height > 0 && (pixels.channels == 3 || pixels.channels == 4))
    return OkStatus();
  return Error(Code::kInvalid, fmt::format("there are no pixels: {}x{} of {} channels", pixels.width,
                                           pixels.height, pixels.channels));
}

}  // namespace mediagen
