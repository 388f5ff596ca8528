// Content negotiation (RFC 9110 §12), one row a sentence.
#include "api/negotiate.h"

#include <doctest/doctest.h>

#include <optional>

using namespace mediagen;

TEST_CASE("the most specific range of Accept gives the quality") {
  struct Row {
    std::string_view section;
    std::string_view why;
    const char* accept;
    int quality;  // of image/webp
  };
  constexpr Row kRows[] = {
      {"12.5.1", "without the field all is acceptable", "", 1000},
      {"12.4.2", "without a weight it is 1", "image/webp", 1000},
      {"12.4.2", "0 is not acceptable", "image/webp;q=0", 0},
      {"12.4.2", "nor is 0.000", "image/webp;q=0.000", 0},
      {"12.4.2", "three digits count", "image/webp;q=0.001", 1},
      {"12.4.2", "a dot without digits is allowed", "image/webp;q=1.", 1000},
      {"12.4.2", "the weight's name has no case", "IMAGE/WEBP;Q=0.75", 750},
      {"12.4.2", "space may stand before and behind the semicolon", "image/webp ; q=0.3", 300},
      {"12.4.2", "more than 1 is 1", "image/webp;q=1.5", 1000},
      {"12.4.2", "four digits are no weight, and refuse", "image/webp;q=0.0001", 0},
      {"12.4.2", "letters are none", "image/webp;q=x", 0},
      {"12.4.2", "nothing is none", "image/webp;q=", 0},
      {"12.4.2", "a minus is none", "image/webp;q=-1", 0},
      {"12.5.1", "type/* stands for its subtypes", "image/*;q=0.5", 500},
      {"12.5.1", "*/* stands for all", "*/*;q=0.1", 100},
      {"12.5.1", "*/webp stands for nothing", "*/webp", 0},
      {"12.5.1", "what is not named is not acceptable", "image/png", 0},
      {"12.5.1", "nor is another type's range", "text/*", 0},
      {"12.5.1", "the type goes before its range", "image/*, image/webp;q=0.2", 200},
      {"12.5.1", "in either order", "image/webp;q=0.2, image/*", 200},
      {"12.5.1", "the type's range goes before */*", "*/*, image/*;q=0.4", 400},
      {"12.5.1", "a refusal goes before what is wider", "image/webp;q=0, image/*, */*", 0},
      {"12.5.1", "a range with parameters is another one", "image/webp;level=1, */*;q=0.2", 200},
      {"12.5.1", "what stands behind the weight says nothing", "image/webp;q=0.5;ext=1", 500},
      {"5.6.4", "a comma in a quoted string parts nothing", "image/x;a=\"b,image/webp\", */*;q=0.2", 200},
      {"5.6.4", "nor does an escaped quote end one", "image/x;a=\"\\\",image/webp\", */*;q=0.2", 200},
      {"5.6.1.2", "empty elements mean nothing", ", ,image/webp;q=0.6,,", 600},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.section);
    CAPTURE(row.why);
    CHECK(AcceptQuality(row.accept, "image/webp") == row.quality);
  }
}

TEST_CASE("WebP is sent to those who name it, the source's kind to the others") {
  struct Row {
    const char* accept;
    Format source, is;
  };
  constexpr Row kRows[] = {
      {"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", Format::kJpeg, Format::kWebp},
      {"image/avif,image/webp,*/*;q=0.8", Format::kPng, Format::kWebp},
      {"*/*", Format::kJpeg, Format::kJpeg},
      {"*/*", Format::kPng, Format::kPng},
      {"", Format::kPng, Format::kPng},
      {"image/*", Format::kJpeg, Format::kWebp},
      {"image/webp;q=0, */*", Format::kJpeg, Format::kJpeg},
      {"image/webp;q=0, image/*", Format::kJpeg, Format::kJpeg},
      {"image/jpeg, image/webp;q=0.5", Format::kJpeg, Format::kJpeg},
      {"image/webp", Format::kPng, Format::kWebp},
      {"image/jpeg", Format::kPng, Format::kJpeg},      // what is named goes before the source's kind
      {"text/html", Format::kJpeg, Format::kJpeg},      // §12.4.1: nothing fits, and something is sent
      {"image/webp;a=b", Format::kJpeg, Format::kJpeg}  // ours have no parameters
  };
  for (const Row& row : kRows) {
    CAPTURE(row.accept);
    CHECK(NegotiateFormat(row.accept, row.source) == row.is);
  }
}

TEST_CASE("codings are chosen by RFC 9110 §12.5.3") {
  constexpr Coding kNone = Coding::kIdentity, kZstd = Coding::kZstd, kGzip = Coding::kGzip;
  struct Row {
    std::string_view why;
    std::optional<std::string> accept;
    Coding coding;
    bool identity;  // whether the bytes may go as they are
  };
  const Row rows[] = {
      {"without the field nothing is compressed for who may not know it", std::nullopt, kNone, true},
      {"the empty field wants no coding", "", kNone, true},
      {"zstd by name", "zstd", kZstd, true},
      {"gzip by name", "gzip", kGzip, true},
      {"x-gzip is gzip (§8.4.1.3)", "x-gzip", kGzip, true},
      {"names have no case", "GZip", kGzip, true},
      {"others are not ours", "br, deflate", kNone, true},
      {"zstd before gzip at equal weight", "gzip, deflate, br, zstd", kZstd, true},
      {"the heavier one", "zstd;q=0.5, gzip;q=0.8", kGzip, true},
      {"q=0 refuses", "zstd;q=0, gzip", kGzip, true},
      {"* is any that is not named", "*", kZstd, true},
      {"but not one that is", "zstd;q=0, *", kGzip, true},
      {"of its own weight", "gzip;q=0.5, *;q=0.2", kGzip, true},
      {"*;q=0 refuses identity", "gzip, *;q=0", kGzip, false},
      {"unless that is named", "identity;q=0.1, *;q=0", kNone, true},
      {"identity;q=0 refuses it", "gzip, identity;q=0", kGzip, false},
      {"a heavier identity goes first", "gzip;q=0.5, identity", kNone, true},
      {"a lighter one last", "gzip, identity;q=0.5", kGzip, true},
      {"nothing is acceptable", "identity;q=0", kNone, false},
      {"nothing at all", "*;q=0", kNone, false},
      {"a malformed weight refuses", "zstd;q=x, gzip", kGzip, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const CodingChoice choice = NegotiateCoding(row.accept ? &*row.accept : nullptr);
    CHECK(CodingName(choice.coding) == CodingName(row.coding));
    CHECK(choice.identity == row.identity);
  }
}

TEST_CASE("hostile lists are read in one pass") {
  for (std::string_view piece : {",", ";", "\"", "\\\",", "a;b=\"", "image/webp;q=0.1,", "a;"}) {
    CAPTURE(piece);
    std::string list;
    while (list.size() < 60'000) list += piece;
    CHECK(AcceptQuality(list, "image/webp") <= 1000);
    CHECK(CodingQuality(list, "zstd") == 0);
  }
}
