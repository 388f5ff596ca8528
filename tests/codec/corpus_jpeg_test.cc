// What conformance suites for JPEG hold (ITU-T T.81's processes, the pictures that libjpeg-turbo is tested
// with), as pictures that are written here: each is compared with what libjpeg's own interface reads, and
// what is broken with its verdict.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "codec/colour.h"
#include "codec/jpeg_reader.h"
#include "codec/jpeg_writer.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

using namespace std::string_literals;

constexpr std::pair<uint32_t, uint32_t> kSizes[] = {{1, 1},   {7, 9},   {8, 8},   {15, 17}, {16, 16},
                                                    {17, 15}, {33, 31}, {100, 3}, {3, 100}, {129, 65}};

// What the pixels of a file show, without a profile.
Pixels Shown(const JpegReading& reading) {
  Pixels out = NewPixels(reading.pixels.width, reading.pixels.height, reading.pixels.channels).value();
  const bool inverted = reading.ink && !reading.adobe;
  for (size_t i = 0; i < out.bytes(); ++i)
    out.data[i] = static_cast<uint8_t>(inverted ? 255 - reading.pixels.data[i] : reading.pixels.data[i]);
  return reading.ink ? codec::CmykToSrgb("", out).value() : std::move(out);
}

void CheckWhole(const std::string& jpeg) {
  const auto reading = ReadJpeg(jpeg);
  REQUIRE(reading.has_value());
  CHECK(Same(MustDecode(jpeg), Shown(*reading)));
}

// Whole, and reduced to a half, a quarter and an eighth.
void CheckReductions(const std::string& jpeg) {
  CheckWhole(jpeg);
  const ImageInfo info = Probe(jpeg).value();
  for (uint32_t divisor : {2u, 4u, 8u}) {
    const uint32_t width = (info.width + divisor - 1) / divisor,
                   height = (info.height + divisor - 1) / divisor;
    const Pixels pixels = MustDecode(jpeg, {.target_width = width, .target_height = height});
    const auto by = [](uint32_t side, uint32_t part) { return (side + part - 1) / part; };
    // A small side may be the same at two divisors; then the stronger one is taken.
    uint32_t taken = divisor;
    for (uint32_t more : {2u, 4u, 8u})
      if (by(info.width, more) >= width && by(info.height, more) >= height) taken = std::max(taken, more);
    CAPTURE(divisor);
    const auto reading = ReadJpeg(jpeg, taken);
    REQUIRE(reading.has_value());
    CHECK(Same(pixels, Shown(*reading)));
  }
}

Pixels Picture(uint32_t width, uint32_t height, int channels) {
  Pixels pixels = Gradient(width, height, channels);
  const Pixels noise = Noise(width, height, channels, width * 1000 + height);
  for (size_t i = 0; i < pixels.bytes(); i += 5) pixels.data[i] = noise.data[i];
  return pixels;
}

// A file in segments, each with its marker: what stands behind SOS up to the next marker belongs to it.
std::vector<std::string> Segments(const std::string& jpeg) {
  std::vector<std::string> out;
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(jpeg[at]); };
  for (size_t at = 0; at + 1 < jpeg.size();) {
    size_t end = at + 2;
    const uint8_t marker = byte(at + 1);
    if (marker != 0xD8 && marker != 0xD9) end += size_t{byte(at + 2)} << 8 | byte(at + 3);
    if (marker == 0xDA)
      while (byte(end) != 0xFF || byte(end + 1) == 0 || (byte(end + 1) & 0xF8) == 0xD0) ++end;
    out.push_back(jpeg.substr(at, end - at));
    at = end;
  }
  return out;
}

std::string Joined(const std::vector<std::string>& segments) {
  std::string out;
  for (const std::string& segment : segments) out += segment;
  return out;
}

bool Is(const std::string& segment, uint8_t marker) { return static_cast<uint8_t>(segment[1]) == marker; }

