#include "codec/documents.h"

#include <optional>
#include <vector>

#include "base/base64.h"
#include "base/data_uri.h"
#include "base/json.h"
#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr size_t kMaxOptions = 4096;
constexpr int64_t kMaxSide = 1'000'000;

StatusOr<Json> ParseOptions(std::string_view json, std::string_view what) {
  if (json.empty()) return Json::object();
  return ParseJson(json, what, {.max_bytes = kMaxOptions});
}

void Side(FieldReader& fields, std::string_view name, uint32_t* out) {
  int64_t side = *out;
  fields.Int(name, &side, 0, kMaxSide);
  *out = static_cast<uint32_t>(side);
}

void Integer(FieldReader& fields, std::string_view name, int* out, int64_t min, int64_t max) {
  int64_t value = *out;
  fields.Int(name, &value, min, max);
  *out = static_cast<int>(value);
}

template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};
constexpr Named<Fit> kFits[] = {{"cover", Fit::kCover},
                                {"contain", Fit::kContain},
                                {"inside", Fit::kInside},
                                {"outside", Fit::kOutside},
                                {"fill", Fit::kFill}};
constexpr Named<Filter> kFilters[] = {{"catmull-rom", Filter::kCatmullRom}, {"lanczos3", Filter::kLanczos3}};
constexpr Named<Chroma> kChromas[] = {{"420", Chroma::k420}, {"422", Chroma::k422}, {"444", Chroma::k444}};
constexpr Named<Format> kWritten[] = {
    {"webp", Format::kWebp}, {"jpeg", Format::kJpeg}, {"jpg", Format::kJpeg}, {"png", Format::kPng}};

template <typename Value, size_t kCount>
void OneOf(FieldReader& fields, std::string_view name, const Named<Value> (&all)[kCount], Value* out) {
  std::vector<std::string_view> names;
  for (const Named<Value>& known : all) names.push_back(known.name);
  std::string text;
  fields.String(name, &text, {.one_of = std::move(names)});
  for (const Named<Value>& known : all) {
    if (known.name == text) *out = known.value;
  }
}

// "#rrggbb"
std::optional<uint32_t> ColourOf(std::string_view text) {
  if (text.size() != 7 || text[0] != '#') return std::nullopt;
  uint32_t value = 0;
  for (char c : text.substr(1)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  return value;
}

}  // namespace

std::string_view FitName(Fit fit) {
  for (const Named<Fit>& known : kFits) {
    if (known.value == fit) return known.name;
  }
  return "";
}

StatusOr<Fit> FitByName(std::string_view name) {
  for (const Named<Fit>& known : kFits) {
    if (known.name == name) return known.value;
  }
  return Error(Code::kInvalid, fmt::format("\"{}\" is no fit.", Shorten(name, 40)),
               {.hint = "The fits are cover, contain, inside, outside and fill."});
}

StatusOr<DecodeOptions> ParseDecodeOptions(std::string_view json) {
  constexpr std::string_view kWhat = "The options of a decode";
  ASSIGN_OR_RETURN(const Json options, ParseOptions(json, kWhat));
  FieldReader fields(options, kWhat);
  DecodeOptions out;
  Side(fields, "width", &out.target_width);
  Side(fields, "height", &out.target_height);
  fields.Bool("orientation", &out.apply_orientation);
  fields.Bool("toSrgb", &out.to_srgb);
  auto limit = [&](std::string_view name, auto* value) {
    int64_t number = static_cast<int64_t>(*value);
    fields.Int(name, &number, 1, int64_t{1} << 40);
    *value = static_cast<std::remove_reference_t<decltype(*value)>>(number);
  };
  limit("maxPixels", &out.limits.max_pixels);
  limit("maxBytes", &out.limits.max_bytes);
  limit("maxMs", &out.limits.max_ms);
  limit("maxFrames", &out.limits.max_frames);
  limit("maxAnimationBytes", &out.limits.max_animation_bytes);
  RETURN_IF_ERROR(fields.Finish());
  return out;
}

StatusOr<ResizeOptions> ParseResizeOptions(std::string_view json) {
  constexpr std::string_view kWhat = "The options of a resize";
  ASSIGN_OR_RETURN(const Json options, ParseOptions(json, kWhat));
  FieldReader fields(options, kWhat);
  ResizeOptions out;
  Side(fields, "width", &out.width);
  Side(fields, "height", &out.height);
  OneOf(fields, "fit", kFits, &out.fit);
  fields.Bool("enlarge", &out.enlarge);
  OneOf(fields, "filter", kFilters, &out.filter);
  fields.Bool("linearLight", &out.linear_light);
  fields.Number("x", &out.x, 0, 1);
  fields.Number("y", &out.y, 0, 1);
  RETURN_IF_ERROR(fields.Finish());
  return out;
}

StatusOr<EncodeOptions> ParseEncodeOptions(std::string_view json) {
  constexpr std::string_view kWhat = "The options of an encode";
  ASSIGN_OR_RETURN(const Json options, ParseOptions(json, kWhat));
  FieldReader fields(options, kWhat);
  EncodeOptions out;
  OneOf(fields, "format", kWritten, &out.format);
  Integer(fields, "quality", &out.quality, 1, 100);
  Integer(fields, "method", &out.method, 0, 6);
  fields.Bool("lossless", &out.lossless);
  OneOf(fields, "chroma", kChromas, &out.chroma);
  fields.Bool("progressive", &out.progressive);
  fields.Bool("optimize", &out.optimize);
  Integer(fields, "level", &out.png_level, 1, 12);
  std::string background;
  fields.String("background", &background);
  if (!background.empty()) {
    const std::optional<uint32_t> colour = ColourOf(background);
    if (!colour) fields.Refuse("background", "is no colour like \"#ffffff\"");
    out.background = colour.value_or(0);
  }
  RETURN_IF_ERROR(fields.Finish());
  return out;
}

std::string ProbeDocument(const ImageInfo& info, size_t bytes) {
  std::string out = fmt::format(
      R"({{"format":"{}","mediaType":"{}","bytes":{},"width":{},"height":{},"orientation":{},"alpha":{},)"
      R"("frames":{},"icc":{},"c2pa":{},"prompt":)",
      FormatName(info.format), MediaType(info.format), bytes, info.width, info.height, info.orientation,
      info.alpha, info.frames, info.icc, info.c2pa);
  if (info.prompt.empty())
    out += "null";
  else
    AppendJsonString(info.prompt, &out);
  return out + "}";
}

std::string ColourDocument(const Colour& colour) {
  return fmt::format(R"({{"red":{0},"green":{1},"blue":{2},"alpha":{3},"hex":"#{0:02x}{1:02x}{2:02x}"}})",
                     colour.red, colour.green, colour.blue, colour.alpha);
}

StatusOr<std::optional<std::string>> PictureFromText(std::string_view text) {
  std::optional<std::string> bytes;
  if (Sniff(text) != Format::kUnknown) return bytes;
  if (IsDataUri(text)) {
    ASSIGN_OR_RETURN(const DataUri uri, ParseDataUri(text));
    ASSIGN_OR_RETURN(bytes, DecodeDataUri(uri, text.size()));
    return bytes;
  }
  // What begins like a picture once it is decoded is one: the first characters tell.
  constexpr size_t kFirst = 32;
  auto first = Base64Decode(text.substr(0, kFirst), true);
  if (text.size() <= kFirst || !first.ok() || Sniff(*first) == Format::kUnknown) return bytes;
  ASSIGN_OR_RETURN(bytes, Base64Decode(text, true));
  return bytes;
}

}  // namespace mediagen
