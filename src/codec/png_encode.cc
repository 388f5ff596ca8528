// PNG written by hand: IHDR, one zlib stream by libdeflate in IDAT chunks, IEND. Each row takes the filter
// whose bytes look smallest (PNG third edition §12.7: the minimum sum of absolute differences).
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codec/formats.h"
#include "libdeflate.h"

namespace mediagen::codec {
namespace {

constexpr size_t kChunkBytes = 1u << 30;  // a chunk's length is 31 bits

void AppendBe32(uint32_t value, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

void AppendChunk(std::string_view type, std::string_view data, std::string* out) {
  AppendBe32(static_cast<uint32_t>(data.size()), out);
  const size_t begin = out->size();
  out->append(type).append(data);
  AppendBe32(libdeflate_crc32(0, out->data() + begin, out->size() - begin), out);
}

inline int Paeth(int left, int up, int corner) {
  const int by_left = std::abs(up - corner), by_up = std::abs(left - corner),
            by_corner = std::abs(left + up - 2 * corner);
  const int other = by_up <= by_corner ? up : corner;
  return by_left <= by_up && by_left <= by_corner ? left : other;
}

// One row under one filter (§9.2). `up` is the row above, zeros above the first; `bpp` is the bytes of a
// pixel.
void FilterRow(int filter, const uint8_t* row, const uint8_t* up, size_t size, size_t bpp, uint8_t* out) {
  const size_t head = std::min(bpp, size);
  switch (filter) {
    case 0:
      std::memcpy(out, row, size);
      break;
    case 1:
      std::memcpy(out, row, head);
      for (size_t i = bpp; i < size; ++i) out[i] = static_cast<uint8_t>(row[i] - row[i - bpp]);
      break;
    case 2:
      for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(row[i] - up[i]);
      break;
    case 3:
      for (size_t i = 0; i < head; ++i) out[i] = static_cast<uint8_t>(row[i] - up[i] / 2);
      for (size_t i = bpp; i < size; ++i) out[i] = static_cast<uint8_t>(row[i] - (row[i - bpp] + up[i]) / 2);
      break;
    default:
      for (size_t i = 0; i < head; ++i) out[i] = static_cast<uint8_t>(row[i] - up[i]);
      for (size_t i = bpp; i < size; ++i)
        out[i] = static_cast<uint8_t>(row[i] - Paeth(row[i - bpp], up[i], up[i - bpp]));
  }
}

uint64_t Weight(const uint8_t* bytes, size_t size) {
  uint64_t sum = 0;
  for (size_t i = 0; i < size; ++i) sum += static_cast<uint64_t>(std::abs(static_cast<int8_t>(bytes[i])));
  return sum;
}

// The filter bytes and filtered rows, as the zlib stream holds them.
std::vector<uint8_t> Filter(const Pixels& pixels) {
  const size_t stride = pixels.stride(), bpp = static_cast<size_t>(pixels.channels);
  std::vector<uint8_t> out((stride + 1) * pixels.height);
  std::vector<uint8_t> candidate(stride);
  const std::vector<uint8_t> zeros(stride);
  for (uint32_t y = 0; y < pixels.height; ++y) {
    const uint8_t* up = y == 0 ? zeros.data() : pixels.row(y - 1);
    uint8_t* best = out.data() + (stride + 1) * y;
    uint64_t least = UINT64_MAX;
    for (int filter = 0; filter < 5; ++filter) {
      FilterRow(filter, pixels.row(y), up, stride, bpp, candidate.data());
      const uint64_t weight = Weight(candidate.data(), stride);
      if (weight >= least) continue;
      least = weight;
      best[0] = static_cast<uint8_t>(filter);
      std::memcpy(best + 1, candidate.data(), stride);
    }
  }
  return out;
}

StatusOr<std::vector<uint8_t>> Deflate(const std::vector<uint8_t>& bytes, int level) {
  std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> deflater(
      libdeflate_alloc_compressor(level), libdeflate_free_compressor);
  if (!deflater) return Error(Code::kOverloaded, "there is no memory to compress a PNG");
  std::vector<uint8_t> out(libdeflate_zlib_compress_bound(deflater.get(), bytes.size()));
  const size_t size =
      libdeflate_zlib_compress(deflater.get(), bytes.data(), bytes.size(), out.data(), out.size());
  if (size == 0) return Error(Code::kInternal, "libdeflate did not keep to its own bound");
  out.resize(size);
  return out;
}

}  // namespace

StatusOr<BufferRef> EncodePng(const Pixels& pixels, const EncodeOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<uint8_t> zlib, Deflate(Filter(pixels), options.png_level));
  std::string out;
  out.reserve(zlib.size() + 64 + zlib.size() / kChunkBytes * 12);
  out.append("\x89PNG\r\n\x1A\n");
  std::string header;
  AppendBe32(pixels.width, &header);
  AppendBe32(pixels.height, &header);
  header.push_back(8);                             // bits a sample
  header.push_back(pixels.channels == 4 ? 6 : 2);  // truecolour, with or without alpha
  header.append(3, '\0');                          // deflate, the five filters, not interlaced
  AppendChunk("IHDR", header, &out);
  if (!options.icc.empty()) {
    ASSIGN_OR_RETURN(const std::vector<uint8_t> profile,
                     Deflate({options.icc.begin(), options.icc.end()}, options.png_level));
    std::string chunk("ICC\0\0", 5);  // its name, and that it is deflated (§11.3.2.3)
    chunk.append(profile.begin(), profile.end());
    AppendChunk("iCCP", chunk, &out);
  }
  const std::string_view data(reinterpret_cast<const char*>(zlib.data()), zlib.size());
  for (size_t at = 0; at < data.size(); at += kChunkBytes)
    AppendChunk("IDAT", data.substr(at, kChunkBytes), &out);
  AppendChunk("IEND", {}, &out);
  return BufferRef::Own(std::move(out));
}

}  // namespace mediagen::codec
