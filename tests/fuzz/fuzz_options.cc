// The options of decode, resize and encode as JSON, and what a resize makes of them.
#include <cmath>

#include "codec/documents.h"
#include "codec/pictures.h"
#include "fuzz/picture.h"

namespace mediagen::fuzz {
namespace {

constexpr uint32_t kWidth = 13, kHeight = 7;

// The sides may be anything up to a million: only what is quickly drawn is.
bool IsSmall(const ResizeOptions& options) {
  const double width = options.width, height = options.height;
  const double across = width > 0 ? width : height * kWidth / kHeight,
               down = height > 0 ? height : width * kHeight / kWidth;
  const double scale = std::max(across / kWidth, down / kHeight);
  return !options.enlarge || (scale * kWidth * scale * kHeight < 60'000 && across * down < 60'000);
}

void CheckSides(const Pixels& out, const ResizeOptions& options) {
  const bool both = options.width > 0 && options.height > 0;
  if (options.fit == Fit::kInside && both)
    Require(out.width <= options.width && out.height <= options.height, "inside the box");
  const bool boxed = options.fit == Fit::kCover || options.fit == Fit::kContain || options.fit == Fit::kFill;
  if (boxed && both && options.enlarge)
    Require(out.width == options.width && out.height == options.height, "the box itself");
  if (!options.enlarge && options.fit != Fit::kContain)
    Require(out.width <= kWidth && out.height <= kHeight, "not enlarged unasked");
}

void CheckResize(const ResizeOptions& options) {
  if (!IsSmall(options)) return;
  const Pixels flat = Flat(kWidth, kHeight, {200, 100, 50, 255}, 4);
  const StatusOr<Pixels> out = Resize(flat, options);
  if (!out.ok()) return CheckRefusal(out.status());
  CheckWhole(*out);
  CheckSides(*out, options);
  for (size_t i = 0; i < out->bytes(); i += 4) {
    const uint8_t* p = out->data.get() + i;
    const bool drawn = p[0] == 200 && p[1] == 100 && p[2] == 50 && p[3] == 255;
    const bool canvas = options.fit == Fit::kContain && p[0] + p[1] + p[2] + p[3] == 0;
    Require(drawn || canvas, "one colour stays that colour");
  }
  const StatusOr<std::vector<Pixels>> all = ResizeAll(flat, std::array{options, options});
  Require(all.ok() && all->size() == 2 && Same((*all)[0], *out) && Same((*all)[1], *out), "all at once");
}

void CheckEncode(const EncodeOptions& options) {
  const StatusOr<BufferRef> bytes = Encode(Gradient(kWidth, kHeight, 4), options);
  Require(bytes.ok(), "options that were taken can be used");
  const StatusOr<Pixels> back = Decode(bytes->view(), {.limits = kLimits});
  Require(back.ok() && back->width == kWidth && back->height == kHeight, "and give a picture of that size");
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view json = fuzz::Text(data, size);
  const StatusOr<DecodeOptions> decode = ParseDecodeOptions(json);
  if (decode.ok()) {
    fuzz::Require(decode->limits.max_pixels > 0 && decode->limits.max_bytes > 0, "a limit is a limit");
    fuzz::Require(decode->limits.max_ms > 0, "and so is the time");
  } else {
    fuzz::CheckRefusal(decode.status());
  }
  const StatusOr<ResizeOptions> resize = ParseResizeOptions(json);
  if (resize.ok())
    fuzz::CheckResize(*resize);
  else
    fuzz::CheckRefusal(resize.status());
  const StatusOr<EncodeOptions> encode = ParseEncodeOptions(json);
  if (encode.ok())
    fuzz::CheckEncode(*encode);
  else
    fuzz::CheckRefusal(encode.status());
  return 0;
}
