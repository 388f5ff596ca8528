#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "codec/jpeg_writer.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

using namespace std::string_literals;

std::string Png(const std::string& header, const std::string& extra, const std::string& rows) {
  return header + extra + PngChunk("IDAT", Zlib(rows)) + PngChunk("IEND", "");
}

}  // namespace

TEST_CASE("every kind of PNG becomes 8-bit RGB or RGBA") {
  using Colour = std::array<int, 4>;
  const Pixels grey = MustDecode(Png(PngHeader(2, 1, 8, 0), "", "\0\x40\xC0"s));
  CHECK(grey.channels == 3);
  CHECK(At(grey, 1, 0) == Colour{0xC0, 0xC0, 0xC0, 255});
  const Pixels bits = MustDecode(Png(PngHeader(3, 1, 1, 0), "", "\0\xA0"s));
  CHECK(At(bits, 0, 0) == Colour{255, 255, 255, 255});
  CHECK(At(bits, 1, 0) == Colour{0, 0, 0, 255});
  const Pixels grey_alpha = MustDecode(Png(PngHeader(1, 1, 8, 4), "", "\0\x40\x80"s));
  CHECK(At(grey_alpha, 0, 0) == Colour{0x40, 0x40, 0x40, 0x80});
  const Pixels deep = MustDecode(Png(PngHeader(1, 1, 16, 2), "", "\0\x80\x80\xFF\xFF\0\0"s));
  CHECK(At(deep, 0, 0) == Colour{0x80, 255, 0, 255});
  const std::string palette = PngChunk("PLTE", "\x10\x20\x30\xA0\xB0\xC0"s);
  const Pixels indexed = MustDecode(Png(PngHeader(2, 1, 8, 3), palette, "\0\1\0"s));
  CHECK(indexed.channels == 3);
  CHECK(At(indexed, 0, 0) == Colour{0xA0, 0xB0, 0xC0, 255});
  const Pixels clear = MustDecode(Png(PngHeader(2, 1, 8, 3), palette + PngChunk("tRNS", "\x07"), "\0\1\0"s));
  CHECK(At(clear, 1, 0) == Colour{0x10, 0x20, 0x30, 7});
  CHECK(At(clear, 0, 0) == Colour{0xA0, 0xB0, 0xC0, 255});
}

TEST_CASE("a PNG with broken data, a wrong checksum or another palette is invalid") {
  const auto message = [](const std::string& bytes) {
    const auto pixels = Decode(bytes);
    CHECK(CodeOf(pixels.status()) == Code::kInvalid);
    return InfoOf(pixels.status()).message;
  };
  CHECK(message(PngHeader(2, 2, 8, 2) + PngChunk("IDAT", "not zlib") + PngChunk("IEND", ""))
            .find("PNG is broken") == 0);
  CHECK(message(Png(PngHeader(2, 2, 8, 2), "", "\0\1\2\3"s)).find("PNG is broken") == 0);    // too few rows
  CHECK(message(Png(PngHeader(1, 1, 8, 3), "", "\0\0"s)).find("PNG is broken") == 0);        // no palette
  CHECK(message(Png(PngHeader(1, 1, 7, 2), "", "\0\0\0\0"s)).find("PNG is broken") == 0);    // no such depth
  CHECK(message(Png(PngHeader(1, 1, 8, 2), "", "\x09\0\0\0"s)).find("PNG is broken") == 0);  // no such filter
  std::string bad = Encoded(Gradient(5, 5, 3), Format::kPng);
  bad[29] ^= 1;  // IHDR's checksum
  CHECK(message(bad).find("PNG is broken") == 0);
  CHECK(message(PngHeader(2, 2, 8, 2) + PngChunk("IEND", "")).find("PNG is broken") == 0);  // no data at all
}

TEST_CASE("text chunks that would burst do not matter to decoding") {
  const Pixels pixels = Gradient(5, 5, 3);
  const std::string bomb = Zlib(std::string(30'000'000, 'x'));  // NOLINT(bugprone-string-constructor)
  const std::string png = WithPngChunk(Encoded(pixels, Format::kPng), "zTXt", "Comment\0\0"s + bomb);
  CHECK(Same(MustDecode(png), pixels));
  CHECK(Same(MustDecode(WithPngChunk(png, "iCCP", "profile\0\0"s + bomb)), pixels));
}

TEST_CASE("a JPEG is reduced while it is decoded, never below what was asked for") {
  const std::string jpeg = Encoded(Gradient(803, 600, 3), Format::kJpeg);
  struct Row {
    uint32_t target_width, target_height, width, height;
  };
  for (const Row& row :
       {Row{0, 0, 803, 600}, Row{803, 600, 803, 600}, Row{402, 300, 402, 300}, Row{403, 300, 803, 600},
        Row{402, 301, 803, 600}, Row{201, 150, 201, 150}, Row{300, 0, 402, 300}, Row{0, 80, 201, 150},
        Row{1, 1, 101, 75}, Row{2000, 1, 803, 600}}) {
    CAPTURE(row.target_width);
    CAPTURE(row.target_height);
    const Pixels pixels =
        MustDecode(jpeg, {.target_width = row.target_width, .target_height = row.target_height});
    CHECK(pixels.width == row.width);
    CHECK(pixels.height == row.height);
  }
  const Pixels small = MustDecode(jpeg, {.target_width = 100});
  CHECK(Distance(small, *Resize(Gradient(803, 600, 3),
                                {.width = small.width, .height = small.height, .fit = Fit::kFill})) < 16);
}

