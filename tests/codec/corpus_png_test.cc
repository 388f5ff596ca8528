// What conformance suites for PNG hold, category by category (Willem van Schaik's PngSuite has the list), as
// pictures that are written here: each is compared with what the standard says it looks like, and with what
// libpng's own simplified interface makes of it.
#include <doctest/doctest.h>
#include <png.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "codec/pictures.h"
#include "codec/png_writer.h"

namespace mediagen {
namespace {

using namespace std::string_literals;

struct Kind {
  int colour_type, depth;
};
constexpr Kind kKinds[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                           {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};

// RGBA by libpng's simplified interface; values are taken as they stand, whatever their depth.
Pixels BySimplified(const std::string& png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&image, png.data(), png.size()) != 0);
  image.format = PNG_FORMAT_RGBA;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  Pixels pixels = NewPixels(image.width, image.height, 4).value();
  REQUIRE(png_image_finish_read(&image, nullptr, pixels.data.get(), 0, nullptr) != 0);
  return pixels;
}

// The picture with an alpha of 255 where it has none.
Pixels Rgba(const Pixels& pixels) {
  Pixels out = NewPixels(pixels.width, pixels.height, 4).value();
  const auto step = static_cast<size_t>(pixels.channels);
  for (size_t i = 0; i < size_t{pixels.width} * pixels.height; ++i) {
    out.data[4 * i + 3] = 255;
    std::memcpy(&out.data[4 * i], &pixels.data[step * i], step);
  }
  return out;
}

void CheckShown(const PngPicture& picture, const PngStyle& style = {}) {
  CAPTURE(picture.colour_type);
  CAPTURE(picture.depth);
  CAPTURE(picture.width);
  CAPTURE(picture.height);
  CAPTURE(picture.interlaced);
  CAPTURE(picture.transparency.size());
  CAPTURE(style.filter);
  const std::string png = WritePng(picture, style);
  const Pixels shown = Shown(picture);
  CHECK(Same(MustDecode(png), shown));
  // The simplified interface of libpng 1.6.39 mixes up the rows of interlaced pictures of 16 bits.
  if (!picture.interlaced || picture.depth < 16) CHECK(Same(Rgba(shown), BySimplified(png)));
}

// In both orders of rows, with and without transparency where the kind can have it.
void CheckAll(const Kind& kind, uint32_t width, uint32_t height, const PngStyle& style = {}) {
  for (bool transparent : {false, true}) {
    if (transparent && kind.colour_type >= 4) continue;
    PngPicture picture = PngOf(kind.colour_type, kind.depth, width, height, transparent, width + height);
    CheckShown(picture, style);
    picture.interlaced = true;
    CheckShown(picture, style);
  }
}

void CheckRefused(const std::string& png) {
  const Status status = Decode(png).status();
  CHECK(CodeOf(status) == Code::kInvalid);
  CHECK_FALSE(InfoOf(status).message.empty());
}

std::string Replaced(std::string text, size_t at, std::string_view with) {
  return text.replace(at, with.size(), with);
}

}  // namespace

TEST_CASE("corpus PNG: every colour type and depth, plain and interlaced, opaque and transparent") {
  for (const Kind& kind : kKinds) CheckAll(kind, 32, 32);
}

TEST_CASE("corpus PNG: every size from 1 to 9 and around 32 to 40") {
  for (const Kind& kind : {Kind{0, 1}, {3, 1}, {3, 2}, {3, 4}, {0, 16}, {2, 8}, {4, 8}, {6, 16}}) {
    for (uint32_t side : {1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 35, 40}) {
      CheckAll(kind, side, side);
      CheckAll(kind, side, 1);
      CheckAll(kind, 1, side);
      CheckAll(kind, side, 5);
    }
  }
}

TEST_CASE("corpus PNG: lines of 65,535 pixels, lying and standing") {
  for (const Kind& kind : {Kind{0, 1}, {3, 4}, {2, 8}, {6, 16}}) {
    for (const auto& size : {std::pair{65535u, 1u}, {1u, 65535u}}) {
      PngPicture picture = PngOf(kind.colour_type, kind.depth, size.first, size.second);
      for (bool interlaced : {false, true}) {
        picture.interlaced = interlaced;
        const std::string png = WritePng(picture, {.filter = 5});
        CHECK(Same(MustDecode(png), Shown(picture)));
      }
    }
  }
}

TEST_CASE("corpus PNG: every filter, in every row and by turns") {
  for (const Kind& kind : kKinds)
    for (int filter = 0; filter <= 5; ++filter) CheckAll(kind, 21, 19, {.filter = filter});
}