// Ours and libjpeg's verdict are one, and so are the pixels. Whether it is a picture.
bool CheckVerdict(const std::string& jpeg) {
  const auto info = Probe(jpeg, {.max_pixels = 1 << 20});
  const auto pixels = Decode(jpeg, {.limits = {.max_pixels = 1 << 20}, .apply_orientation = false});
  if (!pixels.ok()) {
    const Code code = CodeOf(pixels.status());
    const bool expected = code == Code::kInvalid || code == Code::kUnsupported || code == Code::kTooLarge;
    CHECK_MESSAGE(expected, InfoOf(pixels.status()).message);
    if (info.ok() && code != Code::kTooLarge) CHECK_FALSE(ReadJpeg(jpeg).has_value());
    return false;
  }
  const auto reading = ReadJpeg(jpeg);
  REQUIRE(reading.has_value());
  CHECK(Same(*pixels, Shown(*reading)));
  return true;
}

void CheckRefused(const std::string& jpeg) {
  CHECK_FALSE(CheckVerdict(jpeg));
  CHECK_FALSE(InfoOf(Decode(jpeg).status()).message.empty());
}

}  // namespace

TEST_CASE("corpus JPEG: every sampling, baseline and progressive, Huffman and arithmetic, at odd sizes") {
  for (const auto& size : kSizes) {
    const Pixels pixels = Picture(size.first, size.second, 3);
    for (const auto& sampling : {std::pair{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}}) {
      for (int way = 0; way < 4; ++way) {
        CAPTURE(size.first);
        CAPTURE(sampling.first);
        CAPTURE(sampling.second);
        CAPTURE(way);
        CheckReductions(WriteJpeg(pixels, {.across = sampling.first,
                                           .down = sampling.second,
                                           .progressive = (way & 1) != 0,
                                           .arithmetic = (way & 2) != 0}));
      }
    }
  }
}

TEST_CASE("corpus JPEG: grey, RGB, CMYK and YCCK, with Adobe's marker and without") {
  for (const auto& size : kSizes) {
    for (bool progressive : {false, true}) {
      CAPTURE(size.first);
      CAPTURE(progressive);
      const Pixels rgb = Picture(size.first, size.second, 3), ink = Picture(size.first, size.second, 4);
      for (JpegKind::Space space : {JpegKind::kGrey, JpegKind::kRgb})
        CheckReductions(WriteJpeg(rgb, {.space = space, .progressive = progressive}));
      for (JpegKind::Space space : {JpegKind::kCmyk, JpegKind::kYcck}) {
        CheckReductions(WriteJpeg(ink, {.space = space, .progressive = progressive}));
        CheckReductions(WriteJpeg(ink, {.space = space, .across = 2, .down = 2, .progressive = progressive}));
      }
      CheckReductions(WriteJpeg(ink, {.space = JpegKind::kCmyk, .progressive = progressive, .adobe = false}));
    }
  }
}

TEST_CASE("corpus JPEG: restart markers at every distance, and all qualities") {
  const Pixels pixels = Picture(70, 50, 3);
  for (int restart : {1, 2, 3, 4, 5, 8, 9, 100, 65535}) {
    for (bool progressive : {false, true}) {
      CAPTURE(restart);
      CheckWhole(WriteJpeg(pixels, {.across = 2, .progressive = progressive, .restart = restart}));
      CheckWhole(WriteJpeg(pixels, {.arithmetic = true, .restart = restart}));
    }
  }
  for (int quality : {1, 2, 10, 25, 50, 75, 90, 99, 100}) {
    CAPTURE(quality);
    CheckReductions(WriteJpeg(pixels, {.across = 2, .down = 2, .quality = quality}));
  }
}

TEST_CASE("corpus JPEG: lines of 65,500 pixels, lying and standing") {
  for (const auto& size : {std::pair{65500u, 1u}, {1u, 65500u}})
    CheckReductions(WriteJpeg(Picture(size.first, size.second, 3), {.across = 2, .down = 2}));
}

TEST_CASE("corpus JPEG: comments, application segments and fill bytes say nothing of the pixels") {
  const std::string jpeg = WriteJpeg(Picture(33, 17, 3), {.restart = 2});
  const Pixels pixels = MustDecode(jpeg);
  for (uint8_t marker : {0xE1, 0xE3, 0xED, 0xEF, 0xFE}) {
    for (const std::string& data : {""s, "x"s, std::string(65533, 'x'), "\xFF\xD9\xFF\xDA"s})
      CHECK(Same(MustDecode(WithJpegSegment(jpeg, marker, data)), pixels));
  }
  std::vector<std::string> segments = Segments(jpeg);
  CHECK(Joined(segments) == jpeg);
  for (std::string& segment : segments)
    if (!Is(segment, 0xD8)) segment.insert(0, "\xFF\xFF\xFF");
  CHECK(Same(MustDecode(Joined(segments)), pixels));
}

