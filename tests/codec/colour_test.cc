#include "codec/colour.h"

#include <doctest/doctest.h>
#include <lcms2.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/id.h"
#include "codec/icc.h"
#include "codec/pictures.h"

namespace mediagen {
namespace {

using namespace std::string_literals;
using codec::CmykToSrgb;
using codec::Gamut;
using codec::GamutOf;
using codec::IccProfile;
using codec::IsWideGamut;
using codec::ToSrgb;

// Takes the profile.
std::string Saved(cmsHPROFILE profile) {
  cmsUInt32Number size = 0;
  cmsSaveProfileToMem(profile, nullptr, &size);
  std::string out(size, '\0');
  cmsSaveProfileToMem(profile, out.data(), &size);
  cmsCloseProfile(profile);
  return out;
}

constexpr cmsCIExyY kD65 = {0.3127, 0.3290, 1}, kD50 = {0.3457, 0.3585, 1};
constexpr cmsCIExyYTRIPLE kSrgb = {{0.64, 0.33, 1}, {0.30, 0.60, 1}, {0.15, 0.06, 1}},
                          kP3 = {{0.68, 0.32, 1}, {0.265, 0.69, 1}, {0.15, 0.06, 1}},
                          kAdobe = {{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}},
                          kRec2020 = {{0.708, 0.292, 1}, {0.17, 0.797, 1}, {0.131, 0.046, 1}},
                          kProPhoto = {{0.7347, 0.2653, 1}, {0.1596, 0.8404, 1}, {0.0366, 0.0001, 1}},
                          kApple = {{0.625, 0.34, 1}, {0.28, 0.595, 1}, {0.155, 0.07, 1}};

// The curve of sRGB for 0; one like it for a negative gamma.
cmsToneCurve* Curve(double gamma) {
  const double srgb[] = {gamma < 0 ? -gamma : 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  return gamma > 0 ? cmsBuildGamma(nullptr, gamma) : cmsBuildParametricToneCurve(nullptr, 4, srgb);
}

// Takes the curve.
cmsHPROFILE RgbProfile(const cmsCIExyYTRIPLE& primaries, cmsToneCurve* curve, const cmsCIExyY& white = kD65) {
  cmsToneCurve* const curves[] = {curve, curve, curve};
  cmsHPROFILE profile = cmsCreateRGBProfile(&white, &primaries, curves);
  cmsFreeToneCurve(curve);
  return profile;
}
std::string Rgb(const cmsCIExyYTRIPLE& primaries, double gamma, const cmsCIExyY& white = kD65) {
  return Saved(RgbProfile(primaries, Curve(gamma), white));
}
std::string DisplayP3() { return Rgb(kP3, 0); }

std::string Grey(double gamma) {
  cmsToneCurve* const curve = Curve(gamma);
  cmsHPROFILE profile = cmsCreateGrayProfile(&kD50, curve);
  cmsFreeToneCurve(curve);
  return Saved(profile);
}

using Sampler = std::function<void(const cmsUInt16Number in[], cmsUInt16Number out[])>;
void AddTable(cmsHPROFILE profile, cmsTagSignature tag, uint32_t in, uint32_t out, uint32_t grid,
              Sampler sampler) {
  cmsStage* const table = cmsStageAllocCLut16bit(nullptr, grid, in, out, nullptr);
  const auto sample = [](const cmsUInt16Number* from, cmsUInt16Number* to, void* cargo) -> cmsInt32Number {
    (*static_cast<Sampler*>(cargo))(from, to);
    return 1;
  };
  cmsStageSampleCLut16bit(table, sample, &sampler, 0);
  cmsPipeline* const pipeline = cmsPipelineAlloc(nullptr, in, out);
  cmsPipelineInsertStage(pipeline, cmsAT_END, cmsStageAllocToneCurves(nullptr, in, nullptr));
  cmsPipelineInsertStage(pipeline, cmsAT_END, table);
  cmsPipelineInsertStage(pipeline, cmsAT_END, cmsStageAllocToneCurves(nullptr, out, nullptr));
  cmsWriteTag(profile, tag, pipeline);
  cmsPipelineFree(pipeline);
}

cmsHPROFILE TableProfile(cmsProfileClassSignature kind, cmsColorSpaceSignature space) {
  cmsHPROFILE profile = cmsCreateProfilePlaceholder(nullptr);
  cmsSetProfileVersion(profile, 4.3);
  cmsSetDeviceClass(profile, kind);
  cmsSetColorSpace(profile, space);
  cmsSetPCS(profile, cmsSigLabData);
  return profile;
}

// From the 16-bit RGB of `rgb`, which is taken.
class ToLab {
 public:
  explicit ToLab(cmsHPROFILE rgb) {
    cmsHPROFILE lab = cmsCreateLab4Profile(nullptr);
    transform_ = cmsCreateTransform(rgb, TYPE_RGB_16, lab, TYPE_Lab_16, INTENT_RELATIVE_COLORIMETRIC,
                                    cmsFLAGS_NOOPTIMIZE);
    cmsCloseProfile(lab);
    cmsCloseProfile(rgb);
  }
  ~ToLab() { cmsDeleteTransform(transform_); }
  ToLab(const ToLab&) = delete;
  ToLab& operator=(const ToLab&) = delete;
  void operator()(const cmsUInt16Number rgb[], cmsUInt16Number lab[]) const {
    cmsDoTransform(transform_, rgb, lab, 1);
  }

 private:
  cmsHTRANSFORM transform_;
};

// An RGB profile as a table of `grid` nodes a side, as printers and scanners have it.
std::string Table(cmsHPROFILE rgb, uint32_t grid) {
  const ToLab to_lab(rgb);
  cmsHPROFILE profile = TableProfile(cmsSigDisplayClass, cmsSigRgbData);
  AddTable(profile, cmsSigAToB0Tag, 3, 3, grid, std::cref(to_lab));
  return Saved(profile);
}

// Inks that multiply: cyan lets (0, 158, 224) through, and so on; black alone is a dark grey.
constexpr double kInks[4][3] = {{0, 158, 224}, {230, 0, 126}, {255, 237, 0}, {36, 31, 33}};
std::string Cmyk(bool with_way_back) {
  const ToLab to_lab(cmsCreate_sRGBProfile());
  cmsHPROFILE profile = TableProfile(cmsSigOutputClass, cmsSigCmykData);
  AddTable(profile, cmsSigAToB0Tag, 4, 3, 9, [&](const cmsUInt16Number ink[], cmsUInt16Number lab[]) {
    cmsUInt16Number rgb[3];
    for (int c = 0; c < 3; ++c) {
      double light = 65535;
      for (int i = 0; i < 4; ++i) light *= 1 - ink[i] / 65535.0 * (1 - kInks[i][c] / 255);
      rgb[c] = static_cast<cmsUInt16Number>(std::lround(light));
    }
    to_lab(rgb, lab);
  });
  if (with_way_back) {  // everything is printed in black ink only
    AddTable(profile, cmsSigBToA0Tag, 3, 4, 5, [](const cmsUInt16Number lab[], cmsUInt16Number ink[]) {
      ink[0] = ink[1] = ink[2] = 0;
      ink[3] = static_cast<cmsUInt16Number>(65535 - lab[0]);
    });
  }
  return Saved(profile);
}

Pixels Converted(const std::string& icc, const Pixels& pixels) {
  Pixels out = NewPixels(pixels.width, pixels.height, pixels.channels).value();
  std::memcpy(out.data.get(), pixels.data.get(), pixels.bytes());
  const Status status = ToSrgb(icc, &out);
  REQUIRE_MESSAGE(status.ok(), InfoOf(status).message);
  return out;
}

std::array<int, 4> Shown(const std::string& icc, uint8_t r, uint8_t g, uint8_t b) {
  return At(Converted(icc, Flat(1, 1, {r, g, b, 255}, 3)), 0, 0);
}

bool Near(const std::array<int, 4>& a, const std::array<int, 4>& b, int most) {
  for (size_t c = 0; c < 4; ++c) {
    if (std::abs(a[c] - b[c]) > most) return false;
  }
  return true;
}

double Decode(double code) { return code <= 0.04045 ? code / 12.92 : std::pow((code + 0.055) / 1.055, 2.4); }
int Code8(double light) {
  light = std::clamp(light, 0.0, 1.0);
  return static_cast<int>(
      std::lround(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055)));
}

void CheckOutcome(const std::string& icc) {
  Pixels pixels = Gradient(9, 2, 4);
  const Status status = ToSrgb(icc, &pixels);
  CHECK((status.ok() || CodeOf(status) == Code::kInvalid));
  CHECK(status.ok() == (GamutOf(icc) != Gamut::kUnusable));
  if (!status.ok()) CHECK(Same(pixels, Gradient(9, 2, 4)));
  const Status cmyk = CmykToSrgb(icc, pixels).status();
  CHECK((cmyk.ok() || CodeOf(cmyk) == Code::kInvalid));
}

std::string Piece(int number, int count, std::string_view data) {
  return "ICC_PROFILE\0"s + static_cast<char>(number) + static_cast<char>(count) + std::string(data);
}

// Segments stand in the file in this order.
std::string Jpeg(const std::vector<std::string>& pieces) {
  std::string jpeg = Encoded(Gradient(8, 8, 3), Format::kJpeg);
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    jpeg = WithJpegSegment(jpeg, 0xE2, *piece);
  }
  return jpeg;
}
std::string FromJpeg(const std::vector<std::string>& pieces) {
  return IccProfile(Jpeg(pieces), Format::kJpeg);
}

std::string FromPng(std::string_view chunk, size_t max_bytes = 4u << 20, bool at_end = false) {
  const std::string png = Encoded(Gradient(8, 8, 3), Format::kPng);
  return IccProfile(WithPngChunk(png, "iCCP", chunk, at_end), Format::kPng, max_bytes);
}

}  // namespace

