#include "codec/png_writer.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/id.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

// The samples of every `across`-th pixel of every `down`-th row, packed, without filters.
std::vector<std::string> PackedRows(const PngPicture& picture, uint32_t left, uint32_t top, uint32_t across,
                                    uint32_t down) {
  std::vector<std::string> rows;
  const auto channels = static_cast<uint32_t>(picture.channels());
  for (uint32_t y = top; y < picture.height && left < picture.width; y += down) {
    std::string row;
    int bits = 8;  // used of the last byte
    for (uint32_t x = left; x < picture.width; x += across) {
      for (uint32_t c = 0; c < channels; ++c) {
        const uint16_t sample = picture.samples[(size_t{y} * picture.width + x) * channels + c];
        if (picture.depth == 16) row.push_back(static_cast<char>(sample >> 8));
        if (bits == 8) row.push_back('\0'), bits = 0;
        const int width = std::min(picture.depth, 8);
        row.back() = static_cast<char>(row.back() | (sample & 0xFF) << (8 - width - bits));
        bits += width;
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

uint8_t Paeth(int left, int up, int corner) {
  const int sum = left + up - corner;
  const int by_left = std::abs(sum - left), by_up = std::abs(sum - up), by_corner = std::abs(sum - corner);
  if (by_left <= by_up && by_left <= by_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(by_up <= by_corner ? up : corner);
}

// The rows of one pass under a filter (§9.2); the row above the first one is zeros.
std::string Filtered(const std::vector<std::string>& rows, size_t pixel_bytes, int filter) {
  std::string out;
  for (size_t y = 0; y < rows.size(); ++y) {
    const int used = filter == 5 ? static_cast<int>(y % 5) : filter;
    out.push_back(static_cast<char>(used));
    const auto at = [&](size_t row, size_t i) -> int {  // counted from 1: 0 is what lies outside
      return row == 0 || i < pixel_bytes ? 0 : static_cast<uint8_t>(rows[row - 1][i - pixel_bytes]);
    };
    for (size_t i = 0; i < rows[y].size(); ++i) {
      const int left = at(y + 1, i), up = at(y, i + pixel_bytes), corner = at(y, i);
      const int predicted[5] = {0, left, up, (left + up) / 2, Paeth(left, up, corner)};
      out.push_back(static_cast<char>(rows[y][i] - predicted[used]));
    }
  }
  return out;
}

std::string AllRows(const PngPicture& picture, int filter) {
  // Adam7 (§8.1).
  constexpr uint32_t kPasses[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                      {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  const size_t bytes = static_cast<size_t>(std::max(1, picture.channels() * picture.depth / 8));
  if (!picture.interlaced) return Filtered(PackedRows(picture, 0, 0, 1, 1), bytes, filter);
  std::string out;
  for (const auto& pass : kPasses)
    out += Filtered(PackedRows(picture, pass[0], pass[1], pass[2], pass[3]), bytes, filter);
  return out;
}

std::string Deflated(const std::string& bytes, int level) {
  libdeflate_compressor* deflater = libdeflate_alloc_compressor(level);
  std::string out(libdeflate_zlib_compress_bound(deflater, bytes.size()), '\0');
  out.resize(libdeflate_zlib_compress(deflater, bytes.data(), bytes.size(), out.data(), out.size()));
  libdeflate_free_compressor(deflater);
  return out;
}

int Byte(const std::string& text, size_t at) { return static_cast<uint8_t>(text[at]); }

// A sample of `depth` bits as one of 8, to the nearest.
int Scaled(int sample, int depth) {
  const int most = (1 << depth) - 1;
  return (sample * 255 + most / 2) / most;
}

std::array<int, 4> ColourOf(const PngPicture& picture, const uint16_t* samples) {
  if (picture.colour_type == 3) {
    const size_t index = samples[0];
    const int alpha = index < picture.transparency.size() ? Byte(picture.transparency, index) : 255;
    if (3 * index >= picture.palette.size()) return {0, 0, 0, alpha};
    return {Byte(picture.palette, 3 * index), Byte(picture.palette, 3 * index + 1),
            Byte(picture.palette, 3 * index + 2), alpha};
  }
  const int colours = picture.channels() - (picture.colour_type >= 4 ? 1 : 0);
  bool bare = !picture.transparency.empty();
  std::array<int, 4> out = {0, 0, 0, 255};
  for (int c = 0; c < colours; ++c) {
    const size_t at = 2 * static_cast<size_t>(c);
    out[static_cast<size_t>(c)] = Scaled(samples[c], picture.depth);
    if (bare) bare = (Byte(picture.transparency, at) << 8 | Byte(picture.transparency, at + 1)) == samples[c];
  }
  if (colours == 1) out[1] = out[2] = out[0];
  if (picture.colour_type >= 4) out[3] = Scaled(samples[colours], picture.depth);
  if (bare) out[3] = 0;
  return out;
}

}  // namespace

PngPicture PngOf(int colour_type, int depth, uint32_t width, uint32_t height, bool transparent,
                 uint64_t seed) {
  PngPicture picture = {.colour_type = colour_type, .depth = depth, .width = width, .height = height};
  const auto random = SeededRandom(seed);
  const auto channels = static_cast<size_t>(picture.channels());
  picture.samples.resize(size_t{width} * height * channels);
  for (uint16_t& sample : picture.samples) sample = static_cast<uint16_t>(random->Below(1u << depth));
  if (colour_type == 3) {
    picture.palette.resize(size_t{3} << depth);
    random->Fill(picture.palette.data(), picture.palette.size());
    if (transparent) picture.transparency.resize(size_t{1} << (depth - 1));
    random->Fill(picture.transparency.data(), picture.transparency.size());
  } else if (transparent) {  // every third pixel has the colour of the first one
    for (size_t i = 0; i + channels <= picture.samples.size(); i += 3 * channels)
      std::copy_n(picture.samples.begin(), channels, picture.samples.begin() + static_cast<ptrdiff_t>(i));
    for (size_t c = 0; c < channels; ++c) picture.transparency += Be32(picture.samples[c]).substr(2);
  }
  return picture;
}

std::string WritePng(const PngPicture& picture, const PngStyle& style) {
  std::string out = PngHeader(picture.width, picture.height, picture.depth, picture.colour_type,
                              picture.interlaced ? 1 : 0);
  out += style.before_palette;
  if (!picture.palette.empty()) out += PngChunk("PLTE", picture.palette);
  if (!picture.transparency.empty()) out += PngChunk("tRNS", picture.transparency);
  out += style.before_data;
  const std::string zlib = Deflated(AllRows(picture, style.filter), style.level);
  for (size_t at = 0; at < zlib.size(); at += std::min(style.data_bytes, zlib.size()))
    out += PngChunk("IDAT", zlib.substr(at, style.data_bytes));
  return out + style.behind_data + PngChunk("IEND", "");
}

Pixels Shown(const PngPicture& picture) {
  const bool alpha = picture.colour_type >= 4 || !picture.transparency.empty();
  Pixels out = NewPixels(picture.width, picture.height, alpha ? 4 : 3).value();
  const auto from = static_cast<size_t>(picture.channels()), to = static_cast<size_t>(out.channels);
  for (size_t i = 0; i < size_t{picture.width} * picture.height; ++i) {
    const auto colour = ColourOf(picture, picture.samples.data() + i * from);
    for (size_t c = 0; c < to; ++c) out.data[i * to + c] = static_cast<uint8_t>(colour[c]);
  }
  return out;
}

}  // namespace mediagen
