// How far a request is, by what its model logs.
#include <algorithm>
#include <charconv>

#include "provider/fal/status.h"
#include "provider/wire_adapter.h"

namespace mediagen::fal {
namespace {

constexpr size_t kMaxLogs = 100;          // only the last ones are looked at
constexpr size_t kMaxLogBytes = 4 << 10;  // and of each its end

template <typename Number>
std::optional<Number> TakeNumber(std::string_view* text) {
  Number value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || !(value >= 0)) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return value;
}

// "|####    | 9/20 …" behind a percentage: how many of how many.
void ReadCount(std::string_view rest, Progress* progress) {
  rest = Trim(rest);
  const size_t close = rest.starts_with('|') ? rest.find('|', 1) : std::string_view::npos;
  if (close == std::string_view::npos) return;
  rest = Trim(rest.substr(close + 1));
  const std::optional<int64_t> current = TakeNumber<int64_t>(&rest);
  if (!current || !rest.starts_with('/')) return;
  rest.remove_prefix(1);
  const std::optional<int64_t> total = TakeNumber<int64_t>(&rest);
  if (!total) return;
  progress->current = current;
  progress->total = total;
}

// A percentage elsewhere in a line ("GPU at 93%") is of something else.
bool ReadLine(std::string_view line, Progress* progress) {
  const std::string lower = ToLower(line);
  const size_t word = lower.rfind("progress");
  if (word != std::string::npos) {
    const size_t digit = line.find_first_of("0123456789%", word);
    line = digit == std::string_view::npos ? std::string_view() : line.substr(digit);
  }
  line = Trim(line);
  const std::optional<double> percent = TakeNumber<double>(&line);
  if (!percent || !line.starts_with('%') || *percent > 100) return false;
  progress->fraction = *percent / 100;
  ReadCount(line.substr(1), progress);
  return true;
}

bool ReadMessage(std::string_view message, Progress* progress) {
  if (message.size() > kMaxLogBytes) message.remove_prefix(message.size() - kMaxLogBytes);
  while (true) {
    const size_t newline = message.find_last_of("\r\n");  // bars redraw themselves with a carriage return
    if (newline == std::string_view::npos) return ReadLine(message, progress);
    if (ReadLine(message.substr(newline + 1), progress)) return true;
    message = message.substr(0, newline);
  }
}

}  // namespace

Progress ReadLogs(const Json& logs) {
  Progress progress;
  if (!logs.is_array()) return progress;
  const size_t oldest = logs.size() - std::min(logs.size(), kMaxLogs);
  for (size_t i = logs.size(); i > oldest; --i) {
    const Json& log = logs[i - 1];
    if (ReadMessage(log.is_string() ? log.get<std::string>() : TextOf(log, "message"), &progress)) break;
  }
  return progress;
}

}  // namespace mediagen::fal
