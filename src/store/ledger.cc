#include "store/ledger.h"

#include <array>
#include <chrono>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr std::array<std::string_view, 4> kPeriodNames = {"hour", "day", "month", "total"};
constexpr std::array<std::string_view, 3> kSourceNames = {"reported", "estimated", "unknown"};
constexpr std::array<std::string_view, 4> kKindNames = {"reserve", "spend", "release", "correct"};
constexpr int64_t kHourMs = 3'600'000, kDayMs = 86'400'000;

int64_t FloorTo(int64_t wall_ms, int64_t unit_ms) {
  const int64_t rest = wall_ms % unit_ms;
  return wall_ms - (rest < 0 ? rest + unit_ms : rest);
}

// The first day of the month `ahead` months after that of `wall_ms`.
int64_t MonthStart(int64_t wall_ms, int ahead) {
  using namespace std::chrono;
  const year_month_day day{floor<days>(sys_time<milliseconds>{milliseconds{wall_ms}})};
  const year_month month = day.year() / day.month() + months{ahead};
  return duration_cast<milliseconds>(sys_days{month / 1}.time_since_epoch()).count();
}

}  // namespace

std::string_view PeriodName(Period period) { return kPeriodNames[static_cast<size_t>(period)]; }

StatusOr<Period> PeriodByName(std::string_view name) {
  for (size_t i = 0; i < kPeriodNames.size(); ++i) {
    if (kPeriodNames[i] == name) return static_cast<Period>(i);
  }
  return Error(Code::kInvalid, fmt::format("\"{}\" is not the period of a budget; they are {}.",
                                           Shorten(name, 60), fmt::join(kPeriodNames, ", ")));
}

int64_t PeriodStart(Period period, int64_t wall_ms) {
  switch (period) {
    case Period::kHour:
      return FloorTo(wall_ms, kHourMs);
    case Period::kDay:
      return FloorTo(wall_ms, kDayMs);
    case Period::kMonth:
      return MonthStart(wall_ms, 0);
    case Period::kTotal:
      break;
  }
  return 0;
}

int64_t PeriodEnd(Period period, int64_t wall_ms) {
  switch (period) {
    case Period::kHour:
      return FloorTo(wall_ms, kHourMs) + kHourMs;
    case Period::kDay:
      return FloorTo(wall_ms, kDayMs) + kDayMs;
    case Period::kMonth:
      return MonthStart(wall_ms, 1);
    case Period::kTotal:
      break;
  }
  return -1;
}

std::string_view PriceSourceName(PriceSource source) { return kSourceNames[static_cast<size_t>(source)]; }

PriceSource PriceSourceByName(std::string_view name) {
  for (size_t i = 0; i < kSourceNames.size(); ++i) {
    if (kSourceNames[i] == name) return static_cast<PriceSource>(i);
  }
  return PriceSource::kUnknown;
}

std::string_view EntryKindName(EntryKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::string UserScope(std::string_view user) { return fmt::format("user/{}", user); }
std::string ProviderScope(std::string_view provider) { return fmt::format("provider/{}", provider); }

}  // namespace mediagen