TEST_CASE("a PNG's profile is inflated, whatever its size up to the limit") {
  for (size_t size : {1u, 584u, 16384u, 16385u, 300000u, 4u << 20}) {
    std::string profile(size, '\0');
    SeededRandom(size)->Fill(profile.data(), size);
    CHECK(FromPng("name\0\0"s + Zlib(profile)) == profile);
    CHECK(FromPng("name\0\0"s + Zlib(profile), size) == profile);
    CHECK(FromPng("name\0\0"s + Zlib(profile), size - 1).empty());
  }
}

TEST_CASE("a PNG's profile that is not whole, misplaced or a bomb is none") {
  const std::string stream = Zlib(DisplayP3());
  REQUIRE(FromPng(std::string(79, 'n') + "\0\0"s + stream) == DisplayP3());
  for (const std::string& chunk :
       {""s, "\0"s, "name"s, "name\0"s, "name\0\0"s, "\0\0"s + stream, "name\0\1"s + stream,
        std::string(80, 'n') + "\0\0"s + stream, "name\0\0"s + stream.substr(0, stream.size() - 1)}) {
    CHECK(FromPng(chunk).empty());
  }
  CHECK(FromPng("name\0\0"s + stream, 4u << 20, true).empty());  // behind the picture data
  const std::string bomb = Zlib(std::string(50'000'000, '\0'));  // NOLINT(bugprone-string-constructor)
  CHECK(FromPng("name\0\0"s + bomb).empty());
}

