// WebP's RIFF chunks (RFC 9649 §2): the canvas, alpha, frames, ICC, EXIF orientation, C2PA.
#include <algorithm>

#include "codec/bytes.h"
#include "codec/formats.h"

namespace mediagen::codec {
namespace {

void ReadExtended(std::string_view data, ImageInfo* info) {  // §2.7.1
  info->alpha = (U8(data, 0) & 0x10) != 0;
  info->width = Le24(data, 4) + 1;
  info->height = Le24(data, 7) + 1;
}

// A lossy key frame: 3 bytes of tag, the start code, 14 bits a side (RFC 6386 §9.1).
bool ReadLossy(std::string_view data, ImageInfo* info) {
  if (data.size() < 10 || data.substr(3, 3) != "\x9D\x01\x2A") return false;
  info->width = Le16(data, 6) & 0x3FFF;
  info->height = Le16(data, 8) & 0x3FFF;
  return true;
}

// Lossless: a signature byte, 14 bits a side, whether alpha is used (RFC 9649 §3.4).
bool ReadLossless(std::string_view data, ImageInfo* info) {
  if (data.size() < 5 || U8(data, 0) != 0x2F) return false;
  const uint32_t bits = Le32(data, 1);
  info->width = (bits & 0x3FFF) + 1;
  info->height = (bits >> 14 & 0x3FFF) + 1;
  info->alpha = (bits >> 28 & 1) != 0;
  return true;
}

// The chunk that says the size stands first.
bool ReadFirst(std::string_view type, std::string_view data, ImageInfo* info) {
  if (type == "VP8 ") return ReadLossy(data, info);
  if (type == "VP8L") return ReadLossless(data, info);
  if (type != "VP8X" || data.size() < 10) return false;
  ReadExtended(data, info);
  return true;
}

}  // namespace

StatusOr<ImageInfo> ProbeWebp(std::string_view bytes) {
  constexpr size_t kFirst = 12, kHead = 8;
  ImageInfo info{.format = Format::kWebp};
  if (bytes.size() < kFirst + kHead + 10)
    return Truncated(Format::kWebp, bytes.size(), "its first chunk is not complete");
  int frames = 0;
  for (size_t at = kFirst; at + kHead <= bytes.size();) {
    const std::string_view type = bytes.substr(at, 4);
    const uint64_t size = Le32(bytes, at + 4);
    const std::string_view data = bytes.substr(at + kHead, size);  // may be cut off: the decoder's to report
    if (at == kFirst && !ReadFirst(type, data, &info)) {
      return Broken(Format::kWebp, "its first chunk is none of VP8X, VP8 and VP8L, or has no header");
    }
    if (type == "ICCP")
      info.icc = true;
    else if (type == "EXIF")
      info.orientation = ExifOrientation(data), info.prompt = ExifPrompt(data);
    else if (type == "C2PA")
      info.c2pa = true;
    else if (type == "ALPH")
      info.alpha = true;
    else if (type == "ANMF")
      ++frames;
    at += kHead + size + (size & 1);  // chunks are padded to an even size
  }
  info.frames = std::max(1, frames);
  return info;
}

}  // namespace mediagen::codec
