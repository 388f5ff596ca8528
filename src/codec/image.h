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
#include <vector>

#include "base/buffer.h"
#include "base/status.h"

namespace mediagen {

enum class Format { kUnknown, kPng, kJpeg, kWebp, kGif, kAvif, kSvg, kMp4, kWebm };

struct DecodeLimits {
  uint64_t max_pixels = 100'000'000;
  uint64_t max_bytes = 256u << 20;  // of the encoded picture
  int max_jpeg_scans = 100;         // libjpeg-turbo#249: a tiny file with thousands of scans costs minutes
  int64_t max_ms = 20'000;          // of one JPEG; the other formats' work is bounded by their pixels
  // Of an animation, when all of it is decoded.
  int max_frames = 1000;
  uint64_t max_animation_bytes = uint64_t{512} << 20;
};

// What a picture's headers say, without decoding it.
struct ImageInfo {
  Format format = Format::kUnknown;
  uint32_t width = 0, height = 0;  // as stored; orientation not applied
  int orientation = 1;             // EXIF 1–8
  bool alpha = false;
  int frames = 1;
  bool icc = false;
  bool c2pa = false;  // a C2PA manifest is present; not verified
  // What generators leave in PNG text ("parameters", "prompt") and in the EXIF comment of WebP and JPEG; at
  // most 4 KB; empty when there is none.
  std::string prompt;
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
// Up to 64 MB of buffers are kept for the next pictures; this gives them back to the system.
void TrimPixels();

// By magic bytes alone; kUnknown for anything else.
Format Sniff(std::string_view bytes);
std::string_view MediaType(Format format);  // "image/png"; "application/octet-stream" for kUnknown
Format FormatOfMediaType(std::string_view media_type);  // the inverse; kUnknown for any other
std::string_view Extension(Format format);              // "png", "jpg", …
std::string_view FormatName(Format format);             // "png", "jpeg", …
Format FormatByName(std::string_view name);  // "png", "jpeg", "jpg", "webp", …; kUnknown otherwise
bool IsVideo(Format format);

StatusOr<ImageInfo> Probe(std::string_view bytes, const DecodeLimits& limits = {});

struct DecodeOptions {
  DecodeLimits limits;
  // The picture will be reduced to about this; a decoder that can scale cheaply (JPEG DCT) may return any
  // size that still covers it. 0: full size.
  uint32_t target_width = 0, target_height = 0;
  bool apply_orientation = true;
  // By the ICC profile, a PNG without one by its gAMA and cHRM; where neither is of use, sRGB is assumed.
  bool to_srgb = true;
};
// PNG, JPEG, WebP, GIF; of an animation the first frame.
StatusOr<Pixels> Decode(std::string_view bytes, const DecodeOptions& options = {});

// The ICC profile of a PNG, JPEG or WebP whose colours reach clearly beyond sRGB; "" for any other picture.
std::string WideGamutProfile(std::string_view bytes);

struct Frame {
  Pixels pixels;  // the whole canvas as it is shown
  int64_t duration_ms = 0;
};
struct Animation {
  std::vector<Frame> frames;
  int loops = 0;  // how often all of them are shown; 0: forever
};
// All frames of a GIF or WebP, RGBA; one of anything else. Every frame counts against the limits before any
// is decoded.
StatusOr<Animation> DecodeFrames(std::string_view bytes, const DecodeOptions& options = {});

enum class Fit { kCover, kContain, kInside, kOutside, kFill };
std::string_view FitName(Fit fit);               // "cover", …
StatusOr<Fit> FitByName(std::string_view name);  // kInvalid lists them
enum class Filter { kCatmullRom, kLanczos3 };

struct ResizeOptions {
  uint32_t width = 0, height = 0;  // 0: keep the aspect ratio from the other
  Fit fit = Fit::kInside;
  bool enlarge = false;  // never larger than the source unless asked
  Filter filter = Filter::kCatmullRom;
  bool linear_light = false;  // filters light instead of sRGB's values: right for fine bright detail, slower
  double x = 0.5, y = 0.5;    // kCover keeps, kContain places: 0 left or top, 1 right or bottom
};
// The filter's support grows when reducing (antialiased); alpha is premultiplied for it.
StatusOr<Pixels> Resize(const Pixels& source, const ResizeOptions& options);
// One picture for each of `sizes`, in their order, from one source: a small one is made of the next larger
// one where that is at least twice as large each way and shows the same part of the source.
StatusOr<std::vector<Pixels>> ResizeAll(const Pixels& source, std::span<const ResizeOptions> sizes);

enum class Chroma { k420, k422, k444 };

struct EncodeOptions {
  Format format = Format::kWebp;
  int quality = 85;                // JPEG, WebP lossy: 1–100
  Chroma chroma = Chroma::k420;    // JPEG: how much of the colour's detail is kept
  bool progressive = false;        // JPEG: comes into sight as it loads; implies optimize
  bool optimize = false;           // JPEG: its own Huffman tables: some percent smaller, slower
  int method = 4;                  // WebP: 0–6
  bool lossless = false;           // WebP
  int png_level = 6;               // 1–12, libdeflate's scale
  uint32_t background = 0xFFFFFF;  // RGB under alpha where the format has none
  std::string_view icc = {};       // a profile to carry, when the pixels are not sRGB
};
StatusOr<BufferRef> Encode(const Pixels& pixels, const EncodeOptions& options);

// ThumbHash (evanw.github.io/thumbhash) of any picture: reduces to at most 100×100 itself. 5 to 25 bytes.
StatusOr<std::string> ThumbHash(const Pixels& pixels);
// What a hash looks like: RGBA of at most 32 pixels a side. kInvalid for bytes that are no hash.
StatusOr<Pixels> ThumbHashPixels(std::string_view hash);
// The average colour, straight alpha.
struct Colour {
  uint8_t red = 0, green = 0, blue = 0, alpha = 255;
};
StatusOr<Colour> ThumbHashAverage(std::string_view hash);
StatusOr<Colour> AverageColour(const Pixels& pixels);

}  // namespace mediagen
