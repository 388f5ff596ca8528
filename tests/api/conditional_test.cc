// RFC 9110 §13 and §14, one row a sentence.
#include "api/conditional.h"

#include <doctest/doctest.h>

using namespace mediagen;

namespace {

constexpr char kTag[] = "\"abc\"";

ApiRequest With(std::string method, HeaderList headers) {
  ApiRequest request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  return request;
}

}  // namespace

TEST_CASE("preconditions are evaluated by RFC 9110 §13.2.2") {
  struct Row {
    const char* why;
    const char* method;
    HeaderList headers;
    Precondition is;
  };
  const Row rows[] = {
      {"no condition", "GET", {}, Precondition::kProceed},
      {"If-None-Match that holds is 304 for GET",
       "GET",
       {{"if-none-match", "\"abc\""}},
       Precondition::kNotModified},
      {"… and for HEAD", "HEAD", {{"if-none-match", "\"abc\""}}, Precondition::kNotModified},
      {"… and 412 for others", "PUT", {{"if-none-match", "\"abc\""}}, Precondition::kFailed},
      {"a list holds any of its tags",
       "GET",
       {{"if-none-match", "\"x\", \"abc\" , \"y\""}},
       Precondition::kNotModified},
      {"If-None-Match compares weakly", "GET", {{"if-none-match", "W/\"abc\""}}, Precondition::kNotModified},
      {"* holds for what exists", "GET", {{"if-none-match", "*"}}, Precondition::kNotModified},
      {"another tag does not", "GET", {{"if-none-match", "\"abcd\""}}, Precondition::kProceed},
      {"tags are compared with their case", "GET", {{"if-none-match", "\"ABC\""}}, Precondition::kProceed},
      {"an unquoted tag is none", "GET", {{"if-none-match", "abc"}}, Precondition::kProceed},
      {"a comma inside a tag is part of it", "GET", {{"if-none-match", "\"a,abc\""}}, Precondition::kProceed},
      {"two fields are one list",
       "GET",
       {{"if-none-match", "\"x\""}, {"if-none-match", "\"abc\""}},
       Precondition::kNotModified},
      {"If-Match that does not hold is 412", "GET", {{"if-match", "\"x\""}}, Precondition::kFailed},
      {"If-Match that holds goes on", "GET", {{"if-match", "\"abc\""}}, Precondition::kProceed},
      {"If-Match compares strongly", "GET", {{"if-match", "W/\"abc\""}}, Precondition::kFailed},
      {"If-Match * holds", "GET", {{"if-match", "*"}}, Precondition::kProceed},
      {"If-Match comes first",
       "GET",
       {{"if-match", "\"x\""}, {"if-none-match", "\"abc\""}},
       Precondition::kFailed},
      {"both may hold",
       "GET",
       {{"if-match", "\"abc\""}, {"if-none-match", "\"abc\""}},
       Precondition::kNotModified},
      {"If-Modified-Since means nothing without Last-Modified",
       "GET",
       {{"if-modified-since", "Sat, 29 Oct 2044 19:43:31 GMT"}},
       Precondition::kProceed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(CheckPreconditions(With(row.method, row.headers), kTag) == row.is);
  }
}

TEST_CASE("ranges are evaluated by RFC 9110 §14") {
  struct Row {
    const char* why;
    const char* method;
    HeaderList headers;
    uint64_t size;
    RangeResult is;
    uint64_t offset, length;
  };
  const Row rows[] = {
      {"none", "GET", {}, 100, RangeResult::kWhole, 0, 100},
      {"first and last", "GET", {{"range", "bytes=0-49"}}, 100, RangeResult::kPartial, 0, 50},
      {"one byte", "GET", {{"range", "bytes=99-99"}}, 100, RangeResult::kPartial, 99, 1},
      {"open end", "GET", {{"range", "bytes=90-"}}, 100, RangeResult::kPartial, 90, 10},
      {"a last byte past the end is the end",
       "GET",
       {{"range", "bytes=90-1000"}},
       100,
       RangeResult::kPartial,
       90,
       10},
      {"suffix", "GET", {{"range", "bytes=-10"}}, 100, RangeResult::kPartial, 90, 10},
      {"a suffix longer than all is all",
       "GET",
       {{"range", "bytes=-1000"}},
       100,
       RangeResult::kPartial,
       0,
       100},
      {"a suffix of 0 cannot be satisfied",
       "GET",
       {{"range", "bytes=-0"}},
       100,
       RangeResult::kUnsatisfiable,
       0,
       100},
      {"behind the end", "GET", {{"range", "bytes=100-"}}, 100, RangeResult::kUnsatisfiable, 0, 100},
      {"a number too large for 64 bits is behind the end",
       "GET",
       {{"range", "bytes=99999999999999999999-"}},
       100,
       RangeResult::kUnsatisfiable,
       0,
       100},
      {"an empty representation has no byte",
       "GET",
       {{"range", "bytes=0-"}},
       0,
       RangeResult::kUnsatisfiable,
       0,
       0},
      {"last before first is ignored", "GET", {{"range", "bytes=50-49"}}, 100, RangeResult::kWhole, 0, 100},
      {"another unit is ignored", "GET", {{"range", "lines=0-1"}}, 100, RangeResult::kWhole, 0, 100},
      {"the unit has no case", "GET", {{"range", "BYTES=0-1"}}, 100, RangeResult::kPartial, 0, 2},
      {"several ranges are answered whole",
       "GET",
       {{"range", "bytes=0-1,5-6"}},
       100,
       RangeResult::kWhole,
       0,
       100},
      {"malformed is ignored", "GET", {{"range", "bytes=a-b"}}, 100, RangeResult::kWhole, 0, 100},
      {"a sign is malformed", "GET", {{"range", "bytes=+1-2"}}, 100, RangeResult::kWhole, 0, 100},
      {"HEAD knows no range", "HEAD", {{"range", "bytes=0-1"}}, 100, RangeResult::kWhole, 0, 100},
      {"If-Range that holds",
       "GET",
       {{"range", "bytes=0-1"}, {"if-range", "\"abc\""}},
       100,
       RangeResult::kPartial,
       0,
       2},
      {"If-Range that does not",
       "GET",
       {{"range", "bytes=0-1"}, {"if-range", "\"x\""}},
       100,
       RangeResult::kWhole,
       0,
       100},
      {"If-Range compares strongly",
       "GET",
       {{"range", "bytes=0-1"}, {"if-range", "W/\"abc\""}},
       100,
       RangeResult::kWhole,
       0,
       100},
      {"a date in If-Range never holds here",
       "GET",
       {{"range", "bytes=0-1"}, {"if-range", "Sat, 29 Oct 1994 19:43:31 GMT"}},
       100,
       RangeResult::kWhole,
       0,
       100},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    ByteRange range;
    CHECK(CheckRange(With(row.method, row.headers), kTag, row.size, &range) == row.is);
    if (row.is == RangeResult::kUnsatisfiable) continue;
    CHECK(range.offset == row.offset);
    CHECK(range.length == row.length);
  }
}
