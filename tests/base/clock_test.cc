#include "base/clock.h"

#include <doctest/doctest.h>

#include "base/id.h"

using namespace mediagen;

TEST_CASE("times are written and read back") {
  struct Row {
    int64_t ms;
    std::string_view text;
  };
  const Row rows[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {1, "1970-01-01T00:00:00.001Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {-86'400'000, "1969-12-31T00:00:00.000Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},  // leap: divisible by 400
      {1'709'164'799'999, "2024-02-28T23:59:59.999Z"},
      {1'709'164'800'000, "2024-02-29T00:00:00.000Z"},
      {1'709'251'200'000, "2024-03-01T00:00:00.000Z"},
      {4'107'542'400'000, "2100-03-01T00:00:00.000Z"},  // 2100 is not a leap year
      {4'107'456'000'000, "2100-02-28T00:00:00.000Z"},
      {-2'203'891'200'000, "1900-03-01T00:00:00.000Z"},
      {-62'167'219'200'000, "0000-01-01T00:00:00.000Z"},
      {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
      {1'767'225'600'000, "2026-01-01T00:00:00.000Z"},
  };
  for (const Row& row : rows) {
    CHECK(FormatTime(row.ms) == row.text);
    CHECK(ParseTime(row.text).value() == row.ms);
  }
  auto random = SeededRandom(1);
  for (int i = 0; i < 2000; ++i) {
    auto ms = static_cast<int64_t>(random->Below(315'569'520'000'000)) - 62'167'219'200'000;
    CHECK(ParseTime(FormatTime(ms)).value() == ms);
  }
}

TEST_CASE("times that no RFC 3339 text can say are written as the nearest one") {
  CHECK(FormatTime(INT64_MAX) == "9999-12-31T23:59:59.999Z");
  CHECK(FormatTime(INT64_MIN) == "0000-01-01T00:00:00.000Z");
}

TEST_CASE("offsets, fractions, small letters and leap seconds are read") {
  const int64_t noon = ParseTime("2026-11-20T12:00:00Z").value();
  for (const char* same :
       {"2026-11-20T13:00:00+01:00", "2026-11-20T06:30:00-05:30", "2026-11-20t12:00:00z",
        "2026-11-20T12:00:00.0Z", "2026-11-20T12:00:00.000999999Z", "2026-11-21T11:59:00+23:59",
        "2026-11-20T11:59:60Z", "2026-11-20T12:00:00-00:00"}) {
    CAPTURE(same);
    CHECK(ParseTime(same).value() == noon);
  }
  CHECK(ParseTime("2026-11-20T12:00:00.5Z").value() == noon + 500);
  CHECK(ParseTime("2026-11-20T12:00:00.12Z").value() == noon + 120);
  CHECK(ParseTime("2026-11-20T12:00:00.123456789Z").value() == noon + 123);
  CHECK(ParseTime("1969-12-31T23:59:59.5Z").value() == -500);
}

TEST_CASE("what is no RFC 3339 time is refused with its text") {
  for (const char* bad : {"",
                          "now",
                          "2026-11-20",
                          "2026-11-20T12:00Z",
                          "2026-11-20T12:00:00",
                          "2026-11-20 12:00:00Z",
                          " 2026-11-20T12:00:00Z",
                          "2026-11-20T12:00:00Z ",
                          "2026-13-01T00:00:00Z",
                          "2026-00-01T00:00:00Z",
                          "2026-02-29T00:00:00Z",
                          "2026-04-31T00:00:00Z",
                          "2026-01-00T00:00:00Z",
                          "2100-02-29T00:00:00Z",
                          "2026-11-20T24:00:00Z",
                          "2026-11-20T12:60:00Z",
                          "2026-11-20T12:00:61Z",
                          "2026-11-20T12:00:00.Z",
                          "2026-11-20T12:00:00.1234567890Z",
                          "2026-11-20T12:00:00,5Z",
                          "2026-11-20T12:00:00+24:00",
                          "2026-11-20T12:00:00+01:60",
                          "2026-11-20T12:00:00+0100",
                          "2026-11-20T12:00:00+01",
                          "2026-11-20T12:00:00\xE2\x88\x92"
                          "01:00",
                          "12026-11-20T12:00:00Z",
                          "+026-11-20T12:00:00Z",
                          "-026-11-20T12:00:00Z",
                          "infinite-future",
                          "2026-1-20T12:00:00Z"}) {
    CAPTURE(bad);
    auto time = ParseTime(bad);
    REQUIRE_FALSE(time.ok());
    CHECK(CodeOf(time.status()) == Code::kInvalid);
    CHECK(InfoOf(time.status()).message.find(bad) != std::string::npos);
  }
}

TEST_CASE("a fake clock moves only by hand, and tells") {
  FakeClock clock;
  CHECK(FormatTime(clock.WallMs()) == "2026-01-01T00:00:00.000Z");
  CHECK(clock.MonotonicMs() == 1'000'000);
  CHECK_FALSE(clock.real());
  int woken = 0;
  int64_t seen = 0;
  clock.OnAdvance([&] {
    ++woken;
    seen = clock.MonotonicMs();  // asking it from there does not deadlock
  });
  clock.Advance(250);
  CHECK(clock.WallMs() == 1'767'225'600'250);
  CHECK(woken == 1);
  CHECK(seen == 1'000'250);
  clock.JumpWall(-3'600'000);
  CHECK(clock.WallMs() == 1'767'222'000'250);
  CHECK(clock.MonotonicMs() == 1'000'250);
}

TEST_CASE("the machine's clock is real, and monotonic time does not go back") {
  Clock* clock = SystemClock();
  CHECK(clock->real());
  CHECK(clock->WallMs() > 1'700'000'000'000);
  int64_t before = clock->MonotonicMs();
  CHECK(clock->MonotonicMs() >= before);
  CHECK(BootId().size() == 36);
}
