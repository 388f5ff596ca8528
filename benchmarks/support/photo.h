// The pictures that the benchmarks work on, and their way into and out of files by the bare libraries.
//
// No photograph is kept for them: a picture is computed, with what a photograph has and codecs differ by:
// gradients, texture at every scale, sharp edges at every angle, and a sensor's noise. The same size and seed
// always give the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mediagen::bench {

// RGB rows without gaps, top row first.
struct Photo {
  uint32_t width = 0, height = 0;
  std::vector<uint8_t> rgb;

  size_t stride() const { return size_t{width} * 3; }
};

Photo MakePhoto(uint32_t width, uint32_t height, uint32_t seed);

// Files of it as other programs write them: libpng with its default filters and zlib's default level; libjpeg
// with 4:2:0 and its standard Huffman tables.
std::string PngOf(const Photo& photo);
std::string JpegOf(const Photo& photo, int quality);

// The pixels of a PNG, JPEG or WebP, read by libpng, libjpeg or libwebp: the judge of everybody's results is
// none of the judged. What cannot be read ends the program.
Photo ReadPhoto(const std::string& bytes);

// For JPEG and WebP whether the colour has half the resolution each way. Ends the program for other bytes.
bool IsHalfColour(const std::string& bytes);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& bytes);

}  // namespace mediagen::bench
