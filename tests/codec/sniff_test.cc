#include <doctest/doctest.h>

#include <string>

#include "codec/pictures.h"

namespace mediagen {

using namespace std::string_literals;

TEST_CASE("magic bytes say the format") {
  const Pixels pixels = Gradient(3, 3, 3);
  CHECK(Sniff(Encoded(pixels, Format::kPng)) == Format::kPng);
  CHECK(Sniff(Encoded(pixels, Format::kJpeg)) == Format::kJpeg);
  CHECK(Sniff(Encoded(pixels, Format::kWebp)) == Format::kWebp);
  CHECK(Sniff("GIF87a......") == Format::kGif);
  CHECK(Sniff("GIF89a......") == Format::kGif);
  CHECK(Sniff("\0\0\0\x1C"
              "ftypavif\0\0\0\0"s) == Format::kAvif);
  CHECK(Sniff("\0\0\0\x1C"
              "ftypmif1\0\0\0\0mif1avif"s) == Format::kAvif);
  CHECK(Sniff("\0\0\0\x1C"
              "ftypisom\0\0\2\0isomiso2"s) == Format::kMp4);
  CHECK(Sniff("\0\0\0\x1C"
              "ftypmp42\0\0\0\0"s) == Format::kMp4);
  CHECK(Sniff("\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x84webm"s) == Format::kWebm);
}

TEST_CASE("what is none of them is unknown") {
  CHECK(Sniff("") == Format::kUnknown);
  CHECK(Sniff("\x89PNG") == Format::kUnknown);
  CHECK(Sniff("\xFF\xD8") == Format::kUnknown);
  CHECK(Sniff("RIFF\0\0\0\0WAVE"s) == Format::kUnknown);
  CHECK(Sniff("RIFF") == Format::kUnknown);
  CHECK(Sniff("\0\0\0\x18"
              "ftypheic\0\0\0\0mif1heic"s) == Format::kUnknown);
  CHECK(Sniff("\0\0\0\x18"
              "ftypmif1\0\0\0\0mif1heic"s) == Format::kUnknown);
  CHECK(Sniff("\x1A\x45\xDF\xA3\x9F\x42\x82\x88matroska"s) == Format::kUnknown);
  CHECK(Sniff("<html><svg></svg></html>") == Format::kUnknown);
  CHECK(Sniff("%PDF-1.7") == Format::kUnknown);
}

TEST_CASE("SVG is found behind a prolog") {
  for (std::string_view text :
       {"<svg/>", "<svg xmlns='x'>", "  \n<svg>", "\xEF\xBB\xBF<svg>", "<?xml version='1.0'?>\n<svg>",
        "<!-- a > b --><!DOCTYPE svg PUBLIC 'x' 'y'>\n<svg\n>", "<s:svg>"}) {
    CAPTURE(std::string(text));
    CHECK(Sniff(text) == Format::kSvg);
  }
  for (std::string_view text : {"<", "<svgx>", "<?xml", "<!-- <svg> ", "svg", "<xml><svg>"})
    CHECK(Sniff(text) == Format::kUnknown);
}

TEST_CASE("formats have media types, extensions and names") {
  CHECK(MediaType(Format::kPng) == "image/png");
  CHECK(MediaType(Format::kJpeg) == "image/jpeg");
  CHECK(MediaType(Format::kSvg) == "image/svg+xml");
  CHECK(MediaType(Format::kMp4) == "video/mp4");
  CHECK(MediaType(Format::kUnknown) == "application/octet-stream");
  CHECK(Extension(Format::kJpeg) == "jpg");
  CHECK(Extension(Format::kUnknown) == "bin");
  CHECK(FormatByName("jpeg") == Format::kJpeg);
  CHECK(FormatByName("JPG") == Format::kJpeg);
  CHECK(FormatByName("bin") == Format::kUnknown);
  CHECK(FormatByName("") == Format::kUnknown);
  for (Format format : {Format::kPng, Format::kJpeg, Format::kWebp, Format::kGif, Format::kAvif, Format::kSvg,
                        Format::kMp4, Format::kWebm}) {
    CHECK(FormatByName(Extension(format)) == format);
    CHECK(IsVideo(format) == (format == Format::kMp4 || format == Format::kWebm));
  }
}

}  // namespace mediagen