TEST_CASE("a JPEG's profile is put together by the numbers of its pieces, in any order") {
  CHECK(FromJpeg({Piece(3, 3, "c"), Piece(1, 3, "a"), Piece(2, 3, "b")}) == "abc");
  CHECK(FromJpeg({Piece(1, 2, "a"), "other APP2", "ICC_PROFILE\0"s, Piece(2, 2, "b")}) == "ab");
  std::vector<std::string> pieces;
  std::string expected;
  for (int number = 255; number >= 1; --number) {
    pieces.push_back(Piece(number, 255, std::string(100, static_cast<char>(number))));
    expected.insert(0, 100, static_cast<char>(number));
  }
  CHECK(FromJpeg(pieces) == expected);
  CHECK(IccProfile(Jpeg(pieces), Format::kJpeg, 25500) == expected);
  CHECK(IccProfile(Jpeg(pieces), Format::kJpeg, 25499).empty());
  pieces.erase(pieces.begin() + 100);
  CHECK(FromJpeg(pieces).empty());
}

TEST_CASE("a JPEG's profile with a piece missing, doubled or misnumbered is none") {
  CHECK(FromJpeg({Piece(1, 2, "a")}).empty());
  CHECK(FromJpeg({Piece(1, 2, "a"), Piece(1, 2, "b")}).empty());
  CHECK(FromJpeg({Piece(1, 2, ""), Piece(1, 2, ""), Piece(2, 2, "b")}).empty());
  CHECK(FromJpeg({Piece(0, 2, "a"), Piece(1, 2, "b")}).empty());
  CHECK(FromJpeg({Piece(1, 2, "a"), Piece(2, 3, "b")}).empty());
  CHECK(FromJpeg({Piece(1, 3, "a"), Piece(2, 2, "b")}).empty());
}

