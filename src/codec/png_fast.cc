// PNG by libdeflate: walk the chunks, inflate, undo the row filters, look up colours where pixels are not RGB
// or RGBA as they stand. One buffer serves the inflated rows and the pixels.
#include "codec/png_fast.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "codec/bytes.h"
#include "codec/png_unfilter.h"

namespace mediagen::codec {
namespace {

using Bytes = std::unique_ptr<uint8_t[]>;

enum ColourType : uint32_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

constexpr size_t kSignature = 8, kFrame = 12;  // a chunk: length, type, data, CRC
constexpr size_t kBehindHeader = kSignature + kFrame + 13;
constexpr uint64_t kMostExpansion = 1032;  // of deflate: 258 bytes out of two bits
constexpr uint64_t kMostInflated = uint64_t{1} << 31;
constexpr uint32_t kLargestWindow = 32768;

// What the chunks say.
struct Stream {
  uint32_t width = 0, height = 0, depth = 0, colour_type = 0;
  std::string_view palette, transparency;                  // PLTE and tRNS
  size_t first_data = 0, data_chunks = 0, data_bytes = 0;  // the IDATs, which follow each other

  uint32_t samples() const {
    return colour_type == kRgb ? 3 : colour_type == kRgba ? 4 : colour_type == kGreyAlpha ? 2 : 1;
  }
  size_t pixel_bytes() const { return samples(); }  // at least 1, as the filters count
  uint64_t row_bytes() const { return (uint64_t{width} * depth * samples() + 7) / 8; }
  int channels() const {
    return colour_type == kRgba || colour_type == kGreyAlpha || !transparency.empty() ? 4 : 3;
  }
  bool ready_made() const { return samples() == static_cast<uint32_t>(channels()); }  // RGB or RGBA
};

bool ReadHeader(std::string_view bytes, const ImageInfo& info, Stream* stream) {
  if (bytes.size() < kBehindHeader || bytes.substr(0, kSignature) != "\x89PNG\r\n\x1A\n") return false;
  if (bytes.substr(kSignature, 8) != std::string_view("\0\0\0\x0DIHDR", 8)) return false;
  const uint32_t depth = U8(bytes, 24), colour_type = U8(bytes, 25);
  const bool any_depth = colour_type == kGrey || colour_type == kPalette;
  if (depth != 8 && !(any_depth && (depth == 1 || depth == 2 || depth == 4))) return false;
  if (!any_depth && colour_type != kRgb && colour_type != kGreyAlpha && colour_type != kRgba) return false;
  const bool plain = U8(bytes, 26) == 0 && U8(bytes, 27) == 0 && U8(bytes, 28) == 0;  // not interlaced
  stream->width = Be32(bytes, 16);
  stream->height = Be32(bytes, 20);
  stream->depth = depth;
  stream->colour_type = colour_type;
  return plain && stream->width == info.width && stream->height == info.height && info.width > 0 &&
         info.height > 0;
}

// `size`: of the chunk's data, which the caller knows to be there.
bool ChecksumHolds(std::string_view bytes, size_t at, size_t size) {
  return libdeflate_crc32(0, bytes.data() + at + 4, size + 4) == Be32(bytes, at + 8 + size);
}

bool IsAncillary(std::string_view type) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return std::all_of(type.begin(), type.end(), letter) && type[0] >= 'a';
}

// Whether a PLTE or tRNS stands where it should, once, with a size that suits the colour type.
bool TakeColours(std::string_view type, std::string_view data, Stream* stream) {
  if (stream->data_chunks > 0 || data.empty()) return false;
  if (type == "PLTE") {
    if (stream->colour_type != kPalette || !stream->palette.empty() || data.size() % 3 != 0) return false;
    stream->palette = data;
    return data.size() / 3 <= size_t{1} << stream->depth;
  }
  if (!stream->transparency.empty()) return false;
  stream->transparency = data;
  if (stream->colour_type == kGrey) return data.size() == 2;
  if (stream->colour_type == kRgb) return data.size() == 6;
  return stream->colour_type == kPalette && data.size() <= stream->palette.size() / 3;
}

bool IsComplete(const Stream& stream) {
  return stream.data_chunks > 0 && (stream.colour_type != kPalette || !stream.palette.empty());
}

// Walks every chunk to IEND. Of those that may be left out only tRNS is read, and as in libpng the checksums
// of the others do not matter.
bool ReadChunks(std::string_view bytes, Stream* stream) {
  if (!ChecksumHolds(bytes, kSignature, 13)) return false;
  bool data_ended = false;
  for (size_t at = kBehindHeader; bytes.size() - at >= kFrame;) {
    const size_t size = Be32(bytes, at);
    if (size > bytes.size() - at - kFrame || size > INT32_MAX) return false;
    const std::string_view type = bytes.substr(at + 4, 4);
    const bool colours = type == "PLTE" || type == "tRNS", data = type == "IDAT", end = type == "IEND";
    if (!colours && !data && !end) {
      if (!IsAncillary(type)) return false;
    } else if (!ChecksumHolds(bytes, at, size)) {
      return false;
    }
    if (end) return size == 0 && IsComplete(*stream);
    if (colours && !TakeColours(type, bytes.substr(at + 8, size), stream)) return false;
    if (data) {
      if (data_ended) return false;
      if (stream->data_chunks++ == 0) stream->first_data = at;
      stream->data_bytes += size;
    } else {
      data_ended = stream->data_chunks > 0;
    }
    at += kFrame + size;
  }
  return false;
}

// The zlib stream: the input itself where one chunk holds it, else `joined`, which has room for all.
std::string_view ZlibStream(std::string_view bytes, const Stream& stream, uint8_t* joined) {
  if (stream.data_chunks == 1) return bytes.substr(stream.first_data + 8, stream.data_bytes);
  size_t at = stream.first_data, filled = 0;
  for (size_t i = 0; i < stream.data_chunks; ++i) {
    const size_t size = Be32(bytes, at);
    std::memcpy(joined + filled, bytes.data() + at + 8, size);
    filled += size;
    at += kFrame + size;
  }
  return {reinterpret_cast<const char*>(joined), filled};
}

// Whether the stream holds what the header promises, checksum included. A window below the picture's size
// goes to libpng: zlib holds distances against it, libdeflate does not.
bool Inflate(std::string_view zlib, uint8_t* out, size_t size) {
  const uint32_t window = 256u << (U8(zlib, 0) >> 4);
  if (window < kLargestWindow && window < size) return false;
  std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  return inflater && libdeflate_zlib_decompress(inflater.get(), zlib.data(), zlib.size(), out, size,
                                                nullptr) == LIBDEFLATE_SUCCESS;
}

// The colours that the samples of a row stand for; a palette's missing ones are black, as in libpng.
using Colours = std::array<std::array<uint8_t, 4>, 256>;

Colours ReadColours(const Stream& stream) {
  Colours colours;
  colours.fill({0, 0, 0, 255});
  const std::string_view palette = stream.palette, transparency = stream.transparency;
  if (stream.colour_type == kPalette) {
    for (size_t i = 0; i < palette.size() / 3; ++i) std::memcpy(colours[i].data(), &palette[i * 3], 3);
    for (size_t i = 0; i < transparency.size(); ++i) colours[i][3] = static_cast<uint8_t>(transparency[i]);
    return colours;
  }
  const uint32_t most = (1u << stream.depth) - 1;
  for (uint32_t i = 0; i <= most; ++i) {
    const uint8_t grey = static_cast<uint8_t>(i * 255 / most);
    colours[i] = {grey, grey, grey, 255};
  }
  if (!transparency.empty()) colours[Be16(transparency, 0) & most][3] = 0;
  return colours;
}

template <size_t kChannels>
void LookUp(const uint8_t* line, const Stream& stream, const Colours& colours, uint8_t* out) {
  const uint32_t depth = stream.depth, mask = (1u << depth) - 1;
  size_t bit = 0;  // within a byte the first sample is the highest
  for (uint32_t x = 0; x < stream.width; ++x, bit += depth, out += kChannels) {
    const uint32_t index = line[bit / 8] >> (8 - depth - bit % 8) & mask;
    std::memcpy(out, colours[index].data(), kChannels);
  }
}

void ExpandRow(const uint8_t* line, const Stream& stream, const Colours& colours, uint8_t* out) {
  if (stream.colour_type == kGreyAlpha) {
    for (uint32_t x = 0; x < stream.width; ++x, line += 2, out += 4) {
      out[0] = out[1] = out[2] = line[0];
      out[3] = line[1];
    }
  } else if (stream.colour_type == kRgb) {
    const uint8_t* bare = AsBytes(stream.transparency);  // three samples of 16 bits
    for (uint32_t x = 0; x < stream.width; ++x, line += 3, out += 4) {
      std::memcpy(out, line, 3);
      out[3] = line[0] == bare[1] && line[1] == bare[3] && line[2] == bare[5] ? 0 : 255;
    }
  } else if (stream.channels() == 3) {
    LookUp<3>(line, stream, colours, out);
  } else {
    LookUp<4>(line, stream, colours, out);
  }
}

// Where the inflated rows lie in the buffer of the pixels: so far back that what is written never meets what
// is still to be read. Rows that are ready-made are finished up to two at a time, straight into their place;
// others are expanded from a line of their own, and with each the pixels gain on the rows, to meet at the
// end.
uint64_t InflatedAt(const Stream& stream) {
  const uint64_t row = stream.row_bytes(), height = stream.height;
  if (stream.ready_made()) return row * std::min<uint64_t>(height, 2);
  return (uint64_t{stream.width} * static_cast<uint64_t>(stream.channels()) - row - 1) * height;
}

// Pixels with room for the inflated rows. Nothing when they are too many or there is no memory.
std::optional<Pixels> NewBuffer(const Stream& stream) {
  const uint64_t stride = uint64_t{stream.width} * static_cast<uint64_t>(stream.channels());
  const uint64_t bytes = InflatedAt(stream) + (stream.row_bytes() + 1) * stream.height + kUnfilterPadding;
  const uint64_t rows = (bytes + stride - 1) / stride;
  if (rows > UINT32_MAX) return std::nullopt;
  auto pixels = NewPixels(stream.width, static_cast<uint32_t>(rows), stream.channels());
  if (!pixels.ok()) return std::nullopt;
  pixels->height = stream.height;
  return std::move(*pixels);
}

// Turns the inflated rows into the pixels before them. False for a filter that does not exist, or no memory.
bool FinishRows(const Stream& stream, const uint8_t* inflated, Pixels* pixels) {
  const size_t size = stream.row_bytes(), bpp = stream.pixel_bytes(), pitch = size + kUnfilterPadding;
  const bool ready_made = stream.ready_made();
  // The line of zeros above the first row; or three lines by turns, of which that is the last.
  const Bytes lines(new (std::nothrow) uint8_t[pitch * (ready_made ? 1 : 3)]());
  if (!lines) return false;
  const Colours colours = ready_made ? Colours() : ReadColours(stream);
  const auto line = [&](uint32_t y) { return ready_made ? pixels->row(y) : lines.get() + y % 3 * pitch; };
  const uint8_t* up = ready_made ? lines.get() : lines.get() + 2 * pitch;
  for (uint32_t y = 0; y < stream.height;) {
    const uint8_t *in = inflated + (size + 1) * y, *below = in + size + 1;
    if (in[0] > kLastFilter) return false;
    const bool two = (in[0] == kAverageFilter || in[0] == kPaethFilter) && y + 1 < stream.height &&
                     below[0] == in[0] && size >= 2 * bpp;
    if (two) {
      UnfilterTwoRows(in[0], bpp, in + 1, below + 1, up, size, line(y), line(y + 1));
    } else {
      UnfilterRow(in[0], bpp, in + 1, up, size, line(y));
    }
    for (const uint32_t end = y + (two ? 2 : 1); y < end; ++y) {
      up = line(y);
      if (!ready_made) ExpandRow(up, stream, colours, pixels->row(y));
    }
  }
  return true;
}

}  // namespace

std::optional<Pixels> DecodePngFast(std::string_view bytes, const ImageInfo& info) {
  Stream stream;
  if (!ReadHeader(bytes, info, &stream) || !ReadChunks(bytes, &stream)) return std::nullopt;
  if (stream.row_bytes() + 1 > kMostInflated / stream.height) return std::nullopt;
  const size_t size = (stream.row_bytes() + 1) * stream.height;
  if (size > kMostExpansion * stream.data_bytes) return std::nullopt;
  Bytes joined;
  if (stream.data_chunks > 1) {
    joined.reset(new (std::nothrow) uint8_t[stream.data_bytes]);
    if (!joined) return std::nullopt;
  }
  std::optional<Pixels> pixels = NewBuffer(stream);
  if (!pixels) return std::nullopt;
  uint8_t* inflated = pixels->data.get() + InflatedAt(stream);
  if (!Inflate(ZlibStream(bytes, stream, joined.get()), inflated, size)) return std::nullopt;
  joined.reset();
  if (!FinishRows(stream, inflated, &*pixels)) return std::nullopt;
  return pixels;
}

}  // namespace mediagen::codec
