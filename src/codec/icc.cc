// Where ICC profiles stand: PNG's iCCP (PNG third edition §11.3.2.3), JPEG's APP2 segments (ICC.1:2022 annex
// B.4), WebP's ICCP (RFC 9649 §2.7.1.4).
#include "codec/icc.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <memory>

#include "codec/bytes.h"

namespace mediagen::codec {
namespace {

using namespace std::string_view_literals;

constexpr size_t kFirstBuffer = 16 << 10;  // the usual RGB profiles have 0.5 to 4 KB

// The format does not say how long the data will be, so the buffer grows fourfold until it fits: what is
// inflated in vain stays below a third of the result. "" for a broken stream or more than `max_bytes`.
std::string Inflate(std::string_view zlib, size_t max_bytes) {
  std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!inflater) return "";
  for (size_t room = std::min(kFirstBuffer, max_bytes);; room = std::min(4 * room, max_bytes)) {
    std::string out(room, '\0');
    size_t size = 0;
    const libdeflate_result result =
        libdeflate_zlib_decompress(inflater.get(), zlib.data(), zlib.size(), out.data(), room, &size);
    if (result == LIBDEFLATE_SUCCESS) {
      out.resize(size);
      return out;
    }
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE || room == max_bytes) return "";
  }
}

// A name of 1 to 79 bytes, a zero, the compression method (0: zlib), the stream.
std::string FromPngChunk(std::string_view data, size_t max_bytes) {
  const size_t end = data.substr(0, 80).find('\0');
  if (end == data.npos || end == 0 || end + 2 > data.size() || data[end + 1] != 0) return "";
  return Inflate(data.substr(end + 2), max_bytes);
}

std::string FromPng(std::string_view bytes, size_t max_bytes) {
  constexpr size_t kSignature = 8, kFrame = 12;  // a chunk: length, type, data, CRC
  // Every chunk is at least kFrame bytes, so the walk ends. The profile stands before the picture data.
  for (size_t at = kSignature; at + kFrame <= bytes.size();) {
    const uint64_t size = Be32(bytes, at);
    const std::string_view type = bytes.substr(at + 4, 4);
    if (type == "IDAT" || type == "IEND" || size > bytes.size() - at - kFrame) break;
    if (type == "iCCP") return FromPngChunk(bytes.substr(at + 8, size), max_bytes);
    at += kFrame + size;
  }
  return "";
}

// A profile in pieces of at most 64 KB, each with its number, from 1, and their count.
class JpegPieces {
 public:
  // False for a piece that contradicts those before.
  bool Add(std::string_view data) {
    const uint32_t number = U8(data, 0), count = U8(data, 1);
    if (number == 0 || number > count || (count_ != 0 && count != count_)) return false;
    std::string_view& piece = pieces_[number];
    if (piece.data() != nullptr) return false;
    piece = data.substr(2);
    size_ += piece.size();
    ++seen_;
    count_ = count;
    return true;
  }

  std::string Joined(size_t max_bytes) const {
    if (seen_ != count_ || size_ > max_bytes) return "";
    std::string profile;
    profile.reserve(size_);
    for (uint32_t number = 1; number <= count_; ++number) profile.append(pieces_[number]);
    return profile;
  }

 private:
  std::array<std::string_view, 256> pieces_{};  // by number; null data: not seen
  uint32_t count_ = 0, seen_ = 0;
  size_t size_ = 0;
};

std::string FromJpeg(std::string_view bytes, size_t max_bytes) {
  constexpr uint32_t kSos = 0xDA, kEoi = 0xD9, kApp2 = 0xE2;
  constexpr std::string_view kName = "ICC_PROFILE\0"sv;
  JpegPieces pieces;
  for (size_t at = 2; at + 4 <= bytes.size() && U8(bytes, at) == 0xFF;) {
    const uint32_t marker = U8(bytes, at + 1);
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // these stand alone
      at += 2;
      continue;
    }
    if (marker == kSos || marker == kEoi) break;
    const size_t size = Be16(bytes, at + 2);
    if (size < 2 || at + 2 + size > bytes.size()) break;
    const std::string_view data = bytes.substr(at + 4, size - 2);
    const bool piece = marker == kApp2 && data.starts_with(kName) && data.size() >= kName.size() + 2;
    if (piece && !pieces.Add(data.substr(kName.size()))) return "";
    at += 2 + size;
  }
  return pieces.Joined(max_bytes);
}

std::string FromWebp(std::string_view bytes, size_t max_bytes) {
  constexpr size_t kFirst = 12, kHead = 8;
  for (size_t at = kFirst; at + kHead <= bytes.size();) {
    const uint64_t size = Le32(bytes, at + 4);
    if (size > bytes.size() - at - kHead) break;
    if (bytes.substr(at, 4) == "ICCP") {
      return size <= max_bytes ? std::string(bytes.substr(at + kHead, size)) : "";
    }
    at += kHead + size + (size & 1);  // chunks are padded to an even size
  }
  return "";
}

}  // namespace

std::string IccProfile(std::string_view bytes, Format format, size_t max_bytes) {
  if (format == Format::kPng) return FromPng(bytes, max_bytes);
  if (format == Format::kJpeg) return FromJpeg(bytes, max_bytes);
  if (format == Format::kWebp) return FromWebp(bytes, max_bytes);
  return "";
}

}  // namespace mediagen::codec