TEST_CASE("corpus PNG: every level of compression, and data in one chunk, several, or one a byte") {
  for (const Kind& kind : {Kind{0, 16}, {2, 8}, {3, 4}, {6, 8}}) {
    for (int level : {0, 1, 3, 6, 9, 12}) CheckAll(kind, 32, 32, {.filter = 5, .level = level});
    for (size_t bytes : {1, 2, 7, 100, 8192}) CheckAll(kind, 16, 16, {.data_bytes = bytes});
  }
}

TEST_CASE("corpus PNG: transparency by single samples, down to the last bit of 16") {
  PngPicture grey = {.colour_type = 0, .depth = 16, .width = 3, .height = 1};
  grey.samples = {0x1234, 0x1235, 0x1334}, grey.transparency = "\x12\x34";
  CheckShown(grey);
  const Pixels pixels = MustDecode(WritePng(grey));
  CHECK(At(pixels, 0, 0)[3] == 0);
  CHECK(At(pixels, 1, 0)[3] == 255);
  CHECK(At(pixels, 2, 0)[3] == 255);
  PngPicture rgb = {.colour_type = 2, .depth = 16, .width = 2, .height = 1};
  rgb.samples = {1, 2, 3, 1, 2, 0x103}, rgb.transparency = "\0\1\0\2\0\3"s;
  CheckShown(rgb);
  PngPicture palette = PngOf(3, 8, 16, 16);
  for (size_t entries : {1, 2, 100, 256}) {
    palette.transparency.assign(entries, '\x40');
    CheckShown(palette);
  }
}

TEST_CASE("corpus PNG: 16 bits become the nearest of 8") {
  PngPicture picture = {.colour_type = 0, .depth = 16, .width = 256, .height = 256};
  for (uint32_t i = 0; i < 65536; ++i) picture.samples.push_back(static_cast<uint16_t>(i));
  CheckShown(picture);
}

TEST_CASE("corpus PNG: a background is for viewers that have none; alpha stays alpha") {
  CheckAll({0, 4}, 16, 16, {.before_data = PngChunk("bKGD", "\0\x0F"s)});
  CheckAll({4, 16}, 16, 16, {.before_data = PngChunk("bKGD", "\x80\0"s)});
  CheckAll({6, 8}, 16, 16, {.before_data = PngChunk("bKGD", "\0\xFF\0\xFF\0\0"s)});
  CheckAll({3, 8}, 16, 16, {.before_data = PngChunk("bKGD", "\7")});
}

TEST_CASE("corpus PNG: a palette that is only suggested, and chunks that say nothing of the pixels") {
  const std::string suggested = PngChunk("PLTE", std::string(36, '\x33'));
  for (const Kind& kind : {Kind{2, 8}, {2, 16}, {6, 8}, {6, 16}})
    CheckAll(kind, 16, 16, {.before_palette = suggested});
  std::string chunks = PngChunk("sBIT", "\5\5\5") + PngChunk("pHYs", "\0\0\0\1\0\0\0\4\0"s) +
                       PngChunk("tIME", "\x07\xD0\1\1\x0C\x22\x38") + PngChunk("tEXt", "Title\0PngSuite"s) +
                       PngChunk("zTXt", "Disclaimer\0\0"s + Zlib("freeware")) +
                       PngChunk("iTXt", "Titre\0\0\0fr\0\0s\xC3\xA9rie"s) +
                       PngChunk("sPLT", "six-cube\0\x08\0\0\0\xFF\0\1"s);
  CheckAll({2, 8}, 16, 16, {.before_palette = chunks, .behind_data = PngChunk("tEXt", "Author\0me"s)});
  const std::string histogram = PngChunk("hIST", std::string(32, '\1'));
  CheckAll({3, 4}, 16, 16, {.before_data = histogram + PngChunk("oFFs", "\0\0\0\1\0\0\0\1\0"s)});
  const std::string animation = PngChunk("acTL", "\0\0\0\1\0\0\0\0"s) +
                                PngChunk("fcTL", "\0\0\0\0"s + "\0\0\0\x10\0\0\0\x10"s + std::string(14, 0));
  CheckAll({2, 8}, 16, 16, {.before_data = animation});
}

TEST_CASE("corpus PNG: a signature that a transfer as text has changed is no PNG") {
  const std::string png = WritePng(PngOf(0, 1, 32, 32));
  CheckRefused(Replaced(png, 0, "\x09"));  // the first byte without its high bit
  CheckRefused(Replaced(png, 1, "Q"));     // another letter
  CheckRefused(Replaced(png, 3, "g"));     // in lower case
  CheckRefused(Replaced(png, 6, " "));     // without the end of file
  CheckRefused(Replaced(png, 4, "\n\n"));  // CR taken for LF
  std::string more = png, less = png;
  CheckRefused(more.insert(7, "\r"));  // CR put before LF
  CheckRefused(less.erase(4, 1));      // CR taken off
}

