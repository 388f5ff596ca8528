// Colour management by Little CMS 2 (ICC.1:2022), which reads the profiles and converts by their tables. The
// profiles of nearly all RGB pictures are a curve a channel and a matrix; those are converted by a loop of
// our own: 1024² pixels in 4 ms, where lcms2 takes 10, and 14 beside alpha.
#include "codec/colour.h"

#include <lcms2.h>
#include <lcms2_plugin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "codec/bytes.h"
#include "codec/formats.h"
#include "fmt/format.h"

namespace mediagen::codec {
namespace {

using Profile = std::unique_ptr<void, cmsBool (*)(cmsHPROFILE)>;
using Transform = std::unique_ptr<void, void (*)(cmsHTRANSFORM)>;
enum class Space { kRgb, kGrey, kCmyk };
using LinearRgb = std::array<float, 3>;  // of sRGB's primaries; outside 0–1 for colours that sRGB lacks

constexpr int kOne = 16384;  // full light; a step is a fifth of a code where sRGB's curve is steepest
constexpr cmsUInt32Number kIntent = INTENT_RELATIVE_COLORIMETRIC;

// What each value of each channel adds to the linear light of sRGB, in kOne's; the fourth is padding.
struct Light {
  int32_t of[3][256][4];
};

// How the pixels of one profile become sRGB. Made once, then only read: threads may share a transform of
// lcms2, because each call works on its own copy of the transform's one-pixel cache.
struct Conversion {
  Space space = Space::kRgb;
  Gamut gamut = Gamut::kUnusable;
  bool wide = false;
  std::array<uint8_t, 256> tones{};               // grey
  std::unique_ptr<const Light> light;             // RGB by curves and matrix
  Transform tables{nullptr, cmsDeleteTransform};  // other RGB, and CMYK
};
using ConversionRef = std::shared_ptr<const Conversion>;

Status Unusable(std::string_view why) {
  return Error(Code::kInvalid, fmt::format("the ICC profile {}", why),
               {.hint = "Save the picture with an sRGB profile, or with none."});
}

// A table's size is the product of bytes of the profile, and lcms2 allocates it before it sees that the data
// is not there. What 4 MB of profile can really hold needs no more than this at once.
constexpr cmsUInt32Number kMaxAllocation = 32u << 20;

void* Allocate(cmsContext, cmsUInt32Number size) {
  return size <= kMaxAllocation ? std::malloc(size) : nullptr;
}
void* Reallocate(cmsContext, void* block, cmsUInt32Number size) {
  return size <= kMaxAllocation ? std::realloc(block, size) : nullptr;
}
void Release(cmsContext, void* block) { std::free(block); }

// lcms2's allocator and its (silent) log for all that is done here. Never freed: conversions refer to it.
cmsContext Context() {
  static cmsContext context = [] {
    cmsPluginMemHandler memory = {};
    memory.base = {cmsPluginMagicNumber, 2060, cmsPluginMemHandlerSig, nullptr};
    memory.MallocPtr = Allocate;
    memory.ReallocPtr = Reallocate;
    memory.FreePtr = Release;
    cmsContext made = cmsCreateContext(&memory, nullptr);
    if (made != nullptr) cmsSetLogErrorHandlerTHR(made, [](cmsContext, cmsUInt32Number, const char*) {});
    return made;
  }();
  return context;
}

// The profile with only those tags that a conversion reads; lcms2 passes over a tag at offset 0. The others
// are dead weight, and a float pipeline (D2B0 and its kin) may name one stage as often as it likes, each to
// be evaluated for every node of a table: 40 KB of that took 4 s.
std::string Screened(std::string_view icc) {
  constexpr std::string_view kTags[] = {"rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC",
                                        "kTRC", "A2B0", "A2B1", "B2A0"};  // B2A0: for the black point of CMYK
  constexpr size_t kCount = 128, kEntry = 12;
  std::string out(icc);
  const uint64_t tags = std::min<uint64_t>(Be32(icc, kCount), icc.size() / kEntry);
  for (size_t at = kCount + 4; at + kEntry <= icc.size() && at < kCount + 4 + tags * kEntry; at += kEntry) {
    if (std::find(std::begin(kTags), std::end(kTags), icc.substr(at, 4)) == std::end(kTags)) {
      std::memset(out.data() + at + 4, 0, 4);
    }
  }
  return out;
}

StatusOr<Profile> Open(std::string_view icc) {
  constexpr size_t kMaxBytes = 4u << 20;
  if (Context() == nullptr) return Error(Code::kOverloaded, "there is no memory to convert colours");
  if (icc.size() > kMaxBytes) return Unusable(fmt::format("has {} bytes; 4 MB are read", icc.size()));
  // What the header says is read here, because lcms2 returns it as an enumerator without having looked at it.
  const std::string_view kind = Slice(icc, 12, 4);
  if (kind != "scnr" && kind != "mntr" && kind != "prtr" && kind != "spac") {
    return Unusable("describes no device or colour space");
  }
  const std::string screened = Screened(icc);
  const auto size = static_cast<cmsUInt32Number>(screened.size());
  Profile profile(cmsOpenProfileFromMemTHR(Context(), screened.data(), size), cmsCloseProfile);
  if (!profile) return Unusable("is broken: its header or its list of tags is not valid");
  return profile;
}

Transform TransformTo(const Profile& to, cmsUInt32Number out, const Profile& from, cmsUInt32Number in,
                      cmsUInt32Number flags) {
  if (!to) return Transform(nullptr, cmsDeleteTransform);
  return Transform(cmsCreateTransformTHR(Context(), from.get(), in, to.get(), out, kIntent, flags),
                   cmsDeleteTransform);
}

Transform TransformToSrgb(const Profile& from, cmsUInt32Number in, cmsUInt32Number flags) {
  const Profile srgb(cmsCreate_sRGBProfileTHR(Context()), cmsCloseProfile);
  return TransformTo(srgb, TYPE_RGB_8, from, in, flags | cmsFLAGS_BLACKPOINTCOMPENSATION);
}

// What the profile's colour `rgb` (0–1) is in linear light. The matrix leads from the profiles' D50 to the
// primaries of IEC 61966-2-1, adapted by Bradford's transform.
LinearRgb LinearOf(const Transform& to_xyz, LinearRgb rgb) {
  constexpr float kMatrix[3][3] = {{3.1341864f, -1.6172090f, -0.4906941f},
                                   {-0.9787485f, 1.9161301f, 0.0334334f},
                                   {0.0719639f, -0.2289939f, 1.4057537f}};
  LinearRgb xyz{}, linear{};
  cmsDoTransform(to_xyz.get(), rgb.data(), xyz.data(), 1);
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 3; ++i) linear[c] += kMatrix[c][i] * xyz[i];
  }
  return linear;
}

