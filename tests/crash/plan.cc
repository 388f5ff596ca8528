#include "crash/plan.h"

#include <algorithm>

#include "fmt/format.h"

namespace mediagen::crash {
namespace {

constexpr size_t kKillsARound = 4;

// In the order in which a generation passes them.
struct Point {
  const char* name;
  bool local, submitted, received;  // which kinds pass it
};
constexpr Point kPoints[] = {{"submit", true, true, true},      {"claim", true, true, true},
                             {"intent", true, true, true},      {"post", false, true, true},
                             {"spool", false, false, true},     {"received", false, false, true},
                             {"submitted", false, true, false}, {"remote-terminal", false, true, true},
                             {"blob", true, true, true},        {"settle", true, true, true},
                             {"derive", true, true, true}};
// A process that is frozen inside a commit holds the write lock: nobody can take over before it goes on.
constexpr const char* kFreezePoints[] = {"post", "spool", "blob"};

bool Passes(const Kind& kind, const Point& point) {
  switch (kind.answer) {
    case Kind::kLocal:
      return point.local;
    case Kind::kSubmitted:
      return point.submitted;
    case Kind::kReceived:
      return point.received;
  }
  return false;
}

size_t PlaceOf(const Trap& trap) {
  const auto* found = std::find_if(std::begin(kPoints), std::end(kPoints),
                                   [&](const Point& point) { return trap.point == point.name; });
  return static_cast<size_t>(found - std::begin(kPoints));
}

}  // namespace

const std::vector<Kind>& Kinds() {
  static const auto* kinds = new std::vector<Kind>{
      {"replicate", R"({"provider": "replicate", "model": "simulated/model", "size": "64x64"})",
       Kind::kSubmitted},
      {"fal", R"({"provider": "fal", "model": "fal-ai/flux/dev", "size": "64x64"})", Kind::kSubmitted},
      {"sketch", R"({"provider": "sketch", "size": "64x64", "options": {"steps": 5, "stepMs": 10}})",
       Kind::kLocal},
      {"openai", R"({"provider": "openai", "model": "local-model", "size": "64x64"})", Kind::kReceived},
      {"gemini-video", R"({"provider": "gemini", "model": "veo-3.1-generate-preview", "kind": "video"})",
       Kind::kSubmitted},
      {"openrouter-video",
       R"({"provider": "openrouter", "model": "google/veo-3.1", "kind": "video", "n": 2})", Kind::kSubmitted},
      {"gemini-image", R"({"provider": "gemini", "model": "gemini-2.5-flash-image", "n": 2})",
       Kind::kReceived},
      {"openrouter-image", R"({"provider": "openrouter", "model": "openai/gpt-image-1"})", Kind::kReceived}};
  return *kinds;
}

std::string_view KindOfUser(std::string_view user) {
  const size_t dash = user.rfind('-');
  return dash == std::string_view::npos ? "" : user.substr(0, dash);
}

std::string Trap::Name() const {
  return fmt::format("{}{} {} {}", stop ? "frozen " : "", after ? "after" : "before", point, kind);
}

Json Trap::Document() const {
  return {{"point", point}, {"kind", kind}, {"after", after}, {"nth", nth}, {"stop", stop}};
}

Trap Trap::From(const Json& document) {
  return {document["point"], document["kind"], document["after"], document["nth"], document["stop"]};
}

Plan::Plan() {
  for (const Point& point : kPoints) {
    for (const Kind& kind : Kinds()) {
      if (!Passes(kind, point)) continue;
      const bool frozen_at = std::find_if(std::begin(kFreezePoints), std::end(kFreezePoints), [&](auto name) {
                               return std::string_view(name) == point.name;
                             }) != std::end(kFreezePoints);
      for (bool after : {false, true}) {
        kills_.push_back({point.name, kind.name, after});
        if (frozen_at) freezes_.push_back({point.name, kind.name, after, 1, true});
      }
    }
  }
}

// One from each quarter of the list: an early one, two between, a late one. Every such step takes the next of
// each quarter, so that after a quarter's length of rounds everything was laid once.
std::vector<Trap> Plan::NextKills() {
  std::vector<Trap> traps;
  const size_t stride = (kills_.size() + kKillsARound - 1) / kKillsARound;
  for (size_t quarter = 0; quarter < kKillsARound; ++quarter) {
    const size_t at = quarter * stride + next_kill_ % stride;
    if (at >= kills_.size()) continue;
    traps.push_back(kills_[at]);
  }
  ++next_kill_;
  for (int i = 0; i < 2 && !again_.empty(); ++i) {
    traps.push_back(again_.front());
    again_.erase(again_.begin());
  }
  std::stable_sort(traps.begin(), traps.end(),
                   [](const Trap& a, const Trap& b) { return PlaceOf(a) < PlaceOf(b); });
  return traps;
}

std::vector<Trap> Plan::NextFreezes() {
  if (!freeze_again_.empty()) {
    Trap trap = freeze_again_.front();
    freeze_again_.erase(freeze_again_.begin());
    return {trap};
  }
  return {freezes_[next_freeze_++ % freezes_.size()]};
}

void Plan::Note(const std::vector<Trap>& hit, const std::vector<Trap>& missed) {
  for (const Trap& trap : hit) {
    Count& count = counts_[trap.Name()];
    ++count.hit;
    ++count.laid;
  }
  for (Trap trap : missed) {
    ++counts_[trap.Name()].laid;
    trap.nth = 1;
    (trap.stop ? freeze_again_ : again_).push_back(trap);
  }
}

std::string Plan::Table() const {
  std::string table = fmt::format("{:24}", "killed at");
  for (const Kind& kind : Kinds()) table += fmt::format(" {:>16}", kind.name);
  table += "\n";
  auto row = [&](const Point& point, bool after, bool stop) {
    std::string cells;
    bool any = false;
    for (const Kind& kind : Kinds()) {
      const bool passes = Passes(kind, point);
      auto it = counts_.find(Trap{point.name, kind.name, after, 1, stop}.Name());
      const int hit = it == counts_.end() ? 0 : it->second.hit;
      any = any || it != counts_.end();
      cells += fmt::format(" {:>16}", passes ? std::to_string(hit) : "-");
    }
    if (any || !stop) {
      table += fmt::format(
          "{:24}{}\n", fmt::format("{}{} {}", stop ? "frozen " : "", after ? "after" : "before", point.name),
          cells);
    }
  };
  for (bool stop : {false, true}) {
    for (const Point& point : kPoints) {
      for (bool after : {false, true}) row(point, after, stop);
    }
  }
  return table + fmt::format("{:24} {:>16}\n", "at random", random_kills_);
}

std::vector<std::string> Plan::NeverHit() const {
  std::vector<std::string> names;
  for (const auto& [name, count] : counts_) {
    if (count.hit == 0) names.push_back(name);
  }
  return names;
}

}  // namespace mediagen::crash
