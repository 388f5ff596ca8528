// Animations: every frame as it is seen, from GIF and WebP; and the first frame of a GIF.
// Internal to codec/.
//
// Thread-safe: no state. Everything is judged before it is allocated: beside the frames there are at most two
// more canvases and, for GIF, one byte a pixel of a frame.
#pragma once

#include <cstdint>
#include <string_view>

#include "codec/formats.h"

namespace mediagen::codec {

// These take what their probe said, after CheckSize. The canvas is transparent where no frame was drawn: as
// in browsers, no format's background colour counts.

// The first frame on its canvas; RGB when every pixel is opaque, else RGBA. What stands behind the frame's
// last pixel is not read. kTooLarge for a frame with more pixels than the limits allow a picture.
StatusOr<Pixels> DecodeGif(std::string_view bytes, const ImageInfo& info, const DecodeLimits& limits);

// All frames (RGBA), or an error: kTooLarge past the limits, before any frame is decoded where the canvas
// alone says so. What a GIF's frame has outside of the canvas costs time, so it counts as decoded bytes. The
// file may end behind any complete frame, as one without a trailer does.
StatusOr<Animation> DecodeGifFrames(std::string_view bytes, const ImageInfo& info,
                                    const DecodeLimits& limits);
// Of a picture that does not move one frame of 0 ms.
StatusOr<Animation> DecodeWebpFrames(std::string_view bytes, const ImageInfo& info,
                                     const DecodeLimits& limits);

// kTooLarge when `frames` canvases are more than the limits.
Status CheckFrames(const ImageInfo& info, uint64_t frames, const DecodeLimits& limits);

}  // namespace mediagen::codec
