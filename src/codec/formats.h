// What stands behind image.h: one probe, decoder and encoder a format, and the checks that they share.
// Internal to codec/.
//
// Thread-safe: no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/image.h"

namespace mediagen::codec {

// The probes take bytes that were sniffed as theirs and read headers only: a picture cut off behind them
// still probes. Sizes are not judged here. kInvalid for headers that are cut off or broken.
StatusOr<ImageInfo> ProbePng(std::string_view bytes);
StatusOr<ImageInfo> ProbeJpeg(std::string_view bytes);
StatusOr<ImageInfo> ProbeWebp(std::string_view bytes);
StatusOr<ImageInfo> ProbeGif(std::string_view bytes);

// The decoders take what their probe said, after CheckSize. The orientation is not applied.
StatusOr<Pixels> DecodePng(std::string_view bytes, const ImageInfo& info);
// Reduced by 1, 2, 4 or 8 as far as both targets (of the stored, unturned picture; 0: none) stay covered.
struct JpegPixels {
  Pixels pixels;
  bool cmyk = false;  // four channels of ink, as Adobe writes them: 255 is none
};
StatusOr<JpegPixels> DecodeJpeg(std::string_view bytes, const ImageInfo& info, const DecodeLimits& limits,
                                uint32_t target_width, uint32_t target_height);
StatusOr<Pixels> DecodeWebp(std::string_view bytes, const ImageInfo& info);

// The encoders take pixels and options that Encode has checked.
StatusOr<BufferRef> EncodePng(const Pixels& pixels, const EncodeOptions& options);
StatusOr<BufferRef> EncodeJpeg(const Pixels& pixels, const EncodeOptions& options);
StatusOr<BufferRef> EncodeWebp(const Pixels& pixels, const EncodeOptions& options);

// kTooLarge when the encoded picture has more than `limits.max_bytes`.
Status CheckBytes(std::string_view bytes, const DecodeLimits& limits);
// kInvalid for a side of 0; kTooLarge for more than `limits.max_pixels`, or a side past a million.
Status CheckSize(const ImageInfo& info, const DecodeLimits& limits);
// kInvalid unless the pixels are there: sides of at least 1, 3 or 4 channels, data.
Status CheckPixels(const Pixels& pixels);

// "PNG": how errors name the format.
std::string_view DisplayName(Format format);
// kInvalid "PNG is truncated at byte 33: …" and "PNG is broken: …".
Status Truncated(Format format, uint64_t at, std::string_view what);
Status Broken(Format format, std::string_view why);

// The orientation tag (0x0112) of a TIFF block with or without "Exif\0\0" before it; 1 when absent or out of
// 1–8.
int ExifOrientation(std::string_view exif);

// The prompt in a TIFF block: the user comment, else a camera's model that says "prompt:"; UTF-8, at most
// kPromptBytes, "" when there is none.
std::string ExifPrompt(std::string_view exif);
constexpr size_t kPromptBytes = 4096;
// `text` as UTF-8 (what is none is taken for Latin-1), no longer than that.
std::string PromptText(std::string_view text);

// The scans of a JPEG, counting stops past `most`.
int CountJpegScans(std::string_view bytes, int most);

// The picture as EXIF orientation 2–8 wants it seen; the same pixels for 1.
StatusOr<Pixels> Orient(Pixels pixels, int orientation);

}  // namespace mediagen::codec