TEST_CASE("a WebP's profile is its ICCP chunk; other formats have none") {
  const std::string picture = Encoded(Gradient(8, 8, 3), Format::kWebp).substr(12);
  const std::string webp =
      WebpOf(Vp8x(0x20, 8, 8) + RiffChunk("XXXX", "odd") + RiffChunk("ICCP", "one") + picture);
  CHECK(IccProfile(webp, Format::kWebp) == "one");
  CHECK(IccProfile(webp, Format::kWebp, 2).empty());
  CHECK(IccProfile(WebpOf("ICCP" + Le32(0xFFFFFFFF) + "x"), Format::kWebp).empty());
  for (Format format : {Format::kGif, Format::kUnknown}) CHECK(IccProfile(webp, format).empty());
}

TEST_CASE("a file that is cut off anywhere has the whole profile or none") {
  const std::string profile = DisplayP3(), picture = Encoded(Gradient(8, 8, 3), Format::kWebp).substr(12);
  const std::string files[] = {
      WithPngChunk(Encoded(Gradient(8, 8, 3), Format::kPng), "iCCP", "p\0\0"s + Zlib(profile)),
      Jpeg({Piece(2, 2, profile.substr(300)), Piece(1, 2, profile.substr(0, 300))}),
      WebpOf(Vp8x(0x20, 8, 8) + RiffChunk("ICCP", profile) + picture)};
  for (const std::string& file : files) {
    REQUIRE(IccProfile(file, Sniff(file)) == profile);
    for (size_t size = 0; size < file.size(); ++size) {
      const std::string found = IccProfile(file.substr(0, size), Sniff(file));
      CHECK((found.empty() || found == profile));
    }
  }
}

