#include <doctest/doctest.h>

#include <string>

#include "codec/pictures.h"

namespace mediagen {
namespace {

using namespace std::string_literals;

ImageInfo Info(const std::string& bytes) {
  const auto info = Probe(bytes);
  REQUIRE(info.ok());
  return *info;
}

const std::string kJumbf =
    "JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\x28jumdc2pa\0\x11\0\x10\x80\0\0\xAA\0\x38\x9Bq\3c2pa\0"s;

// One frame of 2×2 pixels; the codes are not looked at.
std::string GifFrame(bool transparent) {
  const std::string control = "\x21\xF9\4"s + (transparent ? "\1" : "\0"s) + "\0\0\0\0"s;
  return control + "\x2C\0\0\0\0\2\0\2\0\0"s + "\2\2\x4C\1\0"s;
}

}  // namespace

TEST_CASE("a probe says size, alpha and frames of each format") {
  for (Format format : {Format::kPng, Format::kJpeg, Format::kWebp}) {
    const ImageInfo info = Info(Encoded(Gradient(37, 21, 3), format));
    CHECK(info.format == format);
    CHECK(info.width == 37);
    CHECK(info.height == 21);
    CHECK(info.orientation == 1);
    CHECK_FALSE(info.alpha);
    CHECK(info.frames == 1);
    CHECK_FALSE(info.icc);
    CHECK_FALSE(info.c2pa);
    CHECK(info.prompt.empty());
  }
  CHECK(Info(Encoded(Gradient(9, 9, 4), Format::kPng)).alpha);
  CHECK(Info(Encoded(Gradient(9, 9, 4), Format::kWebp)).alpha);
  const auto lossy = Encode(Gradient(40, 30, 4), {.format = Format::kWebp});
  CHECK(Info(std::string(lossy->view())).alpha);
  CHECK(Info(std::string(lossy->view())).width == 40);
}

TEST_CASE("a GIF's screen, frames and transparency are read") {
  const std::string head = "GIF89a\x05\0\x07\0\x80\0\0"s + "\0\0\0\xFF\xFF\xFF"s;
  const ImageInfo plain = Info(head + GifFrame(false) + ";");
  CHECK(plain.width == 5);
  CHECK(plain.height == 7);
  CHECK(plain.frames == 1);
  CHECK_FALSE(plain.alpha);
  const ImageInfo moving = Info(head + GifFrame(false) + GifFrame(true) + GifFrame(false) + ";");
  CHECK(moving.frames == 3);
  CHECK(moving.alpha);
  CHECK(CodeOf(Probe("GIF89a\x05\0"s).status()) == Code::kInvalid);
  CHECK(CodeOf(Decode(head + GifFrame(false) + ";").status()) == Code::kInvalid);  // no picture data
}

TEST_CASE("orientation is read from EXIF in every format and either byte order") {
  const Pixels pixels = Gradient(6, 4, 3);
  const std::string lossless = Encoded(pixels, Format::kWebp).substr(12);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (bool little : {false, true}) {
      const std::string exif = Exif(orientation, little);
      CHECK(Info(WithPngChunk(Encoded(pixels, Format::kPng), "eXIf", exif)).orientation == orientation);
      CHECK(Info(WithPngChunk(Encoded(pixels, Format::kPng), "eXIf", exif, true)).orientation == orientation);
      CHECK(Info(WithJpegSegment(Encoded(pixels, Format::kJpeg), 0xE1, "Exif\0\0"s + exif)).orientation ==
            orientation);
      CHECK(Info(WebpOf(Vp8x(8, 6, 4) + lossless + RiffChunk("EXIF", exif))).orientation == orientation);
    }
  }
}

TEST_CASE("an EXIF block that says nothing sensible is orientation 1") {
  const std::string jpeg = Encoded(Gradient(4, 4, 3), Format::kJpeg);
  std::string other = Exif(6, true);
  other[10] = '\x13';  // another tag
  for (const std::string& exif :
       {Exif(0, true), Exif(9, false), Exif(6, true).substr(0, 15), "II*\0\xFF\xFF\xFF\xFF"s,
        "II+\0\x08\0\0\0"s, "XX"s, ""s, "II*\0\x08\0\0\0\xFF\xFF"s, other}) {
    CHECK(Info(WithJpegSegment(jpeg, 0xE1, "Exif\0\0"s + exif)).orientation == 1);
  }
}

