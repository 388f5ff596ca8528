// Entity tags (RFC 9110 §8.8.3) and preconditions (§13), one row a sentence. The representation has the tag
// "abc" and, like all of ours, no Last-Modified.
#include "api/conditional.h"

#include <doctest/doctest.h>

#include "api/exchange.h"

using namespace mediagen;
using mediagen::testing::RequestOf;

namespace {

constexpr Precondition kProceed = Precondition::kProceed, kNotModified = Precondition::kNotModified,
                       kFailed = Precondition::kFailed;

struct Row {
  std::string_view section;
  std::string_view why;
  const char* method;
  const char* headers;
  Precondition is;
};

constexpr Row kRows[] = {
    {"13.2.2", "no condition, no question", "GET", "", kProceed},

    // Entity tags.
    {"8.8.3", "a tag is opaque and has its case", "GET", "If-None-Match: \"ABC\"", kProceed},
    {"8.8.3", "a tag stands in quotes", "GET", "If-None-Match: abc", kProceed},
    {"8.8.3", "a quote that does not close makes no tag", "GET", "If-None-Match: \"abc", kProceed},
    {"8.8.3", "a space cannot stand in a tag", "GET", "If-None-Match: \"a b\", \"abc\"", kProceed},
    {"8.8.3", "a comma inside a tag is part of it", "GET", "If-None-Match: \"a,abc\"", kProceed},
    {"8.8.3", "an apostrophe may stand in a tag", "GET", "If-None-Match: \"a'c\", \"abc\"", kNotModified},
    {"8.8.3", "obs-text may stand in a tag", "GET", "If-None-Match: \"\xe9\", \"abc\"", kNotModified},
    {"8.8.3", "the empty tag is a tag, another one", "GET", "If-None-Match: \"\", \"abc\"", kNotModified},
    {"8.8.3", "W/ is weak with its own case", "GET", "If-None-Match: w/\"abc\"", kProceed},
    {"8.8.3.2", "weak against strong is the same, weakly", "GET", "If-None-Match: W/\"abc\"", kNotModified},
    {"8.8.3.2", "weak against strong is another, strongly", "GET", "If-Match: W/\"abc\"", kFailed},
    {"8.8.3.2", "strong against strong is the same", "GET", "If-Match: \"abc\"", kProceed},

    // If-Match.
    {"13.1.1", "* is true for what exists", "GET", "If-Match: *", kProceed},
    {"13.1.1", "a list is true when any tag matches", "GET", "If-Match: \"x\", \"abc\"", kProceed},
    {"13.1.1", "otherwise it is false", "GET", "If-Match: \"x\", \"y\"", kFailed},
    {"13.1.1", "the empty list holds no tag", "GET", "If-Match:", kFailed},
    {"13.1.1", "what is no list holds no tag", "GET", "If-Match: abc", kFailed},
    {"13.1.1", "* stands alone", "GET", "If-Match: \"x\", *", kFailed},
    {"13.1.1", "412 also for HEAD", "HEAD", "If-Match: \"x\"", kFailed},
    {"13.1.1", "412 also for a method that changes something", "DELETE", "If-Match: \"x\"", kFailed},
    {"13.1.1", "which goes on under the right tag", "PATCH", "If-Match: \"abc\"", kProceed},

    // If-None-Match.
    {"13.1.2", "* is false for what exists", "GET", "If-None-Match: *", kNotModified},
    {"13.1.2", "a list is false when any tag matches", "GET", "If-None-Match: \"x\", \"abc\"", kNotModified},
    {"13.1.2", "otherwise it is true", "GET", "If-None-Match: \"x\", \"abcd\"", kProceed},
    {"13.1.2", "the empty list holds no tag", "GET", "If-None-Match:", kProceed},
    {"13.1.2", "304 for HEAD as for GET", "HEAD", "If-None-Match: \"abc\"", kNotModified},
    {"13.1.2", "412 for other methods", "PUT", "If-None-Match: \"abc\"", kFailed},
    {"13.1.2", "* keeps a PUT from replacing what exists", "PUT", "If-None-Match: *", kFailed},
    {"13.1.2", "a PUT goes on under another tag", "PUT", "If-None-Match: \"x\"", kProceed},

    // Lists.
    {"5.3", "several lines are one list", "GET", "If-None-Match: \"x\"\nIf-None-Match: \"abc\"",
     kNotModified},
    {"5.3", "of If-Match too", "GET", "If-Match: \"x\"\nAccept: */*\nIf-Match: \"abc\"", kProceed},
    {"5.6.1.2", "empty elements mean nothing", "GET", "If-None-Match: , ,\"x\",, \"abc\" ,", kNotModified},
    {"5.6.1.2", "space and tab may stand around commas", "GET", "If-None-Match: \"x\"\t ,\t\"abc\"",
     kNotModified},
    {"5.6.1", "elements are parted by commas", "GET", "If-None-Match: \"x\" \"abc\"", kProceed},

    // Dates: there is no modification date to compare them with.
    {"13.1.3", "If-Modified-Since is ignored without a modification date", "GET",
     "If-Modified-Since: Sat, 29 Oct 2044 19:43:31 GMT", kProceed},
    {"13.1.3", "and beside If-None-Match always", "GET",
     "If-None-Match: \"x\"\nIf-Modified-Since: Sat, 29 Oct 2044 19:43:31 GMT", kProceed},
    {"13.1.3", "which is evaluated by itself", "GET",
     "If-None-Match: \"abc\"\nIf-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT", kNotModified},
    {"13.1.4", "If-Unmodified-Since is ignored without a modification date", "GET",
     "If-Unmodified-Since: Sat, 29 Oct 1994 19:43:31 GMT", kProceed},
    {"13.1.4", "and beside If-Match always", "PUT",
     "If-Match: \"abc\"\nIf-Unmodified-Since: Sat, 29 Oct 1994 19:43:31 GMT", kProceed},

    // Order.
    {"13.2.2", "step 1: a false If-Match ends it", "GET", "If-None-Match: \"abc\"\nIf-Match: \"x\"", kFailed},
    {"13.2.2", "step 1 to 3: a true one leads on", "GET", "If-Match: \"abc\"\nIf-None-Match: \"abc\"",
     kNotModified},
    {"13.2.2", "step 3: 412 where nothing is read", "PUT", "If-Match: *\nIf-None-Match: *", kFailed},
    {"13.2.2", "both true: go on", "GET", "If-Match: *\nIf-None-Match: \"x\"", kProceed},
};

}  // namespace