// Whether a primary lies clearly outside sRGB: by 0.15 of full light, between ColorMatch RGB (0.11), which a
// clipped picture survives, and Display P3 (0.22).
bool ReachesBeyondSrgb(const Transform& to_xyz) {
  for (const LinearRgb& primary : {LinearRgb{1, 0, 0}, LinearRgb{0, 1, 0}, LinearRgb{0, 0, 1}}) {
    const LinearRgb linear = LinearOf(to_xyz, primary);
    if (*std::min_element(linear.begin(), linear.end()) < -0.15f) return true;
  }
  return false;
}

// In kOne's; a profile may claim any number, or none, so it is kept where three of them can be added.
int32_t Fixed(float light) {
  if (!(light > -4)) return -4 * kOne;
  return static_cast<int32_t>(std::lround(std::min(light, 4.0f) * kOne));
}

// With curves and a matrix the channels add up, so each can be asked alone. nullptr when black is not dark:
// then it would be counted thrice, and it wants compensation, too.
std::unique_ptr<const Light> LightOf(const Transform& to_xyz) {
  auto light = std::make_unique<Light>();
  for (size_t channel = 0; channel < 3; ++channel) {
    for (size_t value = 0; value < 256; ++value) {
      LinearRgb rgb{};
      rgb[channel] = static_cast<float>(value) / 255;
      const LinearRgb linear = LinearOf(to_xyz, rgb);
      for (size_t c = 0; c < 3; ++c) {
        light->of[channel][value][c] = Fixed(linear[c]);
        if (value == 0 && Fixed(linear[c]) != 0) return nullptr;
      }
    }
  }
  return light;
}

// The sRGB code of linear light in kOne's.
const uint8_t* Encoding() {
  static const std::array<uint8_t, kOne + 1> table = [] {
    std::array<uint8_t, kOne + 1> made{};
    for (size_t i = 0; i < made.size(); ++i) {
      const double light = static_cast<double>(i) / kOne;
      const double code = light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
      made[i] = static_cast<uint8_t>(std::lround(code * 255));
    }
    return made;
  }();
  return table.data();
}

template <int kChannels>
void ConvertByLight(const Light& light, uint8_t* p, size_t count) {
  const uint8_t* encoding = Encoding();
  for (; count > 0; --count, p += kChannels) {
    const int32_t *r = light.of[0][p[0]], *g = light.of[1][p[1]], *b = light.of[2][p[2]];
    for (int c = 0; c < 3; ++c) p[c] = encoding[std::clamp(r[c] + g[c] + b[c], 0, kOne)];
  }
}

