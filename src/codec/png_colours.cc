#include "codec/png_colours.h"

#include <lcms2.h>
#include <libdeflate.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "codec/bytes.h"

namespace mediagen::codec {
namespace {

constexpr double kUnit = 100'000;                      // of both chunks' numbers
constexpr uint32_t kSrgbGamma = 45'455;                // 1/2.2, as which sRGB is written
constexpr uint32_t kLeast = 5'000, kMost = 1'000'000;  // gamma 20 and 0.1: beyond them it is no picture's

// White, red, green and blue, x and y each.
using Points = std::array<uint32_t, 8>;
constexpr Points kSrgbPoints = {31'270, 32'900, 64'000, 33'000, 30'000, 60'000, 15'000, 6'000};

struct Numbers {
  uint32_t gamma = 0;  // 0: there is none
  Points points = kSrgbPoints;
};

// A chunk that may be left out counts only when it is whole.
bool ChecksumHolds(std::string_view bytes, size_t at, size_t size) {
  return libdeflate_crc32(0, bytes.data() + at + 4, size + 4) == Be32(bytes, at + 8 + size);
}

bool IsPossible(const Points& points) {
  for (size_t i = 0; i < points.size(); i += 2) {
    if (points[i + 1] == 0 || uint64_t{points[i]} + points[i + 1] > 100'000) return false;
  }
  return true;
}

// Up to the palette or the picture data, before which these chunks stand.
Numbers ReadNumbers(std::string_view bytes) {
  constexpr size_t kSignature = 8, kFrame = 12;  // a chunk: length, type, data, CRC
  Numbers numbers;
  for (size_t at = kSignature; at + kFrame <= bytes.size();) {
    const uint64_t size = Be32(bytes, at);
    const std::string_view type = bytes.substr(at + 4, 4);
    if (type == "PLTE" || type == "IDAT" || type == "IEND" || size > bytes.size() - at - kFrame) break;
    if (type == "iCCP" || type == "sRGB" || type == "cICP") return {};
    const std::string_view data = bytes.substr(at + 8, size);
    if (type == "gAMA" && size == 4 && ChecksumHolds(bytes, at, size)) numbers.gamma = Be32(data, 0);
    if (type == "cHRM" && size == 32 && ChecksumHolds(bytes, at, size)) {
      Points points;
      for (size_t i = 0; i < points.size(); ++i) points[i] = Be32(data, 4 * i);
      if (IsPossible(points)) numbers.points = points;
    }
    at += kFrame + size;
  }
  if (numbers.gamma < kLeast || numbers.gamma > kMost) return {};
  return numbers;
}

// Within a twentieth, as libpng has it: writers round 1/2.2 in many ways.
bool IsSrgbGamma(uint32_t gamma) {
  return std::abs(static_cast<int>(gamma) - static_cast<int>(kSrgbGamma)) <=
         static_cast<int>(kSrgbGamma / 20);
}

bool ArePointsOfSrgb(const Points& points) {
  constexpr int kNear = 500;  // 0.005: two decimals
  for (size_t i = 0; i < points.size(); ++i) {
    if (std::abs(static_cast<int>(points[i]) - static_cast<int>(kSrgbPoints[i])) > kNear) return false;
  }
  return true;
}

using Curve = std::unique_ptr<cmsToneCurve, void (*)(cmsToneCurve*)>;

Curve CurveOf(uint32_t gamma) {
  // sRGB's own (IEC 61966-2-1): lcms2's parametric type 4.
  static constexpr double kSrgb[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  return {IsSrgbGamma(gamma) ? cmsBuildParametricToneCurve(nullptr, 4, kSrgb)
                             : cmsBuildGamma(nullptr, kUnit / gamma),
          cmsFreeToneCurve};
}

std::string Saved(cmsHPROFILE profile) {
  constexpr size_t kDate = 24,
                   kDateBytes = 12;  // when it was made, which is of no interest (ICC.1:2022 §7.2)
  cmsUInt32Number size = 0;
  if (cmsSaveProfileToMem(profile, nullptr, &size) == 0) return "";
  std::string out(size, '\0');
  if (cmsSaveProfileToMem(profile, out.data(), &size) == 0 || size < kDate + kDateBytes) return "";
  return out.replace(kDate, kDateBytes, kDateBytes, '\0');  // the same numbers are the same profile
}

}  // namespace

std::string PngColourProfile(std::string_view bytes) {
  const Numbers numbers = ReadNumbers(bytes);
  if (numbers.gamma == 0 || (IsSrgbGamma(numbers.gamma) && ArePointsOfSrgb(numbers.points))) return "";
  const auto point = [&](size_t i) {
    return cmsCIExyY{numbers.points[2 * i] / kUnit, numbers.points[2 * i + 1] / kUnit, 1};
  };
  const Curve curve = CurveOf(numbers.gamma);
  if (!curve) return "";
  const cmsCIExyY white = point(0);
  const cmsCIExyYTRIPLE primaries = {point(1), point(2), point(3)};
  cmsToneCurve* const curves[] = {curve.get(), curve.get(), curve.get()};
  const std::unique_ptr<void, cmsBool (*)(cmsHPROFILE)> profile(
      cmsCreateRGBProfile(&white, &primaries, curves), cmsCloseProfile);
  return profile ? Saved(profile.get()) : "";
}

}  // namespace mediagen::codec
