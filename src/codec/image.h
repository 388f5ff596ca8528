// Pictures: probe, decode, resize, encode. Pure functions over bytes; hostile input is the normal case.
//
// Thread-safe: no state. Nothing allocates past `Limits`; a broken or oversized picture is kInvalid,
// kUnsupported or kTooLarge with the reason, never a crash and never half a picture.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/status.h"

namespace mediagen {

enum class Format { kUnknown, kPng, kJpeg, kWebp, kGif, kAvif, kSvg, kMp4, kWebm };

struct DecodeLimits {
  uint64_t max_pixels = 100'000'000;
  uint64_t max_bytes = 256u << 20;  // of the encoded picture
  int max_jpeg_scans = 100;         // libjpeg-turbo#249: a tiny file with thousands of scans costs minutes
};

// What a picture's headers say, without decoding it.
struct ImageInfo {
  Format format = Format::kUnknown;
  uint32_t width = 0, height = 0;  // as stored; orientation not applied
  int orientation = 1;             // EXIF 1–8
  bool alpha = false;
  int frames = 1;
  bool icc = false;
  bool c2pa = false;   // a C2PA manifest is present; not verified
  std::string prompt;  // from PNG tEXt/iTXt "parameters" or "prompt"; at most 4 KB; empty when none
};

// Eight-bit RGB or RGBA rows without gaps, top row first. `stride` = width * channels. Aligned to 64 bytes.
struct Pixels {
  uint32_t width = 0, height = 0;
  int channels = 0;  // 3 or 4 (straight alpha)
  std::unique_ptr<uint8_t[], void (*)(uint8_t*)> data{nullptr, nullptr};

  size_t stride() const { return size_t{width} * static_cast<size_t>(channels); }
  size_t bytes() const { return stride() * height; }
  uint8_t* row(uint32_t y) { return data.get() + stride() * y; }
  const uint8_t* row(uint32_t y) const { return data.get() + stride() * y; }
};
// Uninitialised pixels. kTooLarge past 2^31 bytes.
StatusOr<Pixels> NewPixels(uint32_t width, uint32_t height, int channels);

// By magic bytes alone; kUnknown for anything else.
Format Sniff(std::string_view bytes);
std::string_view MediaType(Format format);   // "image/png"; "application/octet-stream" for kUnknown
std::string_view Extension(Format format);   // "png", "jpg", …
Format FormatByName(std::string_view name);  // "png", "jpeg", "jpg", "webp", …; kUnknown otherwise
bool IsVideo(Format format);

StatusOr<ImageInfo> Probe(std::string_view bytes, const DecodeLimits& limits = {});

struct DecodeOptions {
  DecodeLimits limits;
  // The picture will be reduced to about this; a decoder that can scale cheaply (JPEG DCT) may return any
  // size that still covers it. 0: full size.
  uint32_t target_width = 0, target_height = 0;
  bool apply_orientation = true;
};
// First frame, sRGB assumed. PNG, JPEG, WebP.
StatusOr<Pixels> Decode(std::string_view bytes, const DecodeOptions& options = {});

enum class Fit { kCover, kContain, kInside, kOutside, kFill };

struct ResizeOptions {
  uint32_t width = 0, height = 0;  // 0: keep the aspect ratio from the other
  Fit fit = Fit::kInside;
  bool enlarge = false;  // never larger than the source unless asked
};
// Catmull-Rom with a support that grows when reducing (antialiased); alpha premultiplied for the filter.
// cover crops about the centre.
StatusOr<Pixels> Resize(const Pixels& source, const ResizeOptions& options);

struct EncodeOptions {
  Format format = Format::kWebp;
  int quality = 85;                // JPEG, WebP lossy: 1–100
  int method = 4;                  // WebP: 0–6
  bool lossless = false;           // WebP
  int png_level = 6;               // 1–12, libdeflate's scale
  uint32_t background = 0xFFFFFF;  // RGB under alpha where the format has none
};
StatusOr<BufferRef> Encode(const Pixels& pixels, const EncodeOptions& options);

// ThumbHash (evanw.github.io/thumbhash) of any picture: reduces to at most 100×100 itself. 5 to 25 bytes.
StatusOr<std::string> ThumbHash(const Pixels& pixels);

}  // namespace mediagen
