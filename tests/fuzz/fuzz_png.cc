// PNG by both ways, the fast one and libpng's. What begins like a PNG is taken for one, as it stands and with
// its checksums made right; anything else is a recipe for one that is well formed but for its pixels.
#include <string>

#include "codec/pictures.h"
#include "codec/png_fast.h"
#include "fuzz/picture.h"

namespace mediagen::fuzz {
namespace {

// Every chunk's CRC made right, or no mutation would get past the first one.
std::string WithChecksums(std::string_view png) {
  constexpr size_t kSignature = 8, kFrame = 12;
  std::string out(png.substr(0, kSignature));
  for (size_t at = kSignature; at < png.size();) {
    const std::string_view rest = png.substr(at);
    uint32_t size = 0;
    for (size_t i = 0; i < 4 && i < rest.size(); ++i) size = size << 8 | static_cast<uint8_t>(rest[i]);
    if (rest.size() < kFrame || size > rest.size() - kFrame) return out.append(rest);
    out += PngChunk(rest.substr(4, 4), rest.substr(8, size));
    at += kFrame + size;
  }
  return out;
}

StatusOr<Pixels> CheckBothWays(std::string_view png, const ImageInfo& info) {
  StatusOr<Pixels> slow = codec::DecodePngByLibpng(png, info);
  if (slow.ok())
    CheckSize(*slow, info.width, info.height);
  else
    CheckRefusal(slow.status());
  if (const std::optional<Pixels> fast = codec::DecodePngFast(png, info)) {
    Require(slow.ok(), "what the fast way takes, libpng takes");
    Require(fast->channels == slow->channels && SameColours(*fast, *slow), "both ways agree");
  }
  return slow;
}

void CheckFile(std::string_view png) {
  const StatusOr<ImageInfo> info = Probe(png, kLimits);
  if (!info.ok()) return CheckRefusal(info.status());
  const StatusOr<Pixels> slow = CheckBothWays(png, *info);
  const StatusOr<Pixels> stored = Decode(png, Stored());
  Require(stored.ok() == slow.ok(), "one verdict");
  if (stored.ok()) Require(SameColours(*stored, *slow), "one picture");
  CheckShown(png, *info, stored);
}

struct Kind {
  int colour_type, depth;
};
constexpr Kind kKinds[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                           {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};

// The rows of one pass, or of the picture, each with a filter that exists; zeros where the input ends.
std::string Rows(uint32_t width, uint32_t height, uint32_t bits, std::string_view* pixels) {
  std::string out;
  const size_t row = (size_t{width} * bits + 7) / 8;
  for (uint32_t y = 0; width > 0 && y < height; ++y) {
    std::string line(pixels->substr(0, row + 1));
    pixels->remove_prefix(line.size());
    line.resize(row + 1, '\0');
    line[0] = static_cast<char>(static_cast<uint8_t>(line[0]) % 5);
    out += line;
  }
  return out;
}

// Adam7 (PNG third edition §8.1).
std::string InterlacedRows(uint32_t width, uint32_t height, uint32_t bits, std::string_view* pixels) {
  constexpr uint32_t kPasses[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                      {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  std::string out;
  for (const auto& [left, top, across, down] : kPasses) {
    const uint32_t columns = (width + across - 1 - left) / across, rows = (height + down - 1 - top) / down;
    out += Rows(columns, rows, bits, pixels);
  }
  return out;
}

// Kind, sides, what else there is, how the data are cut; then colours and rows.
void CheckRecipe(std::string_view recipe) {
  if (recipe.size() < 5) return;
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(recipe[i])); };
  const Kind kind = kKinds[byte(0) % std::size(kKinds)];
  const uint32_t width = 1 + byte(1), height = 1 + byte(2), flags = byte(3);
  const bool interlaced = (flags & 1) != 0, transparent = (flags & 2) != 0 && kind.colour_type < 4;
  const size_t cut = 1 + byte(4) * 8;
  std::string_view rest = recipe.substr(5);
  const auto take = [&](size_t size) {
    std::string taken(rest.substr(0, size));
    rest.remove_prefix(taken.size());
    taken.resize(size, '\1');
    return taken;
  };
  std::string png = PngHeader(width, height, kind.depth, kind.colour_type, interlaced ? 1 : 0);
  size_t colours = size_t{1} << (kind.depth & 15);
  if ((flags & 4) != 0) colours = 1 + colours / 3;  // the rows may name more
  if (kind.colour_type == 3) png += PngChunk("PLTE", take(3 * colours));
  if (transparent) {
    const size_t size = kind.colour_type == 3 ? colours : kind.colour_type == 2 ? 6 : 2;
    png += PngChunk("tRNS", take(size));
  }
  if ((flags & 8) != 0) png += PngChunk("gAMA", take(4));
  const uint32_t samples = kind.colour_type == 2   ? 3
                           : kind.colour_type == 4 ? 2
                           : kind.colour_type == 6 ? 4
                                                   : 1;
  const uint32_t bits = samples * static_cast<uint32_t>(kind.depth);
  const std::string rows =
      interlaced ? InterlacedRows(width, height, bits, &rest) : Rows(width, height, bits, &rest);
  const std::string zlib = Zlib(rows);
  for (size_t at = 0; at < zlib.size(); at += cut) png += PngChunk("IDAT", zlib.substr(at, cut));
  png += PngChunk("IEND", "");
  const ImageInfo info = {.format = Format::kPng, .width = width, .height = height};
  Require(CheckBothWays(png, info).ok(), "a well-formed PNG is a picture");
  const bool usual = !interlaced && kind.depth <= 8;
  Require(!usual || codec::DecodePngFast(png, info).has_value(), "the usual PNG goes the fast way");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view bytes = fuzz::Text(data, size);
  if (Sniff(bytes) != Format::kPng) return fuzz::CheckRecipe(bytes), 0;
  fuzz::CheckFile(bytes);
  fuzz::CheckFile(fuzz::WithChecksums(bytes));
  return 0;
}