TEST_CASE("a profile is sRGB, another, or unusable; and it is wide or not") {
  struct Case {
    const char* name;
    std::string icc;
    Gamut gamut;
    bool wide;
  };
  const std::string p3 = DisplayP3(), table = Table(RgbProfile(kP3, Curve(0)), 17);
  for (const Case& c : {Case{"sRGB", Saved(cmsCreate_sRGBProfile()), Gamut::kSrgb, false},
                        {"sRGB by table", Table(cmsCreate_sRGBProfile(), 33), Gamut::kSrgb, false},
                        {"sRGB curve, grey", Grey(0), Gamut::kSrgb, false},
                        {"almost sRGB", Rgb(kSrgb, -2.42), Gamut::kSrgb, false},
                        {"gamma 2.2", Rgb(kSrgb, 2.2), Gamut::kOther, false},
                        {"Apple RGB", Rgb(kApple, 1.8), Gamut::kOther, false},
                        {"grey of gamma 1.8", Grey(1.8), Gamut::kOther, false},
                        {"Display P3", p3, Gamut::kOther, true},
                        {"Display P3 by table", table, Gamut::kOther, true},
                        {"Adobe RGB", Rgb(kAdobe, 2.19921875), Gamut::kOther, true},
                        {"Rec. 2020", Rgb(kRec2020, 2.4), Gamut::kOther, true},
                        {"ProPhoto", Rgb(kProPhoto, 1.8, kD50), Gamut::kOther, true},
                        {"Lab", Saved(cmsCreateLab4Profile(nullptr)), Gamut::kUnusable, false},
                        {"CMYK", Cmyk(false), Gamut::kUnusable, false},
                        {"a link", std::string(table).replace(12, 4, "link"), Gamut::kUnusable, false},
                        {"none", "", Gamut::kUnusable, false},
                        {"garbage", std::string(5000, 'x'), Gamut::kUnusable, false},
                        {"without curves", p3.substr(0, 400), Gamut::kUnusable, false},
                        {"longer than 4 MB", p3 + std::string(4u << 20, ' '), Gamut::kUnusable, false}}) {
    CAPTURE(c.name);
    CHECK(GamutOf(c.icc) == c.gamut);
    CHECK(IsWideGamut(c.icc) == c.wide);
    Pixels pixels = Noise(20, 5, 4, 1);
    const Status status = ToSrgb(c.icc, &pixels);
    CHECK(CodeOf(status) == (c.gamut == Gamut::kUnusable ? Code::kInvalid : Code::kOk));
    CHECK(Same(pixels, Noise(20, 5, 4, 1)) == (c.gamut != Gamut::kOther));
  }
}

TEST_CASE("Display P3 becomes the nearest that sRGB has, by the matrix of CSS Color 4") {
  const double matrix[3][3] = {
      {1.2249402, -0.2249402, 0}, {-0.0420570, 1.0420570, 0}, {-0.0196376, -0.0786361, 1.0982736}};
  const std::string icc = DisplayP3();
  const Pixels from = Noise(200, 50, 3, 3), to = Converted(icc, from);
  int worst = 0;
  for (size_t i = 0; i < from.bytes(); i += 3) {
    for (size_t c = 0; c < 3; ++c) {
      double light = 0;
      for (size_t k = 0; k < 3; ++k) light += matrix[c][k] * Decode(from.data[i + k] / 255.0);
      worst = std::max(worst, std::abs(Code8(light) - to.data[i + c]));
    }
  }
  CHECK(worst <= 1);
  CHECK(Near(Shown(icc, 255, 0, 0), {255, 0, 0, 255}, 0));
  CHECK(Near(Shown(icc, 0, 255, 0), {0, 255, 0, 255}, 0));
  CHECK(Near(Shown(icc, 234, 51, 35), {255, 0, 0, 255}, 2));  // the red of sRGB
}

TEST_CASE("white, black and the greys of any RGB profile stay grey") {
  for (const std::string& icc : {DisplayP3(), Rgb(kAdobe, 2.2), Rgb(kProPhoto, 1.8, kD50), Grey(1.8)}) {
    CHECK(Near(Shown(icc, 255, 255, 255), {255, 255, 255, 255}, 0));
    CHECK(Near(Shown(icc, 0, 0, 0), {0, 0, 0, 255}, 0));
    const auto grey = Shown(icc, 90, 90, 90);
    CHECK(Near(grey, {grey[1], grey[1], grey[1], 255}, 1));
  }
}

TEST_CASE("a black that is not dark becomes black") {
  cmsUInt16Number values[256];
  for (int i = 0; i < 256; ++i) values[i] = static_cast<cmsUInt16Number>(5000 + i * 60535 / 255);
  const std::string icc = Saved(RgbProfile(kP3, cmsBuildTabulatedToneCurve16(nullptr, 256, values)));
  CHECK(Near(Shown(icc, 0, 0, 0), {0, 0, 0, 255}, 2));
  CHECK(Near(Shown(icc, 255, 255, 255), {255, 255, 255, 255}, 0));
}

