// Pictures for tests, and pieces of picture files.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "codec/image.h"

namespace mediagen {

// Smooth in all channels, no two corners alike; alpha runs from 0 to 255.
Pixels Gradient(uint32_t width, uint32_t height, int channels);
// Bytes by seed.
Pixels Noise(uint32_t width, uint32_t height, int channels, uint64_t seed);
Pixels Flat(uint32_t width, uint32_t height, std::array<uint8_t, 4> colour, int channels);

bool Same(const Pixels& a, const Pixels& b);
// The largest difference of two bytes; 256 for different shapes.
int Distance(const Pixels& a, const Pixels& b);
// The colour at a place, 255 for a missing alpha.
std::array<int, 4> At(const Pixels& pixels, uint32_t x, uint32_t y);

// The picture; the error is thrown, which ends the test with its words.
Pixels MustDecode(const std::string& bytes, const DecodeOptions& options = {});
std::string Encoded(const Pixels& pixels, Format format);  // PNG and WebP lossless, JPEG at quality 90

std::string Be32(uint32_t value);
std::string Le32(uint32_t value);
// A PNG chunk with its CRC, and a PNG of header fields and chunks.
std::string PngChunk(std::string_view type, std::string_view data);
std::string PngHeader(uint32_t width, uint32_t height, int depth, int colour_type, int interlace = 0);
std::string Zlib(std::string_view bytes);
// `png` with a chunk put behind its IHDR or before its IEND.
std::string WithPngChunk(const std::string& png, std::string_view type, std::string_view data,
                         bool at_end = false);
// `jpeg` with a segment put behind its SOI.
std::string WithJpegSegment(const std::string& jpeg, uint8_t marker, std::string_view data);
std::string RiffChunk(std::string_view type, std::string_view data);
std::string WebpOf(std::string_view chunks);  // the container around chunks
std::string Vp8x(uint8_t flags, uint32_t width, uint32_t height);
// A TIFF block with one orientation tag.
std::string Exif(int orientation, bool little_endian);

}  // namespace mediagen
