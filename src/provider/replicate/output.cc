// What a prediction made, and how far it is.
#include <algorithm>
#include <charconv>

#include "provider/inline_data.h"
#include "provider/replicate/prediction.h"

namespace mediagen::replicate {
namespace {

constexpr size_t kMaxOutputs = 64;
constexpr int kMaxNesting = 8;
constexpr size_t kMaxLogBytes = 16 << 10;  // only the end of a long log is looked at

void Collect(const Json& value, const Endpoint& endpoint, int depth, std::vector<RemoteOutput>* outputs) {
  if (outputs->size() >= kMaxOutputs || depth > kMaxNesting) return;
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    if (text.starts_with("data:")) {
      if (auto output = DataUriOutput(text)) outputs->push_back(std::move(*output));
    } else if (endpoint.Acceptable(text)) {
      RemoteOutput output;
      output.url = text;
      output.needs_credentials = endpoint.SameOrigin(text);
      outputs->push_back(std::move(output));
    }
  } else if (value.is_array() || value.is_object()) {
    for (const Json& item : value) Collect(item, endpoint, depth + 1, outputs);
  }
}

// Takes digits off the front of `text`.
std::optional<int64_t> TakeNumber(std::string_view* text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || text->empty() || text->front() == '-') return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return value;
}

void SkipSpace(std::string_view* text) {
  while (!text->empty() && (text->front() == ' ' || text->front() == '\t')) text->remove_prefix(1);
}

// "  45%|####    | 9/20 [00:01<…": percent, a bar of at least one character, count and total.
bool ReadBar(std::string_view line, Progress* progress) {
  SkipSpace(&line);
  std::optional<int64_t> percent = TakeNumber(&line);
  if (!percent || !line.starts_with('%')) return false;
  line.remove_prefix(1);
  SkipSpace(&line);
  if (!line.starts_with('|')) return false;
  const size_t close = line.find('|', 2);
  if (close == std::string_view::npos) return false;
  line.remove_prefix(close + 1);
  SkipSpace(&line);
  std::optional<int64_t> current = TakeNumber(&line);
  if (!current || !line.starts_with('/')) return false;
  line.remove_prefix(1);
  std::optional<int64_t> total = TakeNumber(&line);
  if (!total) return false;
  progress->current = current;
  progress->total = total;
  const double fraction = *total > 0 ? static_cast<double>(*current) / static_cast<double>(*total)
                                     : static_cast<double>(*percent) / 100;
  progress->fraction = std::clamp(fraction, 0.0, 1.0);
  return true;
}

}  // namespace

std::vector<RemoteOutput> ReadOutputs(const Json& output, const Endpoint& endpoint) {
  std::vector<RemoteOutput> outputs;
  Collect(output, endpoint, 0, &outputs);
  return outputs;
}

Progress ReadProgress(std::string_view logs) {
  if (logs.size() > kMaxLogBytes) logs.remove_prefix(logs.size() - kMaxLogBytes);
  Progress progress;
  while (!logs.empty()) {
    const size_t newline = logs.find_last_of("\r\n");  // bars redraw themselves with a carriage return
    const std::string_view line = newline == std::string_view::npos ? logs : logs.substr(newline + 1);
    if (ReadBar(line, &progress)) break;
    if (newline == std::string_view::npos) break;
    logs = logs.substr(0, newline);
  }
  return progress;
}

std::optional<uint64_t> ReadSeed(std::string_view logs) {
  constexpr std::string_view kWords = "Using seed: ";
  const size_t at = logs.substr(0, kMaxLogBytes).find(kWords);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view digits = logs.substr(at + kWords.size(), 20);
  uint64_t seed = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
  if (error != std::errc() || end == digits.data()) return std::nullopt;
  return seed;
}

}  // namespace mediagen::replicate
