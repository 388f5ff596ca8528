// What is read without decoding: format, headers, EXIF, the profile's place.
#include "base/json.h"
#include "codec/documents.h"
#include "codec/formats.h"
#include "codec/icc.h"
#include "fuzz/picture.h"

namespace mediagen::fuzz {
namespace {

void CheckPrompt(std::string_view prompt) {
  Require(prompt.size() <= codec::kPromptBytes, "the prompt's bound");
  Require(IsUtf8(prompt), "the prompt is UTF-8");
}

void CheckInfo(std::string_view bytes, const ImageInfo& info) {
  Require(info.format == Sniff(bytes), "probe and sniff agree");
  Require(info.width > 0 && info.height > 0, "a picture has a size");
  Require(uint64_t{info.width} * info.height <= kLimits.max_pixels, "the limit of pixels");
  Require(info.orientation >= 1 && info.orientation <= 8, "an orientation of EXIF");
  Require(info.frames >= 1, "a picture has a frame");
  CheckPrompt(info.prompt);
  const StatusOr<Json> document = ParseJson(ProbeDocument(info, bytes.size()), "document");
  Require(document.ok() && document->is_object(), "the document is JSON");
  Require(document->at("width").get<uint32_t>() == info.width, "and says the size");
}

void CheckExif(std::string_view bytes) {
  const int orientation = codec::ExifOrientation(bytes);
  Require(orientation >= 1 && orientation <= 8, "an orientation of EXIF");
  CheckPrompt(codec::ExifPrompt(bytes));
  CheckPrompt(codec::PromptText(bytes));
}

}  // namespace
}  // namespace mediagen::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view bytes = fuzz::Text(data, size);
  const StatusOr<ImageInfo> info = Probe(bytes, fuzz::kLimits);
  if (info.ok())
    fuzz::CheckInfo(bytes, *info);
  else
    fuzz::CheckRefusal(info.status());
  fuzz::CheckExif(bytes);
  for (Format format : {Format::kPng, Format::kJpeg, Format::kWebp, Format::kGif})
    fuzz::Require(codec::IccProfile(bytes, format, 5000).size() <= 5000, "the profile's bound");
  fuzz::Require(codec::CountJpegScans(bytes, 3) <= 4, "counting stops");
  return 0;
}
