// When a provider says to come back: headers first, then the words of its error.
#include <algorithm>
#include <charconv>
#include <optional>

#include "net/http_date.h"
#include "provider/failure.h"

namespace mediagen {
namespace {

constexpr double kMaxHintMs = 3'600'000;  // a longer pause is a mistake or an attack

// The number at the front of `text`, at least 0, and what follows it.
std::optional<double> LeadingNumber(std::string_view text, std::string_view* rest) {
  double value = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || !(value >= 0)) return std::nullopt;
  *rest = text.substr(static_cast<size_t>(end - text.data()));
  return value;
}

int64_t Believable(double ms) { return static_cast<int64_t>(std::min(ms, kMaxHintMs)); }

int64_t FromHeaders(const HttpResponse& response) {
  std::string_view rest;
  if (auto ms = LeadingNumber(response.Header("retry-after-ms"), &rest); ms && rest.empty())
    return Believable(*ms);
  std::string_view after = response.Header("retry-after");
  if (auto seconds = LeadingNumber(after, &rest); seconds && rest.empty()) return Believable(*seconds * 1000);
  StatusOr<int64_t> at = ParseHttpDate(after);
  StatusOr<int64_t> now = ParseHttpDate(response.Header("date"));
  if (!at.ok() || !now.ok()) return -1;
  return Believable(static_cast<double>(std::max<int64_t>(*at - *now, 0)));
}

// "… 30s", "… 1 second", "… 250ms", "… 2 minutes" behind `words`.
int64_t FromWords(std::string_view body, std::string_view words) {
  size_t at = body.find(words);
  if (at == std::string_view::npos) return -1;
  std::string_view text = body.substr(at + words.size(), 40);
  while (!text.empty() && (text.front() == ' ' || text.front() == '~')) text.remove_prefix(1);
  std::string_view unit;
  std::optional<double> number = LeadingNumber(text, &unit);
  if (!number) return -1;
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (unit.starts_with("ms") || unit.starts_with("milli")) return Believable(*number);
  if (unit.starts_with("min") || unit.starts_with("m ") || unit == "m") return Believable(*number * 60'000);
  return Believable(*number * 1000);
}

}  // namespace

int64_t RetryAfterMs(const HttpResponse& response) {
  int64_t hint = FromHeaders(response);
  if (hint >= 0) return hint;
  const std::string body = ToLower(std::string_view(response.body).substr(0, 4096));
  for (std::string_view words : {"available in", "resets in", "retry after", "try again in"}) {
    hint = FromWords(body, words);
    if (hint >= 0) return hint;
  }
  return -1;
}

}  // namespace mediagen