TEST_CASE("a grey profile's curve is applied to each channel") {
  const std::string icc = Grey(1);
  const auto expected = [](int value) { return Code8(value / 255.0); };
  for (int value = 0; value < 256; ++value) {
    const uint8_t v = static_cast<uint8_t>(value);
    CHECK(Near(Shown(icc, v, v, v), {expected(v), expected(v), expected(v), 255}, 1));
  }
  CHECK(Near(Shown(icc, 10, 100, 200), {expected(10), expected(100), expected(200), 255}, 1));
}

TEST_CASE("a profile by table converts like the curves and matrix that it was made of") {
  const Pixels pixels = Gradient(1300, 7, 3);
  const Pixels by_table = Converted(Table(RgbProfile(kP3, Curve(0)), 33), pixels);
  const Pixels by_matrix = Converted(DisplayP3(), pixels);
  int off = 0;  // where a colour is clipped, the nodes of the table on both sides of the edge are mixed
  for (size_t i = 0; i < pixels.bytes(); ++i) off += std::abs(by_table.data[i] - by_matrix.data[i]) > 3;
  CHECK(off * 20 < static_cast<int>(pixels.bytes()));
}

TEST_CASE("alpha is not touched, and does not matter") {
  for (const std::string& icc : {DisplayP3(), Grey(1.8), Table(RgbProfile(kP3, Curve(0)), 9)}) {
    const Pixels rgba = Noise(1300, 3, 4, 8), out = Converted(icc, rgba);
    Pixels rgb = NewPixels(1300, 3, 3).value();
    for (size_t i = 0; i < 3900; ++i) std::memcpy(rgb.data.get() + 3 * i, rgba.data.get() + 4 * i, 3);
    const Pixels expected = Converted(icc, rgb);
    bool same = true;
    for (size_t i = 0; i < 3900; ++i) {
      same = same && out.data[4 * i + 3] == rgba.data[4 * i + 3] &&
             std::memcmp(out.data.get() + 4 * i, expected.data.get() + 3 * i, 3) == 0;
    }
    CHECK(same);
  }
}

TEST_CASE("tags that no conversion needs do not matter, float pipelines before all") {
  cmsHPROFILE profile = RgbProfile(kP3, Curve(0));
  const double inverted[] = {-1, 0, 0, 0, -1, 0, 0, 0, -1};
  cmsPipeline* const pipeline = cmsPipelineAlloc(nullptr, 3, 3);
  cmsPipelineInsertStage(pipeline, cmsAT_END, cmsStageAllocMatrix(nullptr, 3, 3, inverted, nullptr));
  REQUIRE(cmsWriteTag(profile, cmsSigDToB1Tag, pipeline));
  cmsPipelineFree(pipeline);
  const Pixels pixels = Noise(30, 30, 3, 2);
  CHECK(Same(Converted(Saved(profile), pixels), Converted(DisplayP3(), pixels)));
}

TEST_CASE("a profile that is cut off anywhere is used or refused, never a crash") {
  for (const std::string& icc : {DisplayP3(), Grey(1.8), Table(RgbProfile(kP3, Curve(0)), 3), Cmyk(true)}) {
    for (size_t size = 0; size < std::min<size_t>(icc.size(), 900); ++size) CheckOutcome(icc.substr(0, size));
  }
}

TEST_CASE("a changed profile is used or refused, never a crash") {
  const auto random = SeededRandom(20261121);
  for (const std::string& icc : {DisplayP3(), Grey(1.8), Table(RgbProfile(kP3, Curve(0)), 3)}) {
    for (int i = 0; i < 60; ++i) {
      std::string changed = icc;
      for (uint64_t k = 1 + random->Below(6); k > 0; --k) {
        // The header and the list of tags matter most.
        const size_t at = random->Below(random->Below(2) == 0 ? 300 : changed.size());
        changed[at] = static_cast<char>(random->Below(2) == 0 ? random->Next() : 0xFF);
      }
      CheckOutcome(changed);
    }
  }
}