TEST_CASE("a C2PA manifest and an ICC profile are seen, wherever the format keeps them") {
  const Pixels pixels = Gradient(6, 4, 3);
  const std::string png = Encoded(pixels, Format::kPng), jpeg = Encoded(pixels, Format::kJpeg);
  const std::string lossless = Encoded(pixels, Format::kWebp).substr(12);
  CHECK(Info(WithPngChunk(png, "caBX", "jumb")).c2pa);
  CHECK(Info(WithPngChunk(png, "caBX", "jumb", true)).c2pa);
  CHECK(Info(WithJpegSegment(jpeg, 0xEB, kJumbf)).c2pa);
  CHECK_FALSE(Info(WithJpegSegment(jpeg, 0xEB, "JP\0\1\0\0\0\1\0\0\0\x40jumb another box"s)).c2pa);
  CHECK_FALSE(Info(WithJpegSegment(jpeg, 0xEB, "c2pa")).c2pa);
  CHECK(Info(WebpOf(Vp8x(0, 6, 4) + lossless + RiffChunk("C2PA", "jumb!"))).c2pa);
  CHECK(Info(WithPngChunk(png, "iCCP", "p\0\0"s)).icc);
  CHECK(Info(WithJpegSegment(jpeg, 0xE2, "ICC_PROFILE\0\1\1"s)).icc);
  CHECK(Info(WebpOf(Vp8x(0x20, 6, 4) + RiffChunk("ICCP", "p") + lossless)).icc);
}

TEST_CASE("the prompt is read out of PNG text, whichever chunk holds it") {
  const std::string png = Encoded(Gradient(4, 4, 3), Format::kPng);
  const auto prompt = [&](std::string_view type, const std::string& data) {
    return Info(WithPngChunk(png, type, data)).prompt;
  };
  CHECK(prompt("tEXt", "parameters\0a red fox"s) == "a red fox");
  CHECK(prompt("tEXt", "prompt\0a red fox"s) == "a red fox");
  CHECK(prompt("tEXt", "prompt\0caf\xE9"s) == "café");  // Latin-1, as the standard says
  CHECK(prompt("tEXt", "prompt\0café"s) == "café");     // UTF-8, as is done
  CHECK(prompt("zTXt", "parameters\0\0"s + Zlib("a red fox")) == "a red fox");
  CHECK(prompt("iTXt", "parameters\0\0\0en\0\0ein Fuchs ❄"s) == "ein Fuchs ❄");
  CHECK(prompt("iTXt", "parameters\0\1\0\0\0"s + Zlib("ein Fuchs ❄")) == "ein Fuchs ❄");
  CHECK(prompt("tEXt", "Software\0a tool"s).empty());
  const std::string both =
      WithPngChunk(WithPngChunk(png, "tEXt", "parameters\0first choice"s), "tEXt", "prompt\0second"s);
  CHECK(Info(both).prompt == "first choice");
  const std::string turned =
      WithPngChunk(WithPngChunk(png, "tEXt", "prompt\0second"s), "tEXt", "parameters\0first choice"s);
  CHECK(Info(turned).prompt == "first choice");
}

