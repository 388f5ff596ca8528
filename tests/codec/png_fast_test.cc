// The fast way to decode a PNG against libpng's: the same pixels, and the same verdict on what is broken.
#include "codec/png_fast.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/id.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

using namespace std::string_literals;
using codec::DecodePng;
using codec::DecodePngByLibpng;
using codec::DecodePngFast;

constexpr int kMixed = 5;  // a filter for each row by chance

struct Kind {
  int colour_type, depth;
  bool transparency = false;  // a tRNS chunk

  int samples() const { return colour_type == 2 ? 3 : colour_type == 4 ? 2 : colour_type == 6 ? 4 : 1; }
  size_t row_bytes(uint32_t width) const {
    return (size_t{width} * static_cast<size_t>(samples() * depth) + 7) / 8;
  }
};
constexpr Kind kKinds[] = {{0, 1},       {0, 2},       {0, 4},       {0, 8}, {0, 1, true},
                           {0, 2, true}, {0, 4, true}, {0, 8, true}, {2, 8}, {2, 8, true},
                           {3, 1},       {3, 2},       {3, 4},       {3, 8}, {3, 1, true},
                           {3, 2, true}, {3, 4, true}, {3, 8, true}, {4, 8}, {6, 8}};

uint8_t Predicted(int filter, int left, int up, int corner) {
  const int sum = left + up - corner;
  const int by_left = std::abs(sum - left), by_up = std::abs(sum - up), by_corner = std::abs(sum - corner);
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return static_cast<uint8_t>(left);
    case 2:
      return static_cast<uint8_t>(up);
    case 3:
      return static_cast<uint8_t>((left + up) / 2);
    default:
      return static_cast<uint8_t>(by_left <= by_up && by_left <= by_corner ? left
                                  : by_up <= by_corner                     ? up
                                                                           : corner);
  }
}

// Rows of chance under a filter, as the zlib stream holds them. With few different values Paeth's choices
// tie.
std::string Rows(const Kind& kind, uint32_t width, uint32_t height, int filter, uint64_t seed) {
  const auto random = SeededRandom(seed);
  const size_t size = kind.row_bytes(width), bpp = static_cast<size_t>(kind.samples());
  const int mask = seed % 2 == 0 || kind.depth < 8 ? 0xFF : 3;
  std::string out;
  std::vector<uint8_t> up(size), row(size);
  for (uint32_t y = 0; y < height; ++y, up = row) {
    random->Fill(row.data(), size);
    for (uint8_t& byte : row) byte = static_cast<uint8_t>(byte & mask);
    const int used = filter == kMixed ? static_cast<int>(random->Below(5)) : filter;
    out.push_back(static_cast<char>(used));
    for (size_t i = 0; i < size; ++i) {
      const int left = i < bpp ? 0 : row[i - bpp], corner = i < bpp ? 0 : up[i - bpp];
      out.push_back(static_cast<char>(row[i] - Predicted(used, left, up[i], corner)));
    }
  }
  return out;
}

std::string Palette(int entries) {
  std::string data(static_cast<size_t>(entries) * 3, '\0');
  SeededRandom(9)->Fill(data.data(), data.size());
  return PngChunk("PLTE", data);
}

// PLTE and tRNS as the kind needs them. The bare colour is one that the rows have.
std::string Colours(const Kind& kind) {
  std::string out = kind.colour_type == 3 ? Palette(1 << kind.depth) : "";
  if (!kind.transparency) return out;
  if (kind.colour_type == 3) return out + PngChunk("tRNS", "\x80\x01"s);
  return out + PngChunk("tRNS", kind.colour_type == 0 ? "\0\1"s : "\0\1\0\2\0\3"s);
}

std::string Head(const Kind& kind, uint32_t width, uint32_t height) {
  return PngHeader(width, height, kind.depth, kind.colour_type) + Colours(kind);
}

std::string Png(const std::string& head, const std::string& zlib) {
  return head + PngChunk("IDAT", zlib) + PngChunk("IEND", "");
}

std::string Picture(const Kind& kind, uint32_t width, uint32_t height, int filter, uint64_t seed) {
  return Png(Head(kind, width, height), Zlib(Rows(kind, width, height, filter, seed)));
}

ImageInfo Sized(uint32_t width, uint32_t height) {
  return {.format = Format::kPng, .width = width, .height = height};
}