TEST_CASE("a table that claims more nodes than there are bytes is refused") {
  const std::string icc = Table(RgbProfile(kP3, Curve(0)), 3);
  const size_t grid = icc.find("\3\3\3"s + std::string(13, '\0'));
  REQUIRE(grid != icc.npos);
  for (char nodes : {'\4', '\x40', '\xFF'}) {
    std::string larger = icc;
    larger.replace(grid, 3, std::string(3, nodes));
    CHECK(GamutOf(larger) == Gamut::kUnusable);
  }
}

TEST_CASE("more profiles than are remembered, from several threads, each convert as their own") {
  std::vector<std::string> profiles;
  std::vector<Pixels> expected;
  const Pixels pixels = Noise(64, 64, 4, 4);
  for (int i = 0; i < 12; ++i) {
    profiles.push_back(i == 5 ? Table(RgbProfile(kP3, Curve(0)), 9) : Rgb(kP3, 1.2 + 0.2 * i));
    expected.push_back(Converted(profiles.back(), pixels));
  }
  CHECK_FALSE(Same(expected[0], expected[1]));
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 48; ++i) {
        const size_t which = (i * (t + 1) + t) % profiles.size();
        Pixels mine = Noise(64, 64, 4, 4);
        if (!ToSrgb(profiles[which], &mine).ok() || !Same(mine, expected[which])) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
}

TEST_CASE("CMYK without a profile is light that the inks leave of white") {
  const auto ink = [](uint8_t c, uint8_t m, uint8_t y, uint8_t k) {
    return At(CmykToSrgb("", Flat(3, 2, {c, m, y, k}, 4)).value(), 2, 1);
  };
  CHECK(ink(255, 255, 255, 255) == std::array{255, 255, 255, 255});
  CHECK(ink(255, 255, 255, 0) == std::array{0, 0, 0, 255});
  CHECK(ink(0, 255, 255, 255) == std::array{0, 255, 255, 255});
  CHECK(ink(200, 100, 50, 128) == std::array{100, 50, 25, 255});
}

TEST_CASE("CMYK with a profile has the colours of its inks") {
  const std::string icc = Cmyk(false);
  const auto ink = [&](uint8_t c, uint8_t m, uint8_t y, uint8_t k) {
    return At(CmykToSrgb(icc, Flat(3, 2, {c, m, y, k}, 4)).value(), 2, 1);
  };
  CHECK(Near(ink(255, 255, 255, 255), {255, 255, 255, 255}, 1));
  CHECK(Near(ink(0, 0, 0, 0), {0, 0, 0, 255}, 2));
  CHECK(Near(ink(0, 255, 255, 255), {0, 158, 224, 255}, 3));
  CHECK(Near(ink(255, 0, 255, 255), {230, 0, 126, 255}, 3));
  CHECK(Near(ink(255, 255, 255, 0), {36, 31, 33, 255}, 3));
}

TEST_CASE("the black that a CMYK profile prints becomes black") {
  const auto black = At(CmykToSrgb(Cmyk(true), Flat(1, 1, {255, 255, 255, 0}, 4)).value(), 0, 0);
  CHECK(Near(black, {0, 0, 0, 255}, 8));
}

TEST_CASE("a profile for another kind of pixels is refused") {
  const Pixels cmyk = Noise(4, 4, 4, 1), rgb = Noise(4, 4, 3, 1);
  for (const std::string& icc : {DisplayP3(), Grey(1.8), "garbage"s}) {
    CHECK(CodeOf(CmykToSrgb(icc, cmyk).status()) == Code::kInvalid);
  }
  CHECK(CodeOf(CmykToSrgb("", rgb).status()) == Code::kInvalid);
  Pixels none;
  CHECK(CodeOf(CmykToSrgb("", none).status()) == Code::kInvalid);
  CHECK(CodeOf(ToSrgb(DisplayP3(), &none)) == Code::kInvalid);
}

}  // namespace mediagen
