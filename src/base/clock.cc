#include "base/clock.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>

#include "fmt/format.h"

namespace mediagen {
namespace {

constexpr int64_t kDayMs = 86'400'000;
// What RFC 3339's four digits of a year can say: 0000-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z.
constexpr int64_t kFirstMs = -62'167'219'200'000, kLastMs = 253'402'300'799'999;

int64_t ReadClock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

class RealClock final : public Clock {
 public:
  int64_t WallMs() override { return ReadClock(CLOCK_REALTIME); }
  int64_t MonotonicMs() override { return ReadClock(CLOCK_MONOTONIC); }
};

// The fixed-width digits of an RFC 3339 text, taken from its front.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : rest_(text) {}

  bool Digits(size_t count, int* value) {
    if (rest_.size() < count) return false;
    *value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      *value = *value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }

  // One of `characters`, given back in `found`.
  bool One(std::string_view characters, char* found) {
    if (rest_.empty() || characters.find(rest_[0]) == std::string_view::npos) return false;
    *found = rest_[0];
    rest_.remove_prefix(1);
    return true;
  }
  bool One(std::string_view characters) {
    char ignored;
    return One(characters, &ignored);
  }

  // "" or "." and one to nine digits, cut to ms.
  bool Fraction(int* ms) {
    *ms = 0;
    if (!One(".")) return true;
    int count = 0, digit = 0;
    for (; count < 9 && Digits(1, &digit); ++count)
      *ms += count == 0 ? digit * 100 : count == 1 ? digit * 10 : count == 2 ? digit : 0;
    return count > 0;
  }

  bool Offset(int* minutes) {
    char sign;
    int hour = 0, minute = 0;
    *minutes = 0;
    if (One("Zz")) return true;
    if (!One("+-", &sign) || !Digits(2, &hour) || !One(":") || !Digits(2, &minute) || hour > 23 ||
        minute > 59)
      return false;
    *minutes = (sign == '-' ? -1 : 1) * (hour * 60 + minute);
    return true;
  }

  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool ParseRfc3339(std::string_view text, int64_t* wall_ms) {
  TimeText in(text);
  int year, month, day, hour, minute, second, ms, offset;
  bool read = in.Digits(4, &year) && in.One("-") && in.Digits(2, &month) && in.One("-") &&
              in.Digits(2, &day) && in.One("Tt") && in.Digits(2, &hour) && in.One(":") &&
              in.Digits(2, &minute) && in.One(":") && in.Digits(2, &second) && in.Fraction(&ms) &&
              in.Offset(&offset) && in.done();
  if (!read) return false;
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60)
    return false;  // :60 is a leap second, the next minute's first here
  int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  *wall_ms = days * kDayMs + (hour * 60 + minute - offset) * int64_t{60'000} + second * 1000 + ms;
  return true;
}

}  // namespace

Clock* SystemClock() {
  static RealClock* clock = new RealClock;  // never destroyed: threads may outlive static destruction
  return clock;
}

const std::string& BootId() {
  static const std::string* id = [] {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    auto* text = new std::string;
    std::getline(file, *text);
    return text;
  }();
  return *id;
}

int64_t FakeClock::WallMs() {
  std::lock_guard lock(mutex_);
  return wall_ms_;
}

int64_t FakeClock::MonotonicMs() {
  std::lock_guard lock(mutex_);
  return monotonic_ms_;
}

void FakeClock::OnAdvance(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wakes_.push_back(std::move(wake));
}

void FakeClock::Advance(int64_t ms) {
  std::vector<std::function<void()>> wakes;
  {
    std::lock_guard lock(mutex_);
    wall_ms_ += ms;
    monotonic_ms_ += ms;
    wakes = wakes_;
  }
  for (const auto& wake : wakes) wake();
}

void FakeClock::JumpWall(int64_t ms) {
  std::lock_guard lock(mutex_);
  wall_ms_ += ms;
}

void WriteTime(int64_t wall_ms, char* out) {
  wall_ms = std::clamp(wall_ms, kFirstMs, kLastMs);
  int64_t rest = (wall_ms % kDayMs + kDayMs) % kDayMs;
  std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days((wall_ms - rest) / kDayMs))};
  std::memcpy(out, "0000-00-00T00:00:00.000Z", kTimeSize);
  auto put = [out](size_t last, int64_t value) {  // the digits that end at `last`, over the zeros
    for (; value > 0; value /= 10) out[last--] = static_cast<char>('0' + value % 10);
  };
  put(3, int{date.year()}), put(6, unsigned{date.month()}), put(9, unsigned{date.day()});
  put(12, rest / 3'600'000), put(15, rest / 60'000 % 60), put(18, rest / 1000 % 60), put(22, rest % 1000);
}

std::string FormatTime(int64_t wall_ms) {
  std::string text(kTimeSize, '\0');
  WriteTime(wall_ms, text.data());
  return text;
}

StatusOr<int64_t> ParseTime(std::string_view text) {
  int64_t wall_ms;
  if (ParseRfc3339(text, &wall_ms)) return wall_ms;
  return Error(Code::kInvalid,
               fmt::format("\"{}\" is not an RFC 3339 time, e.g. 2026-11-20T12:00:00Z.", Shorten(text, 60)));
}

}  // namespace mediagen
