// Which format bytes are, and what the formats are called.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "codec/bytes.h"
#include "codec/formats.h"

namespace mediagen {
namespace {

using namespace std::string_view_literals;

struct Names {
  Format format;
  std::string_view display, media_type, extension;
};

constexpr std::array<Names, 9> kNames = {{
    {Format::kUnknown, "data", "application/octet-stream", "bin"},
    {Format::kPng, "PNG", "image/png", "png"},
    {Format::kJpeg, "JPEG", "image/jpeg", "jpg"},
    {Format::kWebp, "WebP", "image/webp", "webp"},
    {Format::kGif, "GIF", "image/gif", "gif"},
    {Format::kAvif, "AVIF", "image/avif", "avif"},
    {Format::kSvg, "SVG", "image/svg+xml", "svg"},
    {Format::kMp4, "MP4", "video/mp4", "mp4"},
    {Format::kWebm, "WebM", "video/webm", "webm"},
}};

const Names& NamesOf(Format format) {
  for (const Names& names : kNames) {
    if (names.format == format) return names;
  }
  return kNames[0];
}

// ISO BMFF: a file type box (ISO/IEC 14496-12 §4.3) whose brands tell AVIF from video. HEIC and other stills
// are unknown.
Format SniffFileTypeBox(std::string_view bytes) {
  if (bytes.size() < 12 || bytes.substr(4, 4) != "ftyp") return Format::kUnknown;
  const std::string_view major = bytes.substr(8, 4);
  if (major == "avif" || major == "avis") return Format::kAvif;
  if (major == "mif1" || major == "msf1" || major == "miaf") {
    const size_t end = std::min<size_t>({bytes.size(), codec::Be32(bytes, 0), 256});
    for (size_t at = 16; at + 4 <= end; at += 4) {
      const std::string_view brand = bytes.substr(at, 4);
      if (brand == "avif" || brand == "avis") return Format::kAvif;
    }
    return Format::kUnknown;
  }
  for (std::string_view brand :
       {"mp41", "mp42", "avc1", "M4V ", "M4VH", "M4VP", "dash", "mmp4", "MSNV", "f4v "}) {
    if (major == brand) return Format::kMp4;
  }
  return major.starts_with("iso") ? Format::kMp4 : Format::kUnknown;  // isom, iso2 … iso9
}

// EBML (RFC 8794) whose DocType element says "webm"; Matroska itself is unknown.
bool IsWebm(std::string_view bytes) {
  return bytes.starts_with("\x1A\x45\xDF\xA3"sv) &&
         bytes.substr(0, 64).find("\x42\x82\x84webm"sv) != bytes.npos;
}

// Whether the first element of what looks like XML is <svg>: comments, processing instructions and a DOCTYPE
// may stand before it.
bool IsSvg(std::string_view bytes) {
  std::string_view rest = bytes.substr(0, 4096);
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  while (true) {
    rest = Trim(rest);
    std::string_view end;
    if (rest.starts_with("<?"))
      end = "?>";
    else if (rest.starts_with("<!--"))
      end = "-->";
    else if (rest.starts_with("<!"))
      end = ">";
    else
      break;
    const size_t found = rest.find(end, 2);
    if (found == rest.npos) return false;
    rest.remove_prefix(found + end.size());
  }
  if (!rest.starts_with('<')) return false;
  std::string_view name = rest.substr(1, std::min(rest.find_first_of(" \t\r\n/>", 1), rest.size()) - 1);
  if (size_t colon = name.find(':'); colon != name.npos) name.remove_prefix(colon + 1);
  return name == "svg";
}

}  // namespace

Format Sniff(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return Format::kPng;
  if (bytes.starts_with("\xFF\xD8\xFF")) return Format::kJpeg;
  if (bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP") return Format::kWebp;
  if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return Format::kGif;
  if (IsWebm(bytes)) return Format::kWebm;
  if (Format format = SniffFileTypeBox(bytes); format != Format::kUnknown) return format;
  return IsSvg(bytes) ? Format::kSvg : Format::kUnknown;
}

std::string_view MediaType(Format format) { return NamesOf(format).media_type; }

std::string_view Extension(Format format) { return NamesOf(format).extension; }

std::string_view FormatName(Format format) { return format == Format::kJpeg ? "jpeg" : Extension(format); }

Format FormatByName(std::string_view name) {
  const std::string lower = ToLower(name);
  if (lower == "jpeg") return Format::kJpeg;
  for (const Names& names : kNames) {
    if (names.format != Format::kUnknown && lower == names.extension) return names.format;
  }
  return Format::kUnknown;
}

Format FormatOfMediaType(std::string_view media_type) {
  for (const Names& names : kNames) {
    if (names.format != Format::kUnknown && media_type == names.media_type) return names.format;
  }
  return Format::kUnknown;
}

bool IsVideo(Format format) { return format == Format::kMp4 || format == Format::kWebm; }

std::string_view codec::DisplayName(Format format) { return NamesOf(format).display; }

}  // namespace mediagen
