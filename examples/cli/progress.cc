#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "fmt/format.h"

namespace cli {
namespace {

constexpr int kBarWidth = 24;
constexpr size_t kTitleWidth = 32;  // bytes

std::string Bar(double fraction) {
  int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kBarWidth);
  return fmt::format("[{:#>{}}{:.>{}}]", "", full, "", kBarWidth - full);
}

// Control characters of a prompt are nothing that a terminal should obey; a long one is cut, at a character's
// boundary.
std::string Printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  if (text.size() <= kTitleWidth) return text;
  size_t end = kTitleWidth;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

Progress::Progress(bool silent) : silent_(silent), terminal_(isatty(STDOUT_FILENO) == 1) {}

size_t Progress::Add(std::string title) {
  lines_.emplace_back().title = Printable(std::move(title));
  return lines_.size() - 1;
}

void Progress::Update(size_t number, const Json& record) {
  Line& line = lines_[number];
  if (line.ended || !record.is_object()) return;
  std::string word = TextAt(record, "stage");
  if (word.empty()) word = TextAt(record, "status");
  if (auto made = record.find("progress"); made != record.end() && made->is_object()) {
    line.fraction = made->value("fraction", line.fraction);
    if (std::string message = TextAt(*made, "message"); !message.empty()) word = message;
  }
  if (!word.empty()) line.word = Printable(std::move(word));
  Draw(number);
}

void Progress::End(size_t number, std::string word) {
  Line& line = lines_[number];
  line.ended = true;
  if (word == "completed") line.fraction = 1;
  line.word = std::move(word);
  Draw(number);
}

void Progress::Draw(size_t changed) {
  if (silent_) return;
  auto text = [&](const Line& line) {
    return fmt::format("{} {:>3.0f} % {}  {}", Bar(line.fraction), line.fraction * 100, line.title,
                       line.word);
  };
  if (!terminal_) {
    std::string now = text(lines_[changed]);
    if (now != lines_[changed].printed) fmt::print("{}\n", now);
    lines_[changed].printed = std::move(now);
  } else {
    if (drawn_ > 0) fmt::print("\x1b[{}A", drawn_);                           // up to the first line
    for (const Line& line : lines_) fmt::print("\r\x1b[2K{}\n", text(line));  // clear, draw
    drawn_ = lines_.size();
  }
  std::fflush(stdout);
}

}  // namespace cli