TEST_CASE("corpus PNG: colour types and depths that do not exist, or not together, are refused") {
  const std::string end = PngChunk("IDAT", Zlib(std::string(33 * 300, '\0'))) + PngChunk("IEND", "");
  const std::string behind = PngChunk("PLTE", std::string(768, '\0')) + end;
  for (int type = 0; type <= 9; ++type) {
    for (int depth : {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 32, 99, 255}) {
      const bool exists = std::any_of(std::begin(kKinds), std::end(kKinds), [&](const Kind& kind) {
        return kind.colour_type == type && kind.depth == depth;
      });
      if (exists) continue;
      CAPTURE(type);
      CAPTURE(depth);
      CheckRefused(PngHeader(32, 32, depth, type).append(behind));
    }
  }
  for (size_t at : {26, 27, 28}) {  // compression, filter, interlacing
    const std::string head = PngHeader(32, 32, 8, 2);
    const std::string fields = Replaced(head.substr(16, 13), at - 16, at == 28 ? "\2" : "\1");
    CheckRefused(head.substr(0, 8) + PngChunk("IHDR", fields) + end);
  }
}

TEST_CASE("corpus PNG: what is missing, twice, empty or has a wrong checksum is refused") {
  const PngPicture picture = PngOf(3, 4, 16, 16, true);
  const std::string png = WritePng(picture);
  const auto chunk = [&](std::string_view type) { return png.find(type) - 4; };
  const auto flip = [&](size_t at) {
    return Replaced(png, at, std::string(1, static_cast<char>(png[at] ^ 1)));
  };
  CheckRefused(flip(29));                 // IHDR's checksum
  CheckRefused(flip(chunk("tRNS") - 1));  // PLTE's
  CheckRefused(flip(chunk("IEND") - 1));  // IDAT's
  CheckRefused(flip(png.size() - 1));     // IEND's
  CheckRefused(png.substr(0, chunk("IDAT")) + png.substr(chunk("IEND")));
  CheckRefused(png.substr(0, chunk("PLTE")) + png.substr(chunk("tRNS")));
  CheckRefused(png.substr(0, chunk("IEND")));
  CheckRefused(png.substr(0, 8) + png.substr(33));  // no IHDR
  CheckRefused(png.substr(0, 33) + png.substr(8));  // two
  for (const auto& size : {std::pair{0u, 5u}, {5u, 0u}, {0u, 0u}, {0x80000000u, 1u}, {1u, 0x80000000u}}) {
    const std::string head = PngHeader(size.first, size.second, 8, 2);
    const Code code = CodeOf(Decode(head + png.substr(33)).status());
    const bool refused = code == Code::kInvalid || code == Code::kTooLarge;
    CHECK(refused);
  }
}

TEST_CASE("corpus PNG: every byte of a file cut off, and every bit of it changed, is an error or harmless") {
  for (const Kind& kind : {Kind{0, 2}, {3, 2}, {2, 16}, {6, 8}}) {
    for (bool interlaced : {false, true}) {
      PngPicture picture = PngOf(kind.colour_type, kind.depth, 5, 5, kind.colour_type == 3);
      picture.interlaced = interlaced;
      const std::string png = WritePng(picture, {.filter = 5});
      const Pixels shown = Shown(picture);
      PngPicture without = picture;
      without.transparency.clear();
      const Pixels opaque = Shown(without);
      for (size_t size = 0; size < png.size(); ++size) CheckRefused(png.substr(0, size));
      for (size_t bit = 0; bit < png.size() * 8; ++bit) {
        std::string changed = png;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
        const auto pixels = Decode(changed);
        CAPTURE(bit);
        // A checksum covers every chunk that counts: what still decodes has lost a tRNS at most.
        if (pixels.ok()) CHECK(Same(*pixels, pixels->channels == shown.channels ? shown : opaque));
      }
    }
  }
}

TEST_CASE("corpus PNG: data that would burst behind the last row do no harm") {
  const PngPicture picture = PngOf(2, 8, 4, 4);
  const std::string png = WritePng(picture, {.level = 0});
  std::string rows;
  for (uint32_t y = 0; y < 4; ++y) {
    rows.push_back('\0');
    for (size_t i = 0; i < 12; ++i) rows.push_back(static_cast<char>(picture.samples[y * 12 + i]));
  }
  const std::string bomb = Zlib(rows + std::string(20'000'000, '\0'));  // NOLINT(bugprone-string-constructor)
  const std::string head = png.substr(0, 33);
  CHECK(Same(MustDecode(head + PngChunk("IDAT", bomb) + PngChunk("IEND", "")), Shown(picture)));
}

}  // namespace mediagen
