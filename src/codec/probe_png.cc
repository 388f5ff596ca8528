// PNG chunks (PNG third edition §5): size, transparency, animation (acTL), ICC, EXIF, C2PA (caBX), and the
// prompt that generators leave in text.
#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "base/text.h"
#include "codec/bytes.h"
#include "codec/formats.h"
#include "libdeflate.h"

namespace mediagen::codec {
namespace {

constexpr size_t kInflatedBytes =
    64 << 10;  // of a compressed text; a longer one is no prompt but a bomb or a workflow

// A stream that breaks off at its very end costs as much as a good one, and a file has room for many
// thousands.
constexpr int kMostInflated = 8;

// What was found so far.
struct Search {
  bool parameters = false;  // the better of the two keywords
  int inflated = 0;
};

// "" when it is broken or longer than kInflatedBytes, or when too many were inflated before.
std::string Inflate(std::string_view zlib, Search* search) {
  if (++search->inflated > kMostInflated) return "";
  std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflater(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!inflater) return "";
  std::string out(kInflatedBytes, '\0');
  size_t size = 0;
  if (libdeflate_zlib_decompress(inflater.get(), zlib.data(), zlib.size(), out.data(), out.size(), &size) !=
      LIBDEFLATE_SUCCESS) {
    return "";
  }
  out.resize(size);
  return out;
}

// The text behind the keyword of a tEXt, zTXt or iTXt chunk (§11.3.3).
std::string TextOf(std::string_view type, std::string_view value, Search* search) {
  if (type == "tEXt") return std::string(value);
  if (type == "zTXt") return U8(value, 0) == 0 ? Inflate(Slice(value, 1, value.npos), search) : "";
  // iTXt: compression flag, method, language\0, translated keyword\0, text.
  const bool compressed = U8(value, 0) == 1;
  value = Slice(value, 2, value.npos);
  for (int i = 0; i < 2; ++i) {
    const size_t end = value.find('\0');
    if (end == value.npos) return "";
    value.remove_prefix(end + 1);
  }
  std::string text = compressed ? Inflate(value, search) : std::string(value);
  return IsUtf8(text) ? text : "";
}

// Generators write "parameters" (the prompt and its settings) or "prompt"; the former wins.
void ReadText(std::string_view type, std::string_view data, ImageInfo* info, Search* search) {
  const size_t end = data.find('\0');
  if (end == data.npos) return;
  const std::string_view keyword = data.substr(0, end);
  const bool parameters = keyword == "parameters";
  if ((!parameters && keyword != "prompt") || search->parameters || (!parameters && !info->prompt.empty()))
    return;
  std::string text = TextOf(type, data.substr(end + 1), search);
  if (text.empty()) return;
  search->parameters = parameters;
  info->prompt = PromptText(text);
}

void ReadChunk(std::string_view type, std::string_view data, ImageInfo* info, Search* search) {
  if (type == "tRNS")
    info->alpha = true;
  else if (type == "iCCP")
    info->icc = true;
  else if (type == "eXIf")
    info->orientation = ExifOrientation(data);
  else if (type == "caBX")
    info->c2pa = true;
  else if (type == "acTL")
    info->frames = static_cast<int>(std::max<uint32_t>(1, Be32(data, 0) & 0x7FFFFFFF));
  else if (type == "tEXt" || type == "zTXt" || type == "iTXt")
    ReadText(type, data, info, search);
}

}  // namespace

StatusOr<ImageInfo> ProbePng(std::string_view bytes) {
  constexpr size_t kSignature = 8, kFrame = 12;  // a chunk: length, type, data, CRC
  ImageInfo info{.format = Format::kPng};
  if (bytes.size() < kSignature + kFrame + 13)
    return Truncated(Format::kPng, bytes.size(), "its header (IHDR) is not complete");
  if (Be32(bytes, 8) != 13 || bytes.substr(12, 4) != "IHDR")
    return Broken(Format::kPng, "it does not begin with IHDR");
  info.width = Be32(bytes, 16);
  info.height = Be32(bytes, 20);
  const uint32_t colour_type = U8(bytes, 25);
  info.alpha = colour_type == 4 || colour_type == 6;
  Search search;
  // Every chunk is at least kFrame bytes, so the walk ends; a chunk that is cut off ends it, too, and is the
  // decoder's to report.
  for (size_t at = kSignature + kFrame + 13; at + kFrame <= bytes.size();) {
    const uint64_t size = Be32(bytes, at);
    const std::string_view type = bytes.substr(at + 4, 4);
    if (type == "IEND" || size > bytes.size() - at - kFrame) break;
    ReadChunk(type, bytes.substr(at + 8, size), &info, &search);
    at += kFrame + size;
  }
  return info;
}

}  // namespace mediagen::codec