TEST_CASE("the target is that of the turned picture") {
  const std::string jpeg =
      WithJpegSegment(Encoded(Gradient(400, 100, 3), Format::kJpeg), 0xE1, "Exif\0\0"s + Exif(6, true));
  const Pixels turned = MustDecode(jpeg, {.target_width = 50, .target_height = 200});
  CHECK(turned.width == 50);
  CHECK(turned.height == 200);
  const Pixels stored =
      MustDecode(jpeg, {.target_width = 200, .target_height = 50, .apply_orientation = false});
  CHECK(stored.width == 200);
  CHECK(stored.height == 50);
}

TEST_CASE("a progressive JPEG decodes; one with too many scans is refused") {
  const Pixels pixels = Gradient(64, 48, 3);
  const std::string jpeg = WriteJpeg(pixels, {.progressive = true, .quality = 90});
  CHECK(Distance(MustDecode(jpeg), pixels) < 16);
  const auto refused = Decode(jpeg, {.limits = {.max_jpeg_scans = 3}});
  CHECK(CodeOf(refused.status()) == Code::kTooLarge);
  CHECK(InfoOf(refused.status()).message == "the JPEG has more than 3 scans");
  // The bomb: the last scan, over and over.
  const size_t scan = jpeg.rfind("\xFF\xDA");
  std::string bomb = jpeg.substr(0, jpeg.size() - 2);
  for (int i = 0; i < 200; ++i) bomb += jpeg.substr(scan, jpeg.size() - 2 - scan);
  CHECK(CodeOf(Decode(bomb + "\xFF\xD9").status()) == Code::kTooLarge);
}

TEST_CASE("of an animated WebP the first frame is decoded, in its place on the canvas") {
  const Pixels first = Noise(6, 4, 3, 9), second = Noise(6, 4, 3, 10);
  const auto frame = [](const Pixels& pixels, uint32_t left, uint32_t top) {
    const auto u24 = [](uint32_t value) { return Le32(value).substr(0, 3); };
    const std::string head =
        u24(left / 2) + u24(top / 2) + u24(pixels.width - 1) + u24(pixels.height - 1) + u24(100) + "\0"s;
    return RiffChunk("ANMF", head + Encoded(pixels, Format::kWebp).substr(12));
  };
  const std::string anim = RiffChunk("ANIM", std::string(6, '\0'));
  const Pixels canvas = MustDecode(WebpOf(Vp8x(2, 20, 10) + anim + frame(first, 8, 4) + frame(second, 0, 0)));
  CHECK(canvas.width == 20);
  CHECK(canvas.height == 10);
  REQUIRE(canvas.channels == 4);
  CHECK(At(canvas, 0, 0) == std::array<int, 4>{0, 0, 0, 0});
  for (uint32_t y = 0; y < 4; ++y) {
    for (uint32_t x = 0; x < 6; ++x) CHECK(At(canvas, 8 + x, 4 + y) == At(first, x, y));
  }
  CHECK(CodeOf(Decode(WebpOf(Vp8x(2, 10, 6) + anim + frame(first, 8, 4))).status()) ==
        Code::kInvalid);                                                            // leaves the canvas
  CHECK(CodeOf(Decode(WebpOf(Vp8x(2, 10, 6) + anim)).status()) == Code::kInvalid);  // no frame
}

TEST_CASE("a WebP whose container says another size than its bitstream is invalid") {
  const std::string chunks = Encoded(Noise(6, 4, 3, 1), Format::kWebp).substr(12);
  CHECK(CodeOf(Decode(WebpOf(Vp8x(0, 60, 40) + chunks)).status()) == Code::kInvalid);
}

TEST_CASE("decoding applies the orientation, unless it is told not to") {
  // Stored 3×2:  a b c      Seen upright for each orientation (EXIF 2.32 §4.6.4).
  //              d e f
  const std::string letters = "abcdef";
  const std::string seen[9] = {"",         "abc/def",  "cba/fed",  "fed/cba", "def/abc",
                               "ad/be/cf", "da/eb/fc", "fc/eb/da", "cf/be/ad"};
  for (int channels : {3, 4}) {
    Pixels stored = NewPixels(3, 2, channels).value();
    for (size_t i = 0; i < stored.bytes(); ++i)
      stored.data[i] = static_cast<uint8_t>(letters[i / size_t(channels)]);
    for (int orientation = 1; orientation <= 8; ++orientation) {
      const std::string png = WithPngChunk(Encoded(stored, Format::kPng), "eXIf", Exif(orientation, false));
      const Pixels upright = MustDecode(png);
      std::string text;
      for (uint32_t y = 0; y < upright.height; ++y) {
        if (y > 0) text += '/';
        for (uint32_t x = 0; x < upright.width; ++x) text += static_cast<char>(At(upright, x, y)[0]);
      }
      CHECK(text == seen[orientation]);
      CHECK(Same(MustDecode(png, {.apply_orientation = false}), stored));
    }
  }
}

TEST_CASE("turning a picture that is larger than a tile loses nothing") {
  const Pixels pixels = Noise(101, 67, 3, 5);
  const auto turn = [&](const Pixels& from, int orientation) {
    return MustDecode(WithPngChunk(Encoded(from, Format::kPng), "eXIf", Exif(orientation, true)));
  };
  CHECK(Same(turn(turn(pixels, 6), 8), pixels));
  for (int self_inverse : {2, 3, 4, 5, 7})
    CHECK(Same(turn(turn(pixels, self_inverse), self_inverse), pixels));
  CHECK_FALSE(Same(turn(pixels, 3), pixels));
}

}  // namespace mediagen
