// The UTC periods of budgets.
#include "store/ledger.h"

#include <doctest/doctest.h>

#include "base/clock.h"

using namespace mediagen;

TEST_CASE("a moment stands in the UTC hour, day and month that hold it, and in the total for ever") {
  struct Row {
    Period period;
    const char *moment, *start, *end;
  };
  for (const Row& row :
       {Row{Period::kHour, "2026-11-21T14:59:59.999Z", "2026-11-21T14:00:00.000Z",
            "2026-11-21T15:00:00.000Z"},
        Row{Period::kDay, "2026-11-21T00:00:00.000Z", "2026-11-21T00:00:00.000Z", "2026-11-22T00:00:00.000Z"},
        Row{Period::kDay, "2024-02-28T23:59:59.999Z", "2024-02-28T00:00:00.000Z", "2024-02-29T00:00:00.000Z"},
        Row{Period::kMonth, "2024-02-29T12:00:00.000Z", "2024-02-01T00:00:00.000Z",
            "2024-03-01T00:00:00.000Z"},
        Row{Period::kMonth, "2026-12-31T23:59:59.999Z", "2026-12-01T00:00:00.000Z",
            "2027-01-01T00:00:00.000Z"},
        Row{Period::kDay, "1969-12-31T23:59:59.999Z", "1969-12-31T00:00:00.000Z",
            "1970-01-01T00:00:00.000Z"}}) {
    CAPTURE(row.moment);
    const int64_t moment = ParseTime(row.moment).value();
    CHECK(FormatTime(PeriodStart(row.period, moment)) == row.start);
    CHECK(FormatTime(PeriodEnd(row.period, moment)) == row.end);
  }
  CHECK(PeriodStart(Period::kTotal, 1767225600000) == 0);
  CHECK(PeriodEnd(Period::kTotal, 1767225600000) == -1);
}

TEST_CASE("a period is known by its name, and a wrong name is told the right ones") {
  for (Period period : kPeriods) CHECK(PeriodByName(PeriodName(period)).value() == period);
  auto week = PeriodByName("week");
  CHECK(CodeOf(week.status()) == Code::kInvalid);
  CHECK(InfoOf(week.status()).message.find("hour, day, month, total") != std::string::npos);
}