void CheckFast(const std::string& png, uint32_t width, uint32_t height) {
  const auto fast = DecodePngFast(png, Sized(width, height));
  const auto slow = DecodePngByLibpng(png, Sized(width, height));
  REQUIRE(fast.has_value());
  REQUIRE(slow.ok());
  CHECK(Same(*fast, *slow));
}

// Both ways come to the same pixels or to the same error.
void CheckVerdict(const std::string& png, uint32_t width, uint32_t height) {
  const auto pixels = DecodePng(png, Sized(width, height));
  const auto slow = DecodePngByLibpng(png, Sized(width, height));
  REQUIRE(pixels.ok() == slow.ok());
  if (slow.ok()) {
    CHECK(Same(*pixels, *slow));
  } else {
    CHECK(CodeOf(pixels.status()) == CodeOf(slow.status()));
    CHECK(InfoOf(pixels.status()).message == InfoOf(slow.status()).message);
  }
}

// The fast way leaves it, and libpng calls it invalid.
void CheckBroken(const std::string& png, uint32_t width, uint32_t height) {
  CHECK_FALSE(DecodePngFast(png, Sized(width, height)).has_value());
  CHECK(CodeOf(DecodePng(png, Sized(width, height)).status()) == Code::kInvalid);
}

// The fast way leaves it, and libpng makes a picture of it.
void CheckLeft(const std::string& png, uint32_t width, uint32_t height) {
  CHECK_FALSE(DecodePngFast(png, Sized(width, height)).has_value());
  CHECK(DecodePng(png, Sized(width, height)).ok());
}

std::string Flipped(std::string bytes, size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
  return bytes;
}

constexpr Kind kRgb = {2, 8}, kIndexed = {3, 8};

}  // namespace

TEST_CASE("every kind of plain PNG, under every filter and at every width, is what libpng makes of it") {
  for (const Kind& kind : kKinds) {
    for (int filter = 0; filter <= kMixed; ++filter) {
      for (uint32_t width = 1; width <= 67; ++width) {
        const uint32_t height = 1 + (width + static_cast<uint32_t>(filter)) % 5;
        CAPTURE(kind.colour_type);
        CAPTURE(kind.depth);
        CAPTURE(filter);
        CAPTURE(width);
        CheckFast(Picture(kind, width, height, filter, width), width, height);
      }
    }
  }
}

TEST_CASE("larger pictures agree, too") {
  for (const Kind& kind : kKinds) {
    CAPTURE(kind.colour_type);
    CAPTURE(kind.depth);
    CheckFast(Picture(kind, 300, 200, 4, 1), 300, 200);
    CheckFast(Picture(kind, 300, 200, kMixed, 2), 300, 200);
  }
}

TEST_CASE("rows of Paeth's filter agree one by one and two by two") {
  for (const Kind& kind : {Kind{0, 8}, Kind{4, 8}, kRgb, Kind{6, 8}}) {
    for (uint32_t width : {1, 2, 3, 9}) {
      for (uint32_t height = 1; height <= 7; ++height) {
        for (uint32_t other = 0; other < height; ++other) {  // breaks the pairs at every place
          std::string rows = Rows(kind, width, height, 4, height);
          rows[other * (kind.row_bytes(width) + 1)] = '\1';
          CheckFast(Png(Head(kind, width, height), Zlib(rows)), width, height);
        }
      }
    }
  }
}

TEST_CASE("the picture says 4 channels only where something may be transparent") {
  for (const Kind& kind : kKinds) {
    const auto pixels = DecodePngFast(Picture(kind, 5, 3, 1, 1), Sized(5, 3));
    REQUIRE(pixels.has_value());
    CHECK(pixels->channels == (kind.transparency || kind.colour_type >= 4 ? 4 : 3));
    CHECK(pixels->height == 3);
  }
}

TEST_CASE("a palette's missing entries are libpng's") {
  for (int depth : {1, 2, 4, 8}) {
    const Kind kind = {3, depth};
    const std::string zlib = Zlib(Rows(kind, 40, 3, kMixed, 2));
    const std::string header = PngHeader(40, 3, depth, 3);
    CheckFast(Png(header + Palette(1), zlib), 40, 3);
    CheckFast(Png(header + Palette(1) + PngChunk("tRNS", "\x33"), zlib), 40, 3);
    CheckFast(Png(header + Palette(1 << depth) + PngChunk("tRNS", "\x33"), zlib), 40, 3);
  }
}

