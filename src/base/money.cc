#include "base/money.h"

#include <algorithm>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kMostUnits = 1'000'000'000;
constexpr size_t kMostDigits = 10;  // of kMostUnits

bool IsDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

int64_t ValueOf(std::string_view digits) {
  int64_t value = 0;
  for (char c : digits) value = value * 10 + (c - '0');
  return value;
}

}  // namespace

StatusOr<int64_t> ParseMicros(std::string_view text) {
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view units = text.substr(0, point);
  const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  const bool read = !units.empty() && units.size() <= kMostDigits && IsDigits(units) &&
                    (point == text.size() || !fraction.empty()) && fraction.size() <= 6 && IsDigits(fraction);
  if (read && ValueOf(units) <= kMostUnits) {
    int64_t micros = ValueOf(fraction);
    for (size_t digits = fraction.size(); digits < 6; ++digits) micros *= 10;
    return ValueOf(units) * kMicros + micros;
  }
  return Error(Code::kInvalid, fmt::format("\"{}\" is not an amount of money.", Shorten(text, 40)),
               {.hint = "Amounts are decimal strings like \"5.00\", with at most six digits behind the "
                        "point."});
}

std::string FormatMicros(int64_t micros) {
  const bool negative = micros < 0;
  const uint64_t size = negative ? -static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
  std::string text = fmt::format("{}{}.{:06}", negative ? "-" : "", size / kMicros, size % kMicros);
  const size_t last = std::max(text.find_last_not_of('0'), text.size() - 6);
  text.resize(last + 1);
  return text;
}

}  // namespace mediagen
