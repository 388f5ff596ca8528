#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "codec/jpeg_writer.h"
#include "codec/pictures.h"

namespace mediagen {
TEST_CASE("every subsampling, baseline and progressive, with and without restarts, is decoded") {
  for (uint32_t width : {1u, 7u, 16u, 33u, 100u}) {
    const Pixels pixels = Gradient(width, 61, 3);
    for (const auto& sampling : {std::pair{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}}) {
      const int across = sampling.first, down = sampling.second;
      for (bool progressive : {false, true}) {
        for (int restart : {0, 1, 5}) {
          CAPTURE(width);
          CAPTURE(across);
          CAPTURE(down);
          CAPTURE(progressive);
          CAPTURE(restart);
          const Pixels out = MustDecode(WriteJpeg(
              pixels, {.across = across, .down = down, .progressive = progressive, .restart = restart}));
          CHECK(Distance(out, pixels) < 60);
          const auto at = At(out, width / 2, 30), right = At(pixels, width / 2, 30);
          // Four pixels of a steep ramp share a colour.
          for (size_t c = 0; c < 3; ++c) CHECK(std::abs(at[c] - right[c]) < (width < 16 ? 48 : 16));
        }
      }
    }
  }
}

TEST_CASE("grey, RGB and arithmetic JPEGs are decoded") {
  const Pixels pixels = Gradient(40, 30, 3);
  CHECK(Distance(MustDecode(WriteJpeg(pixels, {.space = JpegKind::kRgb})), pixels) <= 12);
  const Pixels grey = MustDecode(WriteJpeg(pixels, {.space = JpegKind::kGrey}));
  CHECK(grey.channels == 3);
  for (uint32_t x = 0; x < 40; ++x) {
    const auto at = At(grey, x, 15);
    CHECK(at[0] == at[1]);
    CHECK(at[1] == at[2]);
  }
  CHECK(Distance(MustDecode(WriteJpeg(pixels, {.arithmetic = true})), pixels) < 24);
}

TEST_CASE("CMYK becomes RGB, whoever wrote it") {
  // As Adobe has it, 255 is no ink; as others have it, 0 is.
  const Pixels adobe = Flat(24, 24, {200, 100, 50, 128}, 4), other = Flat(24, 24, {55, 155, 205, 127}, 4);
  for (JpegKind::Space space : {JpegKind::kCmyk, JpegKind::kYcck}) {
    const Pixels pixels = MustDecode(WriteJpeg(adobe, {.space = space}));
    CHECK(pixels.channels == 3);
    CHECK(Distance(pixels, Flat(24, 24, {100, 50, 25, 0}, 3)) <= 5);
  }
  CHECK(Distance(MustDecode(WriteJpeg(other, {.space = JpegKind::kCmyk, .adobe = false})),
                 Flat(24, 24, {100, 50, 25, 0}, 3)) <= 5);
}

TEST_CASE("a JPEG that is cut off anywhere is invalid, and says that it is") {
  for (bool progressive : {false, true}) {
    const std::string whole = WriteJpeg(Gradient(40, 30, 3), {.progressive = progressive, .quality = 60});
    for (size_t size = 0; size < whole.size() - 2; ++size) {
      const Status status = Decode(whole.substr(0, size)).status();
      CAPTURE(size);
      CHECK(CodeOf(status) == Code::kInvalid);
    }
    // The last marker alone is missed by nobody.
    const Status status = Decode(whole.substr(0, whole.size() / 2)).status();
    CHECK(InfoOf(status).message.find("truncated") != std::string::npos);
  }
}

TEST_CASE("bytes between segments and behind the end change nothing") {
  const std::string jpeg = WriteJpeg(Gradient(40, 30, 3), {});
  const Pixels pixels = MustDecode(jpeg);
  CHECK(Same(MustDecode(jpeg + "what a camera left behind"), pixels));
  const std::string fill = jpeg.substr(0, 2) + std::string(7, '\xFF') + jpeg.substr(3);
  CHECK(Same(MustDecode(fill), pixels));
}

TEST_CASE("a JPEG that takes longer than it may is stopped") {
  const std::string jpeg = WriteJpeg(Noise(600, 600, 3, 1), {.progressive = true});
  const Status status = Decode(jpeg, {.limits = {.max_ms = 0}}).status();
  CHECK(CodeOf(status) == Code::kTooLarge);
  CHECK(InfoOf(status).message == "the JPEG took more than 0 ms to decode");
}

TEST_CASE("what libjpeg cannot read is unsupported, not broken") {
  std::string jpeg = WriteJpeg(Gradient(8, 8, 3), {});
  const size_t frame = jpeg.find("\xFF\xC0");
  std::string deep = jpeg;
  deep[frame + 4] = 12;  // bits a sample
  CHECK(CodeOf(Decode(deep).status()) == Code::kUnsupported);
  std::string lossless = jpeg;
  lossless[frame + 1] = '\xC3';
  CHECK(CodeOf(Decode(lossless).status()) == Code::kUnsupported);
}

}  // namespace mediagen