TEST_CASE("of a bare colour the bits that its samples have count") {
  for (const Kind& kind : {Kind{0, 1}, Kind{0, 2}, Kind{0, 4}, Kind{0, 8}, kRgb}) {
    for (const std::string& bare :
         {"\0\2\0\1\0\3"s, "\1\1\2\2\3\3"s, "\xFF\xFF\xFF\xFF\xFF\xFF"s, "\0\x13\0\1\0\2"s}) {
      const std::string chunk = PngChunk("tRNS", kind.colour_type == 0 ? bare.substr(0, 2) : bare);
      const std::string header = PngHeader(64, 5, kind.depth, kind.colour_type);
      CheckFast(Png(header + chunk, Zlib(Rows(kind, 64, 5, kMixed, 3))), 64, 5);
    }
  }
}

TEST_CASE("the zlib stream may be cut into any IDAT chunks") {
  for (const Kind& kind : kKinds) {
    const std::string head = Head(kind, 9, 4), zlib = Zlib(Rows(kind, 9, 4, kMixed, 4));
    std::string bytewise = head + PngChunk("IDAT", ""), halves = head;
    for (char byte : zlib) bytewise += PngChunk("IDAT", {&byte, 1}) + PngChunk("IDAT", "");
    halves += PngChunk("IDAT", zlib.substr(0, 9)) + PngChunk("IDAT", zlib.substr(9));
    CheckFast(bytewise + PngChunk("IEND", ""), 9, 4);
    CheckFast(halves + PngChunk("IEND", ""), 9, 4);
  }
}

TEST_CASE("chunks that may be left out do not matter, whatever they hold") {
  const std::string plain = Picture(kIndexed, 9, 4, kMixed, 5), text = PngChunk("tEXt", "a\0b"s);
  const size_t data = plain.find("IDAT") - 4;
  for (size_t at : {size_t{33}, data, plain.size() - 12, plain.size()}) {
    for (const std::string& chunk : {text, Flipped(text, text.size() - 1), PngChunk("gAMA", "x"),
                                     PngChunk("iCCP", ""), PngChunk("zzZz", "")}) {
      std::string png = plain;
      CheckFast(png.insert(at, chunk), 9, 4);
    }
  }
}

TEST_CASE("interlaced and 16-bit pictures are left to libpng") {
  const std::string rows = Rows(kRgb, 1, 1, 0, 1);
  CheckLeft(Png(PngHeader(1, 1, 8, 2, 1), Zlib(rows)), 1, 1);
  CheckLeft(Png(PngHeader(1, 1, 16, 2), Zlib(rows + "abc")), 1, 1);
  CheckLeft(Png(PngHeader(1, 1, 16, 0), Zlib("\0ab"s)), 1, 1);
}

TEST_CASE("chunks in odd places are left to libpng") {
  const std::string palette = Palette(256), bare = PngChunk("tRNS", "\x80"), end = PngChunk("IEND", "");
  const std::string zlib = Zlib(Rows(kIndexed, 9, 4, kMixed, 6)), data = PngChunk("IDAT", zlib);
  const std::string header = PngHeader(9, 4, 8, 3), text = PngChunk("tEXt", "a");
  const std::string part = PngChunk("IDAT", zlib.substr(0, 20)), rest = PngChunk("IDAT", zlib.substr(20));
  const std::string rgb = PngHeader(9, 4, 8, 2), rgb_data = PngChunk("IDAT", Zlib(Rows(kRgb, 9, 4, 1, 1)));
  const std::vector<std::vector<std::string>> orders = {
      {header, bare, palette, data, end},
      {header, palette, data, bare, end},
      {header, palette, bare, bare, data, end},
      {header, palette, palette, data, end},
      {header, palette, data, palette, end},
      {header, palette, data, text, data, end},
      {header, palette, part, text, rest, end},
      {header, palette, PngChunk("ABCD", ""), data, end},
      {header, palette, PngChunk("a?cd", ""), data, end},
      {header, palette, PngChunk("IHDR", header.substr(16, 13)), data, end},
      {header, palette, PngChunk("tRNS", ""), data, end},
      {header, palette, PngChunk("tRNS", std::string(257, 'x')), data, end},
      {header, palette, data, PngChunk("IEND", "x")},
      {header, palette, "\xFF\xFF\xFF\xFFIDAT", zlib, end},
      {header, palette, PngChunk("IDAT", ""), end},
      {header, palette, end},
      {header, palette, data},
      {header, PngChunk("PLTE", ""), data, end},
      {header, PngChunk("PLTE", "1234"), data, end},
      {header, Palette(257), data, end},
      {header, data, palette, end},
      {header, data, end},
      {header, end},
      {header},
      {rgb, palette, rgb_data, end},
      {rgb, PngChunk("tRNS", "\0\1"s), rgb_data, end},
  };
  for (size_t i = 0; i < orders.size(); ++i) {
    std::string png;
    for (const std::string& chunk : orders[i]) png += chunk;
    CAPTURE(i);
    CHECK_FALSE(DecodePngFast(png, Sized(9, 4)).has_value());
    CheckVerdict(png, 9, 4);
  }
}

