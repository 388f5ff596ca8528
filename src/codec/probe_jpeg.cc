// JPEG markers (ITU-T T.81 annex B): size, EXIF orientation (APP1), ICC (APP2), C2PA in JUMBF (APP11, ISO
// 19566-5).
#include <algorithm>
#include <cstring>

#include "codec/bytes.h"
#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

using namespace std::string_view_literals;

constexpr uint32_t kSos = 0xDA, kEoi = 0xD9;

bool IsFrameHeader(uint32_t marker) {  // SOF0–SOF15 without DHT, JPG and DAC
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool StandsAlone(uint32_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

void ReadSegment(uint32_t marker, std::string_view data, ImageInfo* info) {
  if (IsFrameHeader(marker) && info->width == 0) {
    info->height = Be16(data, 1);
    info->width = Be16(data, 3);
  } else if (marker == 0xE1 && data.starts_with("Exif\0\0"sv) && info->orientation == 1) {
    info->orientation = ExifOrientation(data);
    info->prompt = ExifPrompt(data);
  } else if (marker == 0xE2 && data.starts_with("ICC_PROFILE\0"sv)) {
    info->icc = true;
  } else if (marker == 0xEB && data.starts_with("JP") && Slice(data, 12, 4) == "jumb" &&
             Slice(data, 16, 64).find("c2pa") != data.npos) {
    info->c2pa =
        true;  // "JP", instance, sequence number, then the superbox whose description carries the label
  }
}

// The next marker at or behind `at` in entropy-coded data: not a stuffed zero, a restart or a fill byte. npos
// when there is none.
size_t NextMarker(std::string_view bytes, size_t at) {
  while (at + 1 < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, 0xFF, bytes.size() - 1 - at);
    if (found == nullptr) return bytes.npos;
    at = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
    const uint32_t next = U8(bytes, at + 1);
    if (next == 0xFF) {
      ++at;
    } else if (next == 0 || (next >= 0xD0 && next <= 0xD7)) {
      at += 2;
    } else {
      return at;
    }
  }
  return bytes.npos;
}

}  // namespace

StatusOr<ImageInfo> ProbeJpeg(std::string_view bytes) {
  ImageInfo info{.format = Format::kJpeg};
  for (size_t at = 2;;) {
    while (U8(bytes, at) == 0xFF && U8(bytes, at + 1) == 0xFF) ++at;  // fill bytes
    if (at + 4 > bytes.size()) return Truncated(Format::kJpeg, bytes.size(), "its headers do not end");
    if (U8(bytes, at) != 0xFF) return Broken(Format::kJpeg, fmt::format("there is no marker at byte {}", at));
    const uint32_t marker = U8(bytes, at + 1);
    if (StandsAlone(marker)) {
      at += 2;
      continue;
    }
    if (marker == kSos || marker == kEoi) break;
    const size_t size = Be16(bytes, at + 2);
    if (size < 2) return Broken(Format::kJpeg, fmt::format("the segment at byte {} has no length", at));
    if (at + 2 + size > bytes.size()) return Truncated(Format::kJpeg, bytes.size(), "its headers do not end");
    ReadSegment(marker, bytes.substr(at + 4, size - 2), &info);
    at += 2 + size;
  }
  if (info.width == 0)
    return Broken(Format::kJpeg, "it has no frame header with a size before its first scan");
  return info;
}

int CountJpegScans(std::string_view bytes, int most) {
  int scans = 0;
  for (size_t at = 2; scans <= most;) {
    at = NextMarker(bytes, at);
    if (at == bytes.npos) break;
    const uint32_t marker = U8(bytes, at + 1);
    if (marker == kEoi) break;
    if (marker == kSos) ++scans;
    at += StandsAlone(marker) ? 2 : 2 + std::max<size_t>(2, Be16(bytes, at + 2));
  }
  return scans;
}

}  // namespace mediagen::codec