// lcms2 gets RGB only, so that one transform serves both; alpha stays where it is.
void ConvertByTables(const Transform& tables, uint8_t* p, size_t count, size_t channels) {
  if (channels == 3) return cmsDoTransform(tables.get(), p, p, static_cast<cmsUInt32Number>(count));
  constexpr size_t kBlock = 512;
  uint8_t rgb[3 * kBlock];
  for (size_t size; count > 0; count -= size, p += size * channels) {
    size = std::min(count, kBlock);
    for (size_t i = 0; i < size; ++i) std::memcpy(rgb + 3 * i, p + channels * i, 3);
    cmsDoTransform(tables.get(), rgb, rgb, static_cast<cmsUInt32Number>(size));
    for (size_t i = 0; i < size; ++i) std::memcpy(p + channels * i, rgb + 3 * i, 3);
  }
}

void ConvertRow(const Conversion& conversion, uint8_t* p, size_t count, size_t channels) {
  if (conversion.space == Space::kGrey) {
    for (; count > 0; --count, p += channels) {
      for (size_t c = 0; c < 3; ++c) p[c] = conversion.tones[p[c]];
    }
  } else if (conversion.tables) {
    ConvertByTables(conversion.tables, p, count, channels);
  } else if (channels == 4) {
    ConvertByLight<4>(*conversion.light, p, count);
  } else {
    ConvertByLight<3>(*conversion.light, p, count);
  }
}

// By a grid of colours and all greys.
Gamut Judge(const Conversion& conversion) {
  std::vector<uint8_t> colours;
  for (int r = 0; r < 256; r += 17) {
    for (int g = 0; g < 256; g += 17) {
      for (int b = 0; b < 256; b += 17) {
        for (int value : {r, g, b}) colours.push_back(static_cast<uint8_t>(value));
      }
    }
  }
  for (int grey = 0; grey < 256; ++grey) colours.insert(colours.end(), 3, static_cast<uint8_t>(grey));
  std::vector<uint8_t> converted = colours;
  ConvertRow(conversion, converted.data(), converted.size() / 3, 3);
  for (size_t i = 0; i < colours.size(); ++i) {
    if (std::abs(colours[i] - converted[i]) > 1) return Gamut::kOther;
  }
  return Gamut::kSrgb;
}

Status MakeRgb(const Profile& profile, Conversion* conversion) {
  const Profile xyz(cmsCreateXYZProfileTHR(Context()), cmsCloseProfile);
  const Transform to_xyz =
      TransformTo(xyz, TYPE_XYZ_FLT, profile, TYPE_RGB_FLT, cmsFLAGS_NOOPTIMIZE | cmsFLAGS_NOCACHE);
  if (!to_xyz) return Unusable("is broken: its curves, matrix or tables are not valid");
  conversion->wide = ReachesBeyondSrgb(to_xyz);
  const bool by_tables = cmsIsTag(profile.get(), cmsSigAToB0Tag) || cmsIsTag(profile.get(), cmsSigAToB1Tag);
  if (!by_tables) conversion->light = LightOf(to_xyz);
  if (!conversion->light) conversion->tables = TransformToSrgb(profile, TYPE_RGB_8, 0);
  if (!conversion->light && !conversion->tables) return Unusable("is broken: its tables are not valid");
  conversion->gamut = Judge(*conversion);
  return OkStatus();
}

Status MakeGrey(const Profile& profile, Conversion* conversion) {
  // Not optimised, because a table of 33 nodes would stand in for the curve.
  const Transform grey = TransformToSrgb(profile, TYPE_GRAY_8, cmsFLAGS_NOOPTIMIZE);
  if (!grey) return Unusable("is broken: its curve is not valid");
  for (size_t value = 0; value < 256; ++value) {
    const uint8_t in = static_cast<uint8_t>(value);
    uint8_t rgb[3];
    cmsDoTransform(grey.get(), &in, rgb, 1);
    conversion->tones[value] = rgb[1];
  }
  conversion->space = Space::kGrey;
  conversion->gamut = Judge(*conversion);
  return OkStatus();
}

Status MakeCmyk(const Profile& profile, Conversion* conversion) {
  conversion->space = Space::kCmyk;
  conversion->tables = TransformToSrgb(profile, TYPE_CMYK_8_REV, 0);
  return conversion->tables ? OkStatus() : Unusable("is broken: its tables are not valid");
}

StatusOr<ConversionRef> Make(std::string_view icc) {
  ASSIGN_OR_RETURN(const Profile profile, Open(icc));
  const std::string_view space = icc.substr(16, 4);
  auto conversion = std::make_shared<Conversion>();
  if (space == "RGB ") {
    RETURN_IF_ERROR(MakeRgb(profile, conversion.get()));
  } else if (space == "GRAY") {
    RETURN_IF_ERROR(MakeGrey(profile, conversion.get()));
  } else if (space == "CMYK") {
    RETURN_IF_ERROR(MakeCmyk(profile, conversion.get()));
  } else {
    return Unusable("is for neither RGB nor grey nor CMYK");
  }
  return ConversionRef(std::move(conversion));
}

