#include "net/http_date.h"

#include <curl/curl.h>

#include <chrono>

#include "fmt/format.h"

namespace mediagen {

StatusOr<int64_t> ParseHttpDate(std::string_view text) {
  // Every form begins with the name of a weekday; curl_getdate alone would take "12" for a date.
  constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const std::string day = ToLower(text.substr(0, 3));
  for (std::string_view known : kDays) {
    if (day != known || text.size() > 64) continue;
    time_t seconds = curl_getdate(std::string(text).c_str(), nullptr);
    if (seconds >= 0) return int64_t{seconds} * 1000;
  }
  return Error(Code::kInvalid, fmt::format("\"{}\" is not an HTTP date.", Shorten(text, 64)));
}

std::string FormatHttpDate(int64_t wall_ms) {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using std::chrono::days;
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(wall_ms)};
  const auto midnight = floor<days>(at);
  const std::chrono::year_month_day date(midnight);
  const int64_t second = floor<std::chrono::seconds>(at - midnight).count();
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[std::chrono::weekday(midnight).c_encoding()], static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     second / 3600, second / 60 % 60, second % 60);
}

}  // namespace mediagen
