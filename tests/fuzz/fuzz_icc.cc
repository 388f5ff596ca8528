// ICC profiles, as they stand and in the files that carry them.
#include <array>
#include <string>

#include "codec/colour.h"
#include "codec/icc.h"
#include "codec/pictures.h"
#include "fuzz/picture.h"

namespace mediagen::fuzz {
namespace {

using namespace std::string_literals;

constexpr size_t kMostBytes = 8192;

void CheckRgb(std::string_view icc, codec::Gamut gamut, int channels) {
  const Pixels before = Gradient(9, 5, channels);
  Pixels pixels = Gradient(9, 5, channels), again = Gradient(9, 5, channels);
  const Status status = codec::ToSrgb(icc, &pixels);
  Require(status.ok() == (gamut != codec::Gamut::kUnusable), "usable as it was said");
  if (!status.ok()) CheckRefusal(status);
  if (gamut != codec::Gamut::kOther) Require(Same(pixels, before), "nothing was to be done");
  codec::ToSrgb(icc, &again).IgnoreError();
  Require(Same(pixels, again), "the same colours every time");
  for (size_t i = 3; channels == 4 && i < pixels.bytes(); i += 4)
    Require(pixels.data[i] == before.data[i], "alpha is not touched");
}

void CheckProfile(std::string_view icc) {
  const codec::Gamut gamut = codec::GamutOf(icc);
  if (gamut == codec::Gamut::kUnusable) Require(!codec::IsWideGamut(icc), "what is unusable is not wide");
  CheckRgb(icc, gamut, 3);
  CheckRgb(icc, gamut, 4);
  const StatusOr<Pixels> rgb = codec::CmykToSrgb(icc, Gradient(9, 5, 4));
  if (!rgb.ok()) return CheckRefusal(rgb.status());
  Require(rgb->width == 9 && rgb->height == 5 && rgb->channels == 3, "ink becomes light");
  Require(icc.empty() || gamut == codec::Gamut::kUnusable, "a profile is for ink or for light");
}

// What carries a profile gives it back. PNG's stands behind a header, WebP's in any chunk.
void CheckCarriers(const std::string& icc) {
  const std::string png = PngHeader(1, 1, 8, 2) + PngChunk("iCCP", "name\0\0"s + Zlib(icc));
  Require(codec::IccProfile(png, Format::kPng, kMostBytes) == icc, "PNG carries it");
  Require(codec::IccProfile(WebpOf(RiffChunk("ICCP", icc)), Format::kWebp, kMostBytes) == icc,
          "WebP carries it");
  const size_t half = icc.size() / 2;
  const std::string first = "ICC_PROFILE\0\1\2"s + icc.substr(0, half),
                    second = "ICC_PROFILE\0\2\2"s + icc.substr(half);
  const std::string jpeg = WithJpegSegment(WithJpegSegment("\xFF\xD8\xFF\xD9"s, 0xE2, first), 0xE2, second);
  Require(codec::IccProfile(jpeg, Format::kJpeg, kMostBytes) == icc, "JPEG carries it in pieces");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view bytes = fuzz::Text(data, size).substr(0, fuzz::kMostBytes);
  fuzz::CheckProfile(bytes);
  fuzz::CheckCarriers(std::string(bytes));
  return 0;
}
