// All frames of a WebP by libwebpdemux, which disposes and blends as RFC 9649 §2.7 says. And the limits that
// animations of every format have.
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "codec/bytes.h"
#include "codec/frames.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

using Demuxer = std::unique_ptr<WebPDemuxer, void (*)(WebPDemuxer*)>;
using Decoder = std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)>;

// Where libwebp refuses a container, whether that is because some of it is missing.
Status ContainerError(std::string_view bytes) {
  const uint64_t declared = uint64_t{Le32(bytes, 4)} + 8;
  if (bytes.size() >= declared)
    return Broken(Format::kWebp, "its container or one of its frames is not valid");
  return Truncated(Format::kWebp, bytes.size(), fmt::format("its container says {} bytes", declared));
}

// What the container says of its frames is what will be allocated, so it is judged again.
Status CheckContainer(const WebPDemuxer* demuxer, const ImageInfo& info, const DecodeLimits& limits) {
  if (WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH) != info.width ||
      WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT) != info.height) {
    return Broken(Format::kWebp, "its headers give two sizes");
  }
  const uint32_t frames = WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT);
  if (frames == 0) return Broken(Format::kWebp, "it has no frame");
  return CheckFrames(info, frames, limits);
}

// libwebp's decoder adds durations up in an int, which a long animation overflows: so they are read here.
int64_t DurationMs(const WebPDemuxer* demuxer, int frame) {
  WebPIterator iterator;
  if (WebPDemuxGetFrame(demuxer, frame, &iterator) == 0) return 0;
  const int64_t duration_ms = iterator.duration;
  WebPDemuxReleaseIterator(&iterator);
  return duration_ms;
}

Decoder NewDecoder(const WebPData& data) {
  WebPAnimDecoderOptions options;
  if (WebPAnimDecoderOptionsInit(&options) == 0) return {nullptr, WebPAnimDecoderDelete};
  options.color_mode = MODE_RGBA;
  options.use_threads = 0;
  return {WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete};
}

}  // namespace

StatusOr<Animation> DecodeWebpFrames(std::string_view bytes, const ImageInfo& info,
                                     const DecodeLimits& limits) {
  RETURN_IF_ERROR(CheckFrames(info, static_cast<uint64_t>(info.frames), limits));
  const WebPData data = {AsBytes(bytes), bytes.size()};
  const Demuxer demuxer(WebPDemux(&data), WebPDemuxDelete);
  if (!demuxer) return ContainerError(bytes);
  RETURN_IF_ERROR(CheckContainer(demuxer.get(), info, limits));
  const Decoder decoder = NewDecoder(data);
  if (!decoder) return Error(Code::kOverloaded, "there is no memory to decode a WebP");
  const int count = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_FRAME_COUNT));
  Animation animation;
  animation.loops = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_LOOP_COUNT));
  for (int i = 1; i <= count; ++i) {
    uint8_t* canvas = nullptr;
    int timestamp_ms = 0;
    if (WebPAnimDecoderGetNext(decoder.get(), &canvas, &timestamp_ms) == 0)
      return Broken(Format::kWebp, fmt::format("the bitstream of frame {} is not valid", i));
    ASSIGN_OR_RETURN(Pixels pixels, NewPixels(info.width, info.height, 4));
    std::memcpy(pixels.data.get(), canvas, pixels.bytes());
    animation.frames.push_back({std::move(pixels), DurationMs(demuxer.get(), i)});
  }
  return animation;
}

Status CheckFrames(const ImageInfo& info, uint64_t frames, const DecodeLimits& limits) {
  if (limits.max_frames < 0 || frames > static_cast<uint64_t>(limits.max_frames)) {
    return Error(Code::kTooLarge,
                 fmt::format("the {} has {} frames; at most {} are decoded", DisplayName(info.format), frames,
                             limits.max_frames),
                 {.hint = "Send a shorter animation."});
  }
  // Sides are below 2^24, so this fits 64 bits; the product with the frames might not.
  const uint64_t canvas = uint64_t{4} * info.width * info.height;
  if (frames == 0 || canvas <= limits.max_animation_bytes / frames) return OkStatus();
  return Error(
      Code::kTooLarge,
      fmt::format("the {} has {} frames of {}x{} pixels; at most {} bytes are decoded",
                  DisplayName(info.format), frames, info.width, info.height, limits.max_animation_bytes),
      {.hint = "Send a shorter or smaller animation."});
}

}  // namespace mediagen::codec