// The conversions that were used last. Keyed by SHA-256, because the profiles are strangers' and a collision
// would give one's colours to another's pictures.
class Conversions {
 public:
  StatusOr<ConversionRef> For(std::string_view icc) {
    const Sha256Digest key = Sha256(icc);
    if (ConversionRef known = Find(key)) return known;
    // One is made at a time: who waited mostly finds it made, and lcms2 rewrites a static (D50) on the way.
    const std::lock_guard lock(making_);
    if (ConversionRef known = Find(key)) return known;
    ASSIGN_OR_RETURN(ConversionRef made, Make(icc));
    Keep(key, icc.size(), made);
    return made;
  }

 private:
  static constexpr size_t kMaxEntries = 8;
  static constexpr size_t kMaxBytes = 4u << 20;  // of profiles: what lcms2 keeps is a small multiple of them
  struct Entry {
    Sha256Digest key;
    size_t bytes = 0;
    ConversionRef conversion;
  };

  ConversionRef Find(const Sha256Digest& key) {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
    if (found == entries_.end()) return nullptr;
    std::rotate(entries_.begin(), found, found + 1);
    return entries_.front().conversion;
  }

  void Keep(const Sha256Digest& key, size_t bytes, ConversionRef conversion) {
    const std::lock_guard lock(mutex_);
    entries_.insert(entries_.begin(), {key, bytes, std::move(conversion)});
    size_t kept = 0, total = 0;
    while (kept < std::min(entries_.size(), kMaxEntries) && total + entries_[kept].bytes <= kMaxBytes) {
      total += entries_[kept++].bytes;
    }
    entries_.resize(kept);
  }

  std::mutex making_;
  std::mutex mutex_;
  std::vector<Entry> entries_;  // the latest first
};

StatusOr<ConversionRef> ConversionFor(std::string_view icc) {
  static Conversions* const cache = new Conversions;  // never freed: threads may convert until the very end
  return cache->For(icc);
}

// By white paper and inks that take all of their light.
void ConvertPlainCmyk(const uint8_t* from, size_t count, uint8_t* to) {
  for (; count > 0; --count, from += 4, to += 3) {
    for (int c = 0; c < 3; ++c) to[c] = static_cast<uint8_t>((from[c] * from[3] + 127) / 255);
  }
}

}  // namespace

Gamut GamutOf(std::string_view icc) {
  const StatusOr<ConversionRef> conversion = ConversionFor(icc);
  return conversion.ok() ? (*conversion)->gamut : Gamut::kUnusable;
}

bool IsWideGamut(std::string_view icc) {
  const StatusOr<ConversionRef> conversion = ConversionFor(icc);
  return conversion.ok() && (*conversion)->wide;
}

Status ToSrgb(std::string_view icc, Pixels* pixels) {
  RETURN_IF_ERROR(CheckPixels(*pixels));
  ASSIGN_OR_RETURN(const ConversionRef conversion, ConversionFor(icc));
  if (conversion->gamut == Gamut::kUnusable) return Unusable("is for CMYK, not for RGB or grey");
  if (conversion->gamut == Gamut::kSrgb) return OkStatus();
  for (uint32_t y = 0; y < pixels->height; ++y) {
    ConvertRow(*conversion, pixels->row(y), pixels->width, static_cast<size_t>(pixels->channels));
  }
  return OkStatus();
}

StatusOr<Pixels> CmykToSrgb(std::string_view icc, const Pixels& cmyk) {
  RETURN_IF_ERROR(CheckPixels(cmyk));
  if (cmyk.channels != 4) return Error(Code::kInvalid, "CMYK has four channels, not three");
  ConversionRef conversion;
  if (!icc.empty()) {
    ASSIGN_OR_RETURN(conversion, ConversionFor(icc));
    if (conversion->space != Space::kCmyk) return Unusable("is not for CMYK");
  }
  ASSIGN_OR_RETURN(Pixels rgb, NewPixels(cmyk.width, cmyk.height, 3));
  for (uint32_t y = 0; y < cmyk.height; ++y) {
    if (conversion) {
      cmsDoTransform(conversion->tables.get(), cmyk.row(y), rgb.row(y), cmyk.width);
    } else {
      ConvertPlainCmyk(cmyk.row(y), cmyk.width, rgb.row(y));
    }
  }
  return rgb;
}

}  // namespace mediagen::codec