TEST_CASE("corpus JPEG: a segment that is missing, doubled or in another's place is judged as by libjpeg") {
  int pictures = 0, errors = 0;
  for (const JpegKind& kind : {JpegKind{}, JpegKind{.progressive = true}, JpegKind{.arithmetic = true},
                               JpegKind{.across = 2, .down = 2, .restart = 3}}) {
    const std::vector<std::string> segments = Segments(WriteJpeg(Picture(33, 31, 3), kind));
    for (size_t i = 0; i < segments.size(); ++i) {
      std::vector<std::string> less = segments, twice = segments, swapped = segments;
      less.erase(less.begin() + static_cast<ptrdiff_t>(i));
      twice.insert(twice.begin() + static_cast<ptrdiff_t>(i), segments[i]);
      std::swap(swapped[i], swapped[(i + 1) % swapped.size()]);
      for (const auto& changed : {less, twice, swapped})
        ++(CheckVerdict(Joined(changed)) ? pictures : errors);
    }
  }
  CHECK(pictures > 0);
  CHECK(errors > 0);
  const std::vector<std::string> segments = Segments(WriteJpeg(Picture(33, 31, 3), {}));
  for (uint8_t needed : {0xC0, 0xDA, 0xDB}) {
    std::vector<std::string> less = segments;
    std::erase_if(less, [&](const std::string& segment) { return Is(segment, needed); });
    CAPTURE(int{needed});
    CheckRefused(Joined(less));
  }
}

TEST_CASE("corpus JPEG: sizes of nothing, more components than there are, and tables that lie are refused") {
  const std::string jpeg = WriteJpeg(Picture(33, 31, 3), {});
  const size_t frame = jpeg.find("\xFF\xC0"), tables = jpeg.find("\xFF\xC4"), scan = jpeg.find("\xFF\xDA");
  const auto with = [&](size_t at, char value) {
    std::string out = jpeg;
    out[at] = value;
    return out;
  };
  CheckRefused(with(frame + 6, 0));        // no height: a DNL segment would say it, which nobody writes
  CheckRefused(with(frame + 8, 0));        // no width
  CheckRefused(with(frame + 9, 0));        // no component
  CheckRefused(with(frame + 9, 4));        // one that is not there
  CheckRefused(with(frame + 11, 0));       // sampled 0 by 0 times
  CheckRefused(with(frame + 11, 0x55));    // 5 by 5 times
  CheckRefused(with(frame + 12, 9));       // by a table that there cannot be
  CheckRefused(with(tables + 4, 0x44));    // Huffman table 4 of 4
  CheckRefused(with(tables + 5, '\xFF'));  // 255 codes of one bit
  CheckRefused(with(scan + 4, 5));         // five components in a scan
  CheckRefused(with(scan + 5, 77));        // one that the frame does not have
  std::string huge = jpeg;
  CHECK(CodeOf(Decode(huge.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC")).status()) == Code::kTooLarge);
}

TEST_CASE("corpus JPEG: a file that is changed anywhere is judged as by libjpeg, and never half a picture") {
  const auto random = SeededRandom(20261121);
  int pictures = 0, errors = 0;
  for (const JpegKind& kind : {JpegKind{}, JpegKind{.progressive = true}, JpegKind{.arithmetic = true},
                               JpegKind{.across = 2, .down = 2, .restart = 1},
                               JpegKind{.space = JpegKind::kGrey, .progressive = true}}) {
    const std::string jpeg = WriteJpeg(Picture(20, 19, 3), kind);
    for (int i = 0; i < 600; ++i) {
      std::string changed = jpeg;
      for (uint64_t n = 1 + random->Below(3); n > 0; --n)
        changed[random->Below(changed.size())] = static_cast<char>(random->Next());
      ++(CheckVerdict(changed) ? pictures : errors);
    }
  }
  CHECK(pictures > 100);
  CHECK(errors > 100);
}

}  // namespace mediagen