TEST_CASE("preconditions are evaluated by RFC 9110 §13") {
  for (const Row& row : kRows) {
    CAPTURE(row.section);
    CAPTURE(row.why);
    CHECK(CheckPreconditions(RequestOf(row.method, row.headers), "\"abc\"") == row.is);
  }
}

TEST_CASE("If-Match of a record compares the version alone, If-None-Match the bytes") {
  const std::string tag = RecordEtag(7, "{}"), same_version = RecordEtag(7, "{ }"),
                    next = RecordEtag(8, "{}");
  CHECK(tag.starts_with("\"7."));
  CHECK(tag.size() == std::string_view("\"7.0123456789abcdef\"").size());
  CHECK(tag != same_version);
  auto check = [&](const char* method, const std::string& field, const std::string& value) {
    return CheckRecordPreconditions(RequestOf(method, field + ": " + value), tag);
  };
  CHECK(check("PATCH", "If-Match", tag) == kProceed);
  CHECK(check("PATCH", "If-Match", same_version) == kProceed);
  CHECK(check("PATCH", "If-Match", next + ", " + same_version) == kProceed);
  CHECK(check("PATCH", "If-Match", next) == kFailed);
  CHECK(check("PATCH", "If-Match", "*") == kProceed);
  CHECK(check("PATCH", "If-Match", "W/" + tag) == kFailed);   // §13.1.1: the strong comparison
  CHECK(check("PATCH", "If-Match", "\"7\"") == kFailed);      // never sent by us
  CHECK(check("PATCH", "If-Match", "\"70.00\"") == kFailed);  // 7 is not 70
  CHECK(check("GET", "If-None-Match", tag) == kNotModified);
  CHECK(check("GET", "If-None-Match", same_version) == kProceed);
}

TEST_CASE("a list as long as a header may be is read in one pass") {
  std::string list = "If-None-Match: ";
  while (list.size() < 60'000) list += "\"x\", ";
  CHECK(CheckPreconditions(RequestOf("GET", list + "\"abc\""), "\"abc\"") == kNotModified);
  CHECK(CheckPreconditions(RequestOf("GET", list), "\"abc\"") == kProceed);
}