TEST_CASE("a wrong checksum of a chunk that counts is found") {
  const std::string head = Head({3, 8, true}, 9, 4);
  const std::string png = Png(head, Zlib(Rows(kIndexed, 9, 4, kMixed, 7)));
  const size_t data = head.size(), end = png.size() - 12;
  for (size_t behind : {size_t{33}, png.find("tRNS") - 4, end, png.size()})
    CheckBroken(Flipped(png, behind - 1), 9, 4);
  CheckBroken(Flipped(png, data + 30), 9, 4);
  CheckLeft(Flipped(png, data - 1), 9, 4);  // tRNS may be left out, so libpng goes on without it
  CheckVerdict(Flipped(png, data - 1), 9, 4);
}

TEST_CASE("a filter that does not exist is an error in any row") {
  for (const Kind& kind : kKinds) {
    for (int filter : {5, 6, 255}) {
      for (size_t row = 0; row < 4; ++row) {
        std::string rows = Rows(kind, 9, 4, 4, 8);
        rows[row * (kind.row_bytes(9) + 1)] = static_cast<char>(filter);
        CheckBroken(Png(Head(kind, 9, 4), Zlib(rows)), 9, 4);
      }
    }
  }
}

TEST_CASE("a stream that is not what the header promises is libpng's to judge") {
  const std::string rows = Rows(kRgb, 9, 4, kMixed, 9), zlib = Zlib(rows), header = PngHeader(9, 4, 8, 2);
  for (size_t missing : {size_t{1}, size_t{28}, rows.size()})
    CheckBroken(Png(header, Zlib(rows.substr(0, rows.size() - missing))), 9, 4);
  for (size_t more : {1, 28, 100000}) CheckLeft(Png(header, Zlib(rows + std::string(more, '\0'))), 9, 4);
  CheckFast(Png(header, zlib + "trailer"), 9, 4);
  std::string narrow = zlib, preset = zlib;
  narrow.replace(0, 2, "\x08\x1D"s);  // a window of 256 bytes, which holds these rows
  CheckFast(Png(header, narrow), 9, 4);
  preset.replace(0, 2, "\x78\x20"s);  // wants a preset dictionary
  CheckBroken(Png(header, preset), 9, 4);
  for (size_t i = 0; i < zlib.size(); ++i) CheckVerdict(Png(header, Flipped(zlib, i)), 9, 4);
  const std::string far = Zlib(Rows(kRgb, 90, 40, 0, 9));
  CheckFast(Png(PngHeader(90, 40, 8, 2), far), 90, 40);
  CHECK_FALSE(
      DecodePngFast(Png(PngHeader(90, 40, 8, 2), "\x08\x1D" + far.substr(2)), Sized(90, 40)).has_value());
}

TEST_CASE("a PNG that is cut off at any byte is invalid, and so is one of another size") {
  for (const Kind& kind : kKinds) {
    const std::string png = Picture(kind, 5, 3, kMixed, 10);
    for (size_t size = 0; size < png.size(); ++size) CheckBroken(png.substr(0, size), 5, 3);
    CheckBroken(png, 5, 4);
    CheckBroken(png, 6, 3);
  }
}

TEST_CASE("a header that promises more than its data can hold costs nothing") {
  const std::string png = Png(PngHeader(0x7FFFFFFF, 0x7FFFFFFF, 8, 6), Zlib("x"));
  CHECK_FALSE(DecodePngFast(png, Sized(0x7FFFFFFF, 0x7FFFFFFF)).has_value());
  CHECK_FALSE(DecodePngFast(Png(PngHeader(20000, 20000, 8, 6), Zlib("x")), Sized(20000, 20000)).has_value());
  CHECK_FALSE(DecodePngFast(Png(PngHeader(0, 0, 8, 6), Zlib("x")), Sized(0, 0)).has_value());
}

}  // namespace mediagen
