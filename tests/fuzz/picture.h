// What the targets that decode pictures share: limits small enough for many runs a second, and what every
// outcome of a decoder has in common.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "codec/image.h"
#include "fuzz/input.h"

namespace mediagen::fuzz {

constexpr DecodeLimits kLimits{.max_pixels = 1 << 18,
                               .max_bytes = 1 << 20,
                               .max_jpeg_scans = 20,
                               .max_frames = 20,
                               .max_animation_bytes = 8 << 20};

// The pictures as they are stored: not turned, and in their own colours.
inline DecodeOptions Stored() { return {.limits = kLimits, .apply_orientation = false, .to_srgb = false}; }

// A refusal says why, and blames what was sent, not us.
inline void CheckRefusal(const Status& status) {
  const ErrorInfo info = InfoOf(status);
  Require(!info.message.empty(), "a refusal says why");
  Require(info.code == Code::kInvalid || info.code == Code::kUnsupported || info.code == Code::kTooLarge,
          "a refusal is about the input");
}

inline void CheckWhole(const Pixels& pixels) {
  Require(pixels.data != nullptr && pixels.width > 0 && pixels.height > 0, "a picture has pixels");
  Require(pixels.channels == 3 || pixels.channels == 4, "three or four channels");
  Require(uint64_t{pixels.width} * pixels.height <= kLimits.max_pixels, "the limit of pixels");
}

inline void CheckSize(const Pixels& pixels, uint32_t width, uint32_t height) {
  CheckWhole(pixels);
  Require(pixels.width == width && pixels.height == height, "the probed size");
}

// The same colours; an RGB picture is the RGBA one whose alpha is 255 throughout.
inline bool SameColours(const Pixels& a, const Pixels& b) {
  if (a.width != b.width || a.height != b.height) return false;
  if (a.channels == b.channels) return std::memcmp(a.data.get(), b.data.get(), a.bytes()) == 0;
  const Pixels &rgb = a.channels == 3 ? a : b, &rgba = a.channels == 3 ? b : a;
  for (size_t i = 0, pixels = size_t{a.width} * a.height; i < pixels; ++i) {
    if (std::memcmp(&rgb.data[3 * i], &rgba.data[4 * i], 3) != 0 || rgba.data[4 * i + 3] != 255) return false;
  }
  return true;
}

// All frames of a picture against its first one, which `first` is when that could be decoded.
inline void CheckFrames(std::string_view bytes, const ImageInfo& info, const StatusOr<Pixels>& first) {
  const StatusOr<Animation> animation = DecodeFrames(bytes, Stored());
  if (!animation.ok()) return CheckRefusal(animation.status());
  Require(!animation->frames.empty(), "an animation has a frame");
  Require(animation->frames.size() <= static_cast<size_t>(kLimits.max_frames), "the limit of frames");
  Require(animation->loops >= 0, "loops are counted");
  uint64_t bytes_of_all = 0;
  for (const Frame& frame : animation->frames) {
    CheckSize(frame.pixels, info.width, info.height);
    Require(frame.duration_ms >= 0, "time goes forward");
    bytes_of_all += frame.pixels.bytes();
  }
  Require(bytes_of_all <= kLimits.max_animation_bytes, "the limit of an animation's bytes");
  Require(first.ok(), "with all frames the first one decodes");
  Require(SameColours(animation->frames[0].pixels, *first), "the first frame is the picture");
}

// Turned as EXIF says and brought to sRGB, the picture is there exactly when it is as it is stored.
inline void CheckShown(std::string_view bytes, const ImageInfo& info, const StatusOr<Pixels>& stored) {
  const StatusOr<Pixels> shown = Decode(bytes, {.limits = kLimits});
  Require(shown.ok() == stored.ok(), "orientation and profile decide nothing");
  if (!shown.ok()) return CheckRefusal(shown.status());
  CheckWhole(*shown);
  const bool swapped = info.orientation >= 5;
  Require(shown->width == (swapped ? stored->height : stored->width), "the turned width");
  Require(shown->height == (swapped ? stored->width : stored->height), "the turned height");
  const bool coloured = info.icc || bytes.find("gAMA") != bytes.npos;
  if (info.orientation == 1 && !coloured) Require(SameColours(*shown, *stored), "nothing was to be done");
}

}  // namespace mediagen::fuzz
