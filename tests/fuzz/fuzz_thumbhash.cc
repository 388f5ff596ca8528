// Bytes that claim to be a ThumbHash.
#include "codec/pictures.h"
#include "fuzz/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  const std::string_view hash = fuzz::Text(data, size);
  const StatusOr<Colour> average = ThumbHashAverage(hash);
  const StatusOr<Pixels> pixels = ThumbHashPixels(hash);
  if (!pixels.ok()) return fuzz::CheckRefusal(pixels.status()), 0;
  fuzz::Require(average.ok(), "what can be drawn has an average");
  fuzz::Require(size >= 5, "a hash has five bytes");
  fuzz::CheckWhole(*pixels);
  fuzz::Require(pixels->channels == 4, "it may be transparent");
  fuzz::Require(std::max(pixels->width, pixels->height) == 32, "the longer side has 32 pixels");
  fuzz::Require(Same(*pixels, ThumbHashPixels(hash).value()), "the same every time");
  const StatusOr<std::string> again = ThumbHash(*pixels);
  fuzz::Require(again.ok() && again->size() >= 5 && again->size() <= 25, "what is drawn has a hash");
  fuzz::Require(ThumbHashPixels(*again).ok(), "which can be drawn");
  return 0;
}
