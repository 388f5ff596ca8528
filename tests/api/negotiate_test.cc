#include "api/negotiate.h"

#include <doctest/doctest.h>

using namespace mediagen;

TEST_CASE("the most specific range of Accept gives the quality") {
  struct Row {
    const char* accept;
    const char* type;
    int quality;
  };
  for (const Row& row :
       {Row{"", "image/webp", 1000}, Row{"image/webp", "image/webp", 1000},
        Row{"image/webp;q=0", "image/webp", 0}, Row{"image/*;q=0.5", "image/webp", 500},
        Row{"*/*;q=0.1", "image/webp", 100}, Row{"image/*, image/webp;q=0.2", "image/webp", 200},
        Row{"image/png", "image/webp", 0}, Row{"IMAGE/WEBP;Q=0.75", "image/webp", 750},
        Row{"image/webp;q=1.5", "image/webp", 1000}, Row{"image/webp;q=x", "image/webp", 0},
        Row{"text/*", "image/webp", 0}, Row{"image/webp ; a=b ; q=0.3", "image/webp", 300}}) {
    CAPTURE(row.accept);
    CHECK(AcceptQuality(row.accept, row.type) == row.quality);
  }
}

TEST_CASE("WebP is sent to those who name it, the source's kind to the others") {
  struct Row {
    const char* accept;
    Format source, is;
  };
  for (const Row& row : {Row{"image/avif,image/webp,*/*;q=0.8", Format::kJpeg, Format::kWebp},
                         Row{"*/*", Format::kJpeg, Format::kJpeg}, Row{"", Format::kPng, Format::kPng},
                         Row{"image/*", Format::kJpeg, Format::kWebp},
                         Row{"image/webp;q=0, */*", Format::kJpeg, Format::kJpeg},
                         Row{"image/jpeg, image/webp;q=0.5", Format::kJpeg, Format::kJpeg},
                         Row{"image/webp", Format::kPng, Format::kWebp}}) {
    CAPTURE(row.accept);
    CHECK(NegotiateFormat(row.accept, row.source) == row.is);
  }
}

TEST_CASE("a coding is used when it is named or starred, and never at q=0") {
  CHECK(AcceptsCoding("gzip, zstd", "zstd"));
  CHECK(AcceptsCoding("*", "zstd"));
  CHECK_FALSE(AcceptsCoding("", "zstd"));
  CHECK_FALSE(AcceptsCoding("gzip", "zstd"));
  CHECK_FALSE(AcceptsCoding("zstd;q=0, *", "zstd"));
}
