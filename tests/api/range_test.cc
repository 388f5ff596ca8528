// Range requests (RFC 9110 §14 and §13.1.5), one row a sentence. The representation has 100 bytes unless the
// row says otherwise, and the tag "abc".
#include <doctest/doctest.h>

#include "api/conditional.h"
#include "api/exchange.h"

using namespace mediagen;
using mediagen::testing::RequestOf;

namespace {

constexpr RangeResult kWhole = RangeResult::kWhole, kPartial = RangeResult::kPartial,
                      kUnsatisfiable = RangeResult::kUnsatisfiable;

struct Row {
  std::string_view section;
  std::string_view why;
  const char* headers;
  RangeResult is;
  uint64_t offset = 0, length = 100;
  uint64_t size = 100;
  const char* method = "GET";
};

constexpr Row kRows[] = {
    {"14.2", "no Range, no part", "", kWhole},

    // Units and grammar.
    {"14.1", "the unit's name has no case", "Range: BYTES=0-1", kPartial, 0, 2},
    {"14.2", "another unit is ignored", "Range: lines=0-1", kWhole},
    {"14.2", "also one that begins alike", "Range: bytesx=0-1", kWhole},
    {"14.1.1", "no space stands before the equals sign", "Range: bytes =0-1", kWhole},
    {"14.1.1", "no unit, no range", "Range: 0-1", kWhole},
    {"14.1.1", "no set, no range", "Range: bytes=", kWhole},
    {"14.1.1", "an empty field is no range", "Range:", kWhole},
    {"14.1.1", "letters are no positions", "Range: bytes=a-b", kWhole},
    {"14.1.1", "a sign is no digit", "Range: bytes=+1-2", kWhole},
    {"14.1.1", "a fraction is no position", "Range: bytes=1.5-2", kWhole},
    {"14.1.1", "a dash alone is no range", "Range: bytes=-", kWhole},
    {"14.1.1", "two dashes are no range", "Range: bytes=1-2-3", kWhole},
    {"14.1.1", "a suffix has one dash", "Range: bytes=--5", kWhole},
    {"14.1.1", "space cannot stand inside a range", "Range: bytes=0 - 1", kWhole},
    {"5.6.1", "it may stand around a list's elements", "Range: bytes= 0-1 ", kPartial, 0, 2},
    {"5.6.1.2", "empty elements mean nothing", "Range: bytes=,0-1, ,", kPartial, 0, 2},
    {"5.6.1.2", "nothing but empty elements is no set", "Range: bytes=, ,", kWhole},

    // Positions.
    {"14.1.2", "positions count from 0, both ends included", "Range: bytes=0-49", kPartial, 0, 50},
    {"14.1.2", "one byte", "Range: bytes=0-0", kPartial, 0, 1},
    {"14.1.2", "the last byte", "Range: bytes=99-99", kPartial, 99, 1},
    {"14.1.2", "zeros in front change nothing", "Range: bytes=00000000000000000000000-01", kPartial, 0, 2},
    {"14.1.2", "an open end is the end", "Range: bytes=90-", kPartial, 90, 10},
    {"14.1.2", "from 0 on is all, as a part", "Range: bytes=0-", kPartial, 0, 100},
    {"14.1.2", "a last position behind the end is the end", "Range: bytes=90-1000", kPartial, 90, 10},
    {"14.1.2", "also one past 64 bits", "Range: bytes=90-99999999999999999999", kPartial, 90, 10},
    {"14.1.1", "last before first is invalid, and ignored", "Range: bytes=50-49", kWhole},
    {"14.1.1", "also behind the end", "Range: bytes=200-100", kWhole},
    {"14.1.2", "a first position at the end cannot be satisfied", "Range: bytes=100-", kUnsatisfiable},
    {"14.1.2", "nor one behind it", "Range: bytes=200-300", kUnsatisfiable},
    {"14.1.2", "nor one past 64 bits", "Range: bytes=99999999999999999999-", kUnsatisfiable},
    {"14.1.2", "nor one at the end of 64 bits", "Range: bytes=18446744073709551615-", kUnsatisfiable},

    // Suffixes.
    {"14.1.2", "a suffix is the last n bytes", "Range: bytes=-10", kPartial, 90, 10},
    {"14.1.2", "one as long as all is all", "Range: bytes=-100", kPartial, 0, 100},
    {"14.1.2", "a longer one is all", "Range: bytes=-1000", kPartial, 0, 100},
    {"14.1.2", "also one past 64 bits", "Range: bytes=-99999999999999999999", kPartial, 0, 100},
    {"14.1.2", "a suffix of 0 cannot be satisfied", "Range: bytes=-0", kUnsatisfiable},

    // The empty representation.
    {"14.1.2", "it has no first byte", "Range: bytes=0-", kUnsatisfiable, 0, 0, 0},
    {"14.1.2", "and no suffix of 0", "Range: bytes=-0", kUnsatisfiable, 0, 0, 0},
    {"14.4", "a suffix of it is all of it, which no Content-Range can say", "Range: bytes=-5", kWhole, 0, 0,
     0},

    // Several ranges, which a server may answer whole.
    {"14.2", "several ranges are answered whole", "Range: bytes=0-1,5-6", kWhole},
    {"14.2", "also when they overlap", "Range: bytes=0-50, 10-60", kWhole},
    {"14.2", "also when none could be satisfied", "Range: bytes=200-, 300-", kWhole},
    {"5.3", "two lines are no range", "Range: bytes=0-1\nRange: bytes=5-6", kWhole},

    // Methods.
    {"14.2", "HEAD knows no range", "Range: bytes=0-1", kWhole, 0, 100, 100, "HEAD"},
    {"14.2", "nor does any other method", "Range: bytes=0-1", kWhole, 0, 100, 100, "POST"},
    {"14.2", "not even one that cannot be satisfied", "Range: bytes=200-", kWhole, 0, 100, 100, "HEAD"},

    // If-Range.
    {"13.1.5", "the same tag: the part", "Range: bytes=0-1\nIf-Range: \"abc\"", kPartial, 0, 2},
    {"13.1.5", "another tag: all", "Range: bytes=0-1\nIf-Range: \"x\"", kWhole},
    {"13.1.5", "another tag: all, not 416", "Range: bytes=200-\nIf-Range: \"x\"", kWhole},
    {"13.1.5", "the same tag: 416 where it is due", "Range: bytes=200-\nIf-Range: \"abc\"", kUnsatisfiable},
    {"13.1.5", "weak tags never hold", "Range: bytes=0-1\nIf-Range: W/\"abc\"", kWhole},
    {"13.1.5", "a date never holds without a modification date",
     "Range: bytes=0-1\nIf-Range: Sat, 29 Oct 1994 19:43:31 GMT", kWhole},
    {"13.1.5", "a list is not one tag", "Range: bytes=0-1\nIf-Range: \"abc\", \"x\"", kWhole},
    {"13.1.5", "nor is *", "Range: bytes=0-1\nIf-Range: *", kWhole},
    {"13.1.5", "an empty field holds nothing", "Range: bytes=0-1\nIf-Range:", kWhole},
    {"13.1.5", "without Range it means nothing", "If-Range: \"abc\"", kWhole},
};

}  // namespace

TEST_CASE("ranges are evaluated by RFC 9110 §14") {
  for (const Row& row : kRows) {
    CAPTURE(row.section);
    CAPTURE(row.why);
    ByteRange range;
    CHECK(CheckRange(RequestOf(row.method, row.headers), "\"abc\"", row.size, &range) == row.is);
    if (row.is == kUnsatisfiable) continue;
    CHECK(range.offset == row.offset);
    CHECK(range.length == row.length);
  }
}

TEST_CASE("a range set as long as a header may be is read in one pass") {
  std::string set = "Range: bytes=";
  while (set.size() < 60'000) set += ", ";
  ByteRange range;
  CHECK(CheckRange(RequestOf("GET", set + "0-1"), "\"abc\"", 100, &range) == kPartial);
  CHECK(range.length == 2);
}
