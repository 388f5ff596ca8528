// Accept and Accept-Encoding (RFC 9110 §12.5).
#include <algorithm>
#include <string>

#include "api/negotiate.h"
#include "base/text.h"
#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mediagen;
  using fuzz::Require;
  const std::string_view accept = fuzz::Text(data, size);
  const bool named = !Trim(accept).empty();
  const auto quality = [&](std::string_view type) {
    const int value = AcceptQuality(accept, type);
    Require(value >= 0 && value <= 1000, "a quality goes from 0 to 1000");
    return value;
  };
  const int jpeg = quality("image/jpeg"), png = quality("image/png"), webp = quality("image/webp");
  if (!named) Require(jpeg == 1000 && png == 1000 && webp == 1000, "without the field all are welcome");
  for (Format source : {Format::kPng, Format::kJpeg, Format::kWebp, Format::kGif}) {
    const Format chosen = NegotiateFormat(accept, source);
    Require(chosen == Format::kPng || chosen == Format::kJpeg || chosen == Format::kWebp,
            "a format that is written");
    if (chosen == Format::kPng) Require(source == Format::kPng, "PNG for PNG alone");
    const int wanted = chosen == Format::kWebp ? webp : chosen == Format::kPng ? png : jpeg;
    const bool any = jpeg > 0 || webp > 0 || (source == Format::kPng && png > 0);
    if (any) Require(wanted > 0, "what is refused is not sent while something else is taken");
  }
  const std::string text = ToLower(accept);
  for (std::string_view coding : {"zstd", "gzip", "identity"}) {
    const int value = CodingQuality(accept, coding);
    Require(value >= 0 && value <= 1000, "a quality goes from 0 to 1000");
    const bool named_or_any = text.find(coding) != text.npos || text.find('*') != text.npos;
    if (value > 1) Require(named_or_any, "a coding is named, or any is");
    const std::string refused = std::string(accept) + ", " + std::string(coding) + ";q=0";
    Require(CodingQuality(refused, coding) == 0, "q=0 refuses");
    const std::string taken = std::string(accept) + ", " + std::string(coding) + ";q=0.5";
    Require(CodingQuality(taken, coding) == 500, "the last word counts");
  }
  const std::string field(accept);
  const CodingChoice choice = NegotiateCoding(&field);
  if (choice.coding != Coding::kIdentity)
    Require(CodingQuality(accept, CodingName(choice.coding)) > 0, "what is refused is not sent");
  Require(choice.identity == (CodingQuality(accept, "identity") > 0), "the bytes as they are");
  return 0;
}
