// The one EXIF tag that changes how a picture is seen. TIFF 6.0 §2: a header, then directories of 12-byte
// entries.
#include "codec/bytes.h"
#include "codec/formats.h"

namespace mediagen::codec {
namespace {

constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShort = 3;

}  // namespace

int ExifOrientation(std::string_view exif) {
  if (exif.starts_with(std::string_view("Exif\0\0", 6))) exif.remove_prefix(6);
  const bool little = exif.starts_with("II");
  if (!little && !exif.starts_with("MM")) return 1;
  const auto u16 = [&](size_t at) { return little ? Le16(exif, at) : Be16(exif, at); };
  const auto u32 = [&](size_t at) { return little ? Le32(exif, at) : Be32(exif, at); };
  if (u16(2) != 42) return 1;
  const size_t directory = u32(4);
  if (directory >= exif.size()) return 1;
  const uint32_t entries = u16(directory);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + size_t{i} * 12;
    if (entry + 12 > exif.size()) return 1;
    if (u16(entry) != kOrientationTag) continue;
    const uint32_t value = u16(entry + 8);
    return u16(entry + 2) == kShort && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace mediagen::codec
