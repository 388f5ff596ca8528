#include "screen.h"

#include <unistd.h>

#include <cstdio>

namespace demo {
namespace {

constexpr int kWidth = 28;

// "[#########-------]", or a still one where the provider tells no fraction.
std::string Bar(double fraction) {
  const int full = static_cast<int>(fraction * kWidth + 0.5);
  std::string bar = "[";
  for (int i = 0; i < kWidth; ++i) bar += i < full ? "█" : "·";
  return bar + "]";
}

std::string Text(const nlohmann::json& record, const char* key) {
  auto it = record.find(key);
  return it != record.end() && it->is_string() ? it->get<std::string>() : "";
}

std::string State(const nlohmann::json& record) {
  std::string status = Text(record, "status"), stage = Text(record, "stage");
  return stage.empty() || status == "completed" ? status : status + ", " + stage;
}

double Fraction(const nlohmann::json& record) {
  if (Text(record, "status") == "completed") return 1;
  auto progress = record.find("progress");
  if (progress == record.end() || !progress->is_object() || !(*progress)["fraction"].is_number()) return 0;
  return (*progress)["fraction"].get<double>();
}

}  // namespace

Screen::Screen() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void Screen::Show(const std::vector<nlohmann::json>& records) {
  if (terminal_ && drawn_ > 0) std::printf("\x1b[%zuA", drawn_);
  last_.resize(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    const nlohmann::json& record = records[i];
    std::string prompt = Text(record, "prompt");
    prompt.resize(30, ' ');
    const std::string state = State(record);
    if (terminal_) {
      std::printf("\r\x1b[2K  %-9s %s %s %3.0f %%  %s\n", Text(record, "provider").c_str(), prompt.c_str(),
                  Bar(Fraction(record)).c_str(), Fraction(record) * 100, state.c_str());
    } else if (last_[i] != state) {
      std::printf("  %-9s %s %s\n", Text(record, "provider").c_str(), prompt.c_str(), state.c_str());
    }
    last_[i] = state;
  }
  drawn_ = records.size();
  std::fflush(stdout);
}

void Screen::Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  drawn_ = 0;
}

}  // namespace demo
