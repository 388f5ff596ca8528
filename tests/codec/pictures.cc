#include "codec/pictures.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/id.h"

namespace mediagen {

Pixels Gradient(uint32_t width, uint32_t height, int channels) {
  Pixels pixels = NewPixels(width, height, channels).value();
  const auto part = [](uint32_t i, uint32_t n) { return n == 1 ? 0u : i * 255 / (n - 1); };
  for (uint32_t y = 0; y < height; ++y) {
    uint8_t* p = pixels.row(y);
    for (uint32_t x = 0; x < width; ++x, p += channels) {
      const uint32_t across = part(x, width), down = part(y, height);
      const uint32_t colour[4] = {across, down, (across + 255 - down) / 2, (across + down) / 2};
      for (int c = 0; c < channels; ++c) p[c] = static_cast<uint8_t>(colour[c]);
    }
  }
  return pixels;
}

Pixels Noise(uint32_t width, uint32_t height, int channels, uint64_t seed) {
  Pixels pixels = NewPixels(width, height, channels).value();
  SeededRandom(seed)->Fill(pixels.data.get(), pixels.bytes());
  return pixels;
}

Pixels Flat(uint32_t width, uint32_t height, std::array<uint8_t, 4> colour, int channels) {
  Pixels pixels = NewPixels(width, height, channels).value();
  for (size_t i = 0; i < pixels.bytes(); ++i) pixels.data[i] = colour[i % static_cast<size_t>(channels)];
  return pixels;
}

bool Same(const Pixels& a, const Pixels& b) { return Distance(a, b) == 0; }

int Distance(const Pixels& a, const Pixels& b) {
  if (a.width != b.width || a.height != b.height || a.channels != b.channels) return 256;
  int most = 0;
  for (size_t i = 0; i < a.bytes(); ++i) most = std::max(most, std::abs(a.data[i] - b.data[i]));
  return most;
}

std::array<int, 4> At(const Pixels& pixels, uint32_t x, uint32_t y) {
  const uint8_t* p = pixels.row(y) + size_t{x} * static_cast<size_t>(pixels.channels);
  return {p[0], p[1], p[2], pixels.channels == 4 ? p[3] : 255};
}

Pixels MustDecode(const std::string& bytes, const DecodeOptions& options) {
  return Decode(bytes, options).value();
}

std::string Encoded(const Pixels& pixels, Format format) {
  const auto bytes = Encode(pixels, {.format = format, .quality = 90, .lossless = true});
  return std::string(bytes.value().view());
}

std::string Be32(uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
  return out;
}

std::string Le32(uint32_t value) {
  std::string out = Be32(value);
  std::reverse(out.begin(), out.end());
  return out;
}

std::string PngChunk(std::string_view type, std::string_view data) {
  const std::string body = std::string(type) + std::string(data);
  return Be32(static_cast<uint32_t>(data.size())) + body +
         Be32(libdeflate_crc32(0, body.data(), body.size()));
}

std::string PngHeader(uint32_t width, uint32_t height, int depth, int colour_type, int interlace) {
  std::string data = Be32(width) + Be32(height);
  for (int value : {depth, colour_type, 0, 0, interlace}) data.push_back(static_cast<char>(value));
  return "\x89PNG\r\n\x1A\n" + PngChunk("IHDR", data);
}

std::string Zlib(std::string_view bytes) {
  libdeflate_compressor* deflater = libdeflate_alloc_compressor(6);
  std::string out(libdeflate_zlib_compress_bound(deflater, bytes.size()), '\0');
  out.resize(libdeflate_zlib_compress(deflater, bytes.data(), bytes.size(), out.data(), out.size()));
  libdeflate_free_compressor(deflater);
  return out;
}

std::string WithPngChunk(const std::string& png, std::string_view type, std::string_view data, bool at_end) {
  constexpr size_t kBehindHeader = 8 + 25, kEnd = 12;
  std::string out = png;
  return out.insert(at_end ? png.size() - kEnd : kBehindHeader, PngChunk(type, data));
}

std::string WithJpegSegment(const std::string& jpeg, uint8_t marker, std::string_view data) {
  const size_t size = data.size() + 2;
  std::string segment = {'\xFF', static_cast<char>(marker), static_cast<char>(size >> 8),
                         static_cast<char>(size)};
  std::string out = jpeg;
  return out.insert(2, segment.append(data));
}

std::string RiffChunk(std::string_view type, std::string_view data) {
  std::string out = std::string(type) + Le32(static_cast<uint32_t>(data.size())) + std::string(data);
  if (data.size() % 2 != 0) out.push_back('\0');
  return out;
}

std::string WebpOf(std::string_view chunks) {
  return "RIFF" + Le32(static_cast<uint32_t>(chunks.size() + 4)) + "WEBP" + std::string(chunks);
}

std::string Vp8x(uint8_t flags, uint32_t width, uint32_t height) {
  std::string data = {static_cast<char>(flags), 0, 0, 0};
  return RiffChunk("VP8X", data + Le32(width - 1).substr(0, 3) + Le32(height - 1).substr(0, 3));
}

std::string Exif(int orientation, bool little_endian) {
  const char value = static_cast<char>(orientation);
  using namespace std::string_literals;
  if (little_endian) return "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + value + "\0\0\0\0\0\0\0"s;
  return "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + value + "\0\0\0\0\0\0"s;
}

}  // namespace mediagen
