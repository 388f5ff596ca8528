#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "fmt/format.h"
#include "limit/formula.h"
#include "limit/limiter.h"

namespace mediagen {
namespace {

constexpr size_t kMostNameBytes = 128;

struct Unit {
  std::string_view name;
  int64_t ms;
};
constexpr Unit kUnits[] = {{"s", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

// Takes a number of at least 1 from the front of `text`: digits only, the first not zero.
bool TakeNumber(std::string_view* text, int64_t* number) {
  if (text->empty() || text->front() < '1' || text->front() > '9') return false;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

bool ParseWindow(std::string_view text, int64_t* window_ms) {
  int64_t count = 1;
  if (!text.empty() && text.front() >= '0' && text.front() <= '9' && !TakeNumber(&text, &count)) return false;
  for (const Unit& unit : kUnits) {
    if (text == unit.name) return !__builtin_mul_overflow(count, unit.ms, window_ms);
  }
  return false;
}

}  // namespace

StatusOr<LimitRule> ParseLimitRule(std::string_view name, std::string_view text) {
  LimitRule rule{.name = std::string(name)};
  std::string_view rest = text;
  const bool parsed = TakeNumber(&rest, &rule.limit) && !rest.empty() && rest.front() == '/' &&
                      ParseWindow(rest.substr(1), &rule.window_ms);
  if (!parsed) {
    return Error(
        Code::kInvalid,
        fmt::format("\"{}\" is not a rate limit (rule \"{}\").", Shorten(text, 60), Shorten(name, 60)),
        {.hint = "Write a count, a slash and a window, without spaces: 5/min, 100/10s, 3000/h, 10/d."});
  }
  RETURN_IF_ERROR(CheckLimitRule(rule));
  return rule;
}

Status CheckLimitRule(const LimitRule& rule) {
  auto refuse = [&](std::string_view why) {
    return Error(Code::kInvalid, fmt::format("Rate limit \"{}\" ({} in {} ms) {}.", Shorten(rule.name, 60),
                                             rule.limit, rule.window_ms, why));
  };
  // A name stands in lists of checks, whose separators are tab and line feed.
  const bool bad =
      std::any_of(rule.name.begin(), rule.name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (rule.name.empty() || rule.name.size() > kMostNameBytes || bad) {
    return refuse(fmt::format("has a bad name: 1 to {} bytes, no control characters", kMostNameBytes));
  }
  if (rule.limit < 1 || rule.window_ms < 1) return refuse("must allow at least 1 in at least 1 ms");
  if (rule.window_ms > limit::kMostWindowMs) return refuse("has a window of more than 31 days");
  if (rule.limit > rule.window_ms * 1000) return refuse("allows more than one in a microsecond");
  return OkStatus();
}

}  // namespace mediagen
