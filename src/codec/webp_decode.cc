// WebP decoding by libwebp; of an animation the first frame, on a transparent canvas.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "codec/bytes.h"
#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

// libwebp decodes what it has; the container says what there should be. Some writers leave out the last pad
// byte.
Status CheckComplete(std::string_view bytes) {
  const uint64_t declared = uint64_t{Le32(bytes, 4)} + 8;
  if (bytes.size() + 1 >= declared) return OkStatus();
  return Truncated(Format::kWebp, bytes.size(), fmt::format("its container says {} bytes", declared));
}

Status Failure(VP8StatusCode code, size_t size) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return Error(Code::kOverloaded, "there is no memory to decode a WebP");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return Truncated(Format::kWebp, size, "the picture data is not complete");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return Broken(Format::kWebp, "it uses a feature that WebP does not have");
    default:
      return Broken(Format::kWebp, "the bitstream is not valid");
  }
}

// Decodes a still picture into rows of `stride` bytes that begin at `out`; `size` bytes may be written.
Status DecodeInto(std::string_view bytes, int channels, uint8_t* out, size_t stride, size_t size) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0)
    return Error(Code::kInternal, "libwebp has another version than its headers");
  config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {out, static_cast<int>(stride), size};
  const VP8StatusCode code = WebPDecode(AsBytes(bytes), bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  return code == VP8_STATUS_OK ? OkStatus() : Failure(code, bytes.size());
}

StatusOr<Pixels> DecodeStill(std::string_view bytes, const ImageInfo& info) {
  WebPBitstreamFeatures features;
  const VP8StatusCode code = WebPGetFeatures(AsBytes(bytes), bytes.size(), &features);
  if (code != VP8_STATUS_OK) return Failure(code, bytes.size());
  if (static_cast<uint32_t>(features.width) != info.width ||
      static_cast<uint32_t>(features.height) != info.height) {
    return Broken(Format::kWebp, "its headers give two sizes");
  }
  ASSIGN_OR_RETURN(Pixels pixels, NewPixels(info.width, info.height, features.has_alpha != 0 ? 4 : 3));
  RETURN_IF_ERROR(DecodeInto(bytes, pixels.channels, pixels.data.get(), pixels.stride(), pixels.bytes()));
  return pixels;
}

StatusOr<Pixels> DecodeFirstFrame(std::string_view bytes, const ImageInfo& info) {
  const WebPData data = {AsBytes(bytes), bytes.size()};
  std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)> demuxer(WebPDemux(&data), WebPDemuxDelete);
  if (!demuxer) return Broken(Format::kWebp, "its container is not valid");
  WebPIterator frame;
  if (WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) return Broken(Format::kWebp, "it has no frame");
  std::unique_ptr<WebPIterator, void (*)(WebPIterator*)> release(&frame, WebPDemuxReleaseIterator);
  const uint64_t right = uint64_t(frame.x_offset) + uint64_t(frame.width),
                 bottom = uint64_t(frame.y_offset) + uint64_t(frame.height);
  if (right > info.width || bottom > info.height)
    return Broken(Format::kWebp, "its first frame leaves the canvas");
  ASSIGN_OR_RETURN(Pixels canvas, NewPixels(info.width, info.height, 4));
  std::memset(canvas.data.get(), 0, canvas.bytes());
  uint8_t* corner =
      canvas.row(static_cast<uint32_t>(frame.y_offset)) + size_t{4} * static_cast<size_t>(frame.x_offset);
  const std::string_view still(reinterpret_cast<const char*>(frame.fragment.bytes), frame.fragment.size);
  RETURN_IF_ERROR(DecodeInto(still, 4, corner, canvas.stride(),
                             canvas.bytes() - static_cast<size_t>(corner - canvas.data.get())));
  return canvas;
}

}  // namespace

StatusOr<Pixels> DecodeWebp(std::string_view bytes, const ImageInfo& info) {
  RETURN_IF_ERROR(CheckComplete(bytes));
  WebPBitstreamFeatures features;
  const bool animated = WebPGetFeatures(AsBytes(bytes), bytes.size(), &features) == VP8_STATUS_OK &&
                        features.has_animation != 0;
  return animated ? DecodeFirstFrame(bytes, info) : DecodeStill(bytes, info);
}

}  // namespace mediagen::codec
