#include "net/http_date.h"

#include <doctest/doctest.h>

namespace mediagen {
namespace {

TEST_CASE("all three date forms of RFC 9110 are read") {
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    CAPTURE(text);
    StatusOr<int64_t> at = ParseHttpDate(text);
    REQUIRE(at.ok());
    CHECK(*at == 784111777000);
  }
}

TEST_CASE("other text is no date") {
  for (const char* text : {"", "0", "120", "Sun", "Sunday", "tomorrow", "1994-11-06T08:49:37Z",
                           "Sun, 99 Nov 1994 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK(CodeOf(ParseHttpDate(text).status()) == Code::kInvalid);
  }
}

TEST_CASE("a date is written in the preferred form and read back") {
  CHECK(FormatHttpDate(784111777999) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(FormatHttpDate(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  for (int64_t at : {int64_t{951782400000}, int64_t{1795219200000}, int64_t{4102444799000}})
    CHECK(ParseHttpDate(FormatHttpDate(at)).value() == at);
}

}  // namespace
}  // namespace mediagen