TEST_CASE("a prompt has at most 4 KB, and a broken or bursting one is none") {
  const std::string png = Encoded(Gradient(4, 4, 3), Format::kPng);
  const auto prompt = [&](std::string_view type, const std::string& data) {
    return Info(WithPngChunk(png, type, data)).prompt;
  };
  const std::string cut = prompt("tEXt", "prompt\0"s + std::string(10'000, 'x'));
  CHECK(cut.size() <= 4096);
  CHECK(cut.size() > 4000);
  // NOLINTNEXTLINE(bugprone-string-constructor)
  CHECK(prompt("zTXt", "prompt\0\0"s + Zlib(std::string(50'000'000, 'x'))).empty());
  CHECK(prompt("zTXt", "prompt\0\0broken"s).empty());
  CHECK(prompt("zTXt", "prompt\0\1"s + Zlib("x")).empty());
  CHECK(prompt("iTXt", "prompt\0\0\0en"s).empty());
  CHECK(prompt("iTXt", "prompt\0\0\0\0\0\xFF\xFE"s).empty());
  CHECK(prompt("iTXt", "prompt\0"s).empty());
  CHECK(prompt("tEXt", "prompt").empty());
}

TEST_CASE(
    "of a PNG's compressed texts only the first few are inflated: broken ones cost as much as good ones") {
  const std::string good = PngChunk("zTXt", "prompt\0\0"s + Zlib("a red fox"));
  const auto prompt = [&](int broken) {
    std::string chunks;
    for (int i = 0; i < broken; ++i)
      chunks += PngChunk(i % 2 == 0 ? "zTXt" : "iTXt", "prompt\0\1\0\0\0broken"s);
    for (int i = 0; i < broken; ++i) chunks += PngChunk("zTXt", "prompt\0\0broken"s);
    return Info(PngHeader(4, 4, 8, 2) + chunks + good).prompt;
  };
  CHECK(prompt(0) == "a red fox");
  CHECK(prompt(4) == "a red fox");
  CHECK(prompt(10).empty());
  CHECK(prompt(100'000).empty());
}

// A TIFF block, big-endian: IFD0 with a pointer to an EXIF directory, in which the user comment is.
std::string ExifComment(const std::string& set, const std::string& text) {
  const std::string value = (set + std::string(8, '\0')).substr(0, 8) + text;
  return "MM\0*\0\0\0\x08"s + "\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1A\0\0\0\0"s +  // the directory is at 26
         "\0\x01\x92\x86\0\x07"s + Be32(static_cast<uint32_t>(value.size())) + "\0\0\0\x2C\0\0\0\0"s + value;
}

TEST_CASE("the prompt is read out of the EXIF comment of WebP and JPEG") {
  const std::string jpeg = Encoded(Gradient(4, 4, 3), Format::kJpeg);
  const std::string lossless = Encoded(Gradient(4, 4, 3), Format::kWebp).substr(12);
  const auto prompt = [&](const std::string& exif) {
    std::string by_jpeg = Info(WithJpegSegment(jpeg, 0xE1, "Exif\0\0"s + exif)).prompt;
    CHECK(Info(WebpOf(Vp8x(8, 4, 4) + lossless + RiffChunk("EXIF", exif))).prompt == by_jpeg);
    return by_jpeg;
  };
  CHECK(prompt(ExifComment("ASCII", "a red fox")) == "a red fox");
  CHECK(prompt(ExifComment("UNICODE", "\0a\0 \0f\0o\0x"s)) == "a fox");
  CHECK(prompt(ExifComment("UNICODE", "a\0 \0f\0o\0x\0"s)) == "a fox");  // in the other byte order
  CHECK(prompt(ExifComment("UNICODE", "\0a\xD8\x3E\xDD\x8A\0b"s)) == "a🦊b");
  CHECK(prompt(ExifComment("UNICODE", "\0a\xD8\x3E\0b\0c"s)) ==
        "a\xEF\xBF\xBD"
        "bc");
  CHECK(prompt(ExifComment("", "a red fox")) == "a red fox");
  CHECK(prompt(ExifComment("ASCII", "            ")).empty());  // as cameras leave it
  CHECK(prompt(ExifComment("ASCII", std::string(5'000, 'x'))).size() <= 4096);
  CHECK(prompt(Exif(6, true)).empty());
  const std::string whole = ExifComment("ASCII", "a red fox");
  for (size_t size = 0; size < whole.size(); ++size) CHECK(prompt(whole.substr(0, size)).size() <= 9);
  // Some say it in the camera's model.
  const std::string model = "MM\0*\0\0\0\x08\0\x01\x01\x10\0\x02\0\0\0\x0C\0\0\0\x1A\0\0\0\0prompt:a fox\0"s;
  CHECK(prompt(model) == "a fox");
}

TEST_CASE("animations are counted") {
  const std::string png = Encoded(Gradient(4, 4, 3), Format::kPng);
  CHECK(Info(WithPngChunk(png, "acTL", Be32(7) + Be32(0))).frames == 7);
  const std::string frame = RiffChunk("ANMF", std::string(16, '\0'));
  CHECK(Info(WebpOf(Vp8x(2, 4, 4) + RiffChunk("ANIM", std::string(6, '\0')) + frame + frame)).frames == 2);
}

TEST_CASE("headers that are broken or cut off are invalid, with the place") {
  const std::string jpeg = Encoded(Gradient(4, 4, 3), Format::kJpeg),
                    png = Encoded(Gradient(4, 4, 3), Format::kPng);
  const auto message = [](const std::string& bytes) {
    const auto info = Probe(bytes);
    CHECK(CodeOf(info.status()) == Code::kInvalid);
    return InfoOf(info.status()).message;
  };
  CHECK(message("") == "the picture is empty");
  CHECK(message("hello there") == "11 bytes are no picture of a known format");
  CHECK(message(png.substr(0, 20)) == "PNG is truncated at byte 20: its header (IHDR) is not complete");
  CHECK(message(jpeg.substr(0, 30)) == "JPEG is truncated at byte 30: its headers do not end");
  CHECK(message("\xFF\xD8\xFF\xD9\0\0"s).find("no frame header") != std::string::npos);
  CHECK(message("\xFF\xD8\xFF\xE0\0\0"s).find("no length") != std::string::npos);
  CHECK(message("\xFF\xD8\xFF\xE0\0\2\x12\x34\x56\x78"s).find("no marker at byte 6") != std::string::npos);
  CHECK(message(WebpOf(RiffChunk("JUNK", std::string(20, 'x')))).find("first chunk") != std::string::npos);
  CHECK(message(WebpOf(RiffChunk("VP8 ", std::string(20, 'x')))).find("first chunk") != std::string::npos);
  CHECK(message(WebpOf(RiffChunk("VP8L", std::string(20, 'x')))).find("first chunk") != std::string::npos);
  CHECK(message(WebpOf("VP8")).find("WebP is truncated") == 0);
  CHECK(message(PngHeader(0, 5, 8, 2) + PngChunk("IEND", "")).find("0x5") != std::string::npos);
  std::string headless = png;
  headless[13] = 'X';
  CHECK(message(headless).find("IHDR") != std::string::npos);
}

TEST_CASE("formats that are only recognised are unsupported, by name") {
  for (const std::string& bytes : {"<svg/>"s,
                                   "\0\0\0\x1C"
                                   "ftypavif\0\0\0\0"s,
                                   "\0\0\0\x1C"
                                   "ftypisom\0\0\0\0"s}) {
    CHECK(CodeOf(Probe(bytes).status()) == Code::kUnsupported);
    CHECK(CodeOf(Decode(bytes).status()) == Code::kUnsupported);
  }
  CHECK(InfoOf(Decode("<svg/>").status()).message == "SVG is recognised but not read");
}

}  // namespace mediagen
