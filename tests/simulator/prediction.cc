#include "simulator/prediction.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "fmt/format.h"
#include "provider/provider.h"

namespace mediagen::simulator {
namespace {

constexpr int64_t kSteps = 20;
constexpr uint32_t kDefaultSide = 512;
constexpr uint32_t kMaxSide = 2048;

Json ToLine(const Prediction& p) {
  return {{"op", "create"},
          {"id", p.id},
          {"model", p.model},
          {"version", p.version},
          {"deployment", p.deployment},
          {"input", p.input},
          {"fault", p.fault},
          {"createdMs", p.created_ms},
          {"workMs", p.work_ms}};
}

Prediction FromLine(const Json& line) {
  Prediction p;
  p.id = TextOf(line, "id");
  p.model = TextOf(line, "model");
  p.version = TextOf(line, "version");
  p.deployment = TextOf(line, "deployment");
  p.input = line.value("input", Json::object());
  p.fault = line.value("fault", Json::object());
  p.created_ms = IntOf(line, "createdMs", 0);
  p.work_ms = IntOf(line, "workMs", 0);
  return p;
}

// Cold start: the first fifth.
int64_t StartedMs(const Prediction& p) { return p.created_ms + p.work_ms / 5; }
int64_t EndMs(const Prediction& p) { return p.created_ms + p.work_ms; }

std::string StateOf(const Prediction& p, int64_t now_ms) {
  if (p.canceled_ms > 0) return "canceled";
  if (now_ms < StartedMs(p)) return "starting";
  if (now_ms < EndMs(p) || IsTrue(p.fault, "hang"))
    return IsTrue(p.fault, "unknownState") ? "warming-up" : "processing";
  if (IsTrue(p.fault, "aborted")) return "aborted";
  return TextOf(p.fault, "fail").empty() ? "succeeded" : "failed";
}

// Like tqdm's: a line for every step done.
std::string Logs(const Prediction& p, int64_t now_ms) {
  if (now_ms < StartedMs(p)) return "";
  const int64_t span = std::max<int64_t>(EndMs(p) - StartedMs(p), 1);
  const int64_t until = p.canceled_ms > 0 ? p.canceled_ms : now_ms;
  const int64_t done = std::clamp<int64_t>((until - StartedMs(p)) * kSteps / span, 0, kSteps);
  std::string logs =
      fmt::format("Using seed: {}\n", p.input.contains("seed") && p.input["seed"].is_number_unsigned()
                                          ? p.input["seed"].get<uint64_t>()
                                          : Xxh3(p.id) % 1'000'000);
  for (int64_t step = 0; step <= done; ++step) {
    logs += fmt::format("{:3}%|{:<10}| {}/{} [00:00<00:00, 9.81it/s]\n", step * 100 / kSteps,
                        std::string(static_cast<size_t>(step * 10 / kSteps), '#'), step, kSteps);
  }
  return logs;
}

Json OutputOf(const Prediction& p, const std::string& origin) {
  Json urls = Json::array();
  for (int64_t n = 0; n < OutputCount(p.input); ++n)
    urls.push_back(fmt::format("{}/files/{}/{}.png", origin, p.id, n));
  const std::string shape = TextOf(p.fault, "output", "array");
  if (shape == "string") return urls[0];
  if (shape == "object") return {{"image", urls[0]}, {"format", "png"}};
  if (shape == "nested") return {{"images", urls}, {"timings", {{"inference", 1.5}}}};
  if (shape == "text") return "a caption, and no picture";
  if (shape == "none") return nullptr;
  if (shape == "data") {  // one red pixel, PNG
    return {
        "data:image/"
        "png;base64,"
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="};
  }
  return urls;
}

void ReadAspect(const std::string& text, uint32_t* width, uint32_t* height) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return;
  uint32_t w = 0, h = 0;
  std::from_chars(text.data(), text.data() + colon, w);
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), h);
  if (w == 0 || h == 0 || w > 100 || h > 100) return;
  *width = std::clamp(w >= h ? kDefaultSide : kDefaultSide * w / h, 16u, kMaxSide);
  *height = std::clamp(h >= w ? kDefaultSide : kDefaultSide * h / w, 16u, kMaxSide);
}

}  // namespace

bool Predictions::Open(const std::string& state_path) {
  return state_.Open(state_path, [this](const Json& line) {
    if (TextOf(line, "op") == "create") {
      Prediction prediction = FromLine(line);
      in_order_.push_back(prediction.id);
      by_id_[prediction.id] = std::move(prediction);
    } else if (auto it = by_id_.find(TextOf(line, "id")); it != by_id_.end()) {
      it->second.canceled_ms = IntOf(line, "atMs", 0);
    }
  });
}

Prediction Predictions::Add(Prediction prediction) {
  std::string random(16, '\0');
  SystemRandom()->Fill(random.data(), random.size());
  prediction.id = Base32(random);
  // Half to one and a half times the usual, the same for the same id.
  const int64_t spread = 500 + static_cast<int64_t>(Xxh3(prediction.id) % 1000);
  prediction.work_ms = IntOf(prediction.fault, "workMs", work_ms_ * spread / 1000);
  std::lock_guard lock(mutex_);
  state_.Append(ToLine(prediction));
  in_order_.push_back(prediction.id);
  by_id_[prediction.id] = prediction;
  return prediction;
}

std::optional<Prediction> Predictions::Find(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto it = by_id_.find(id);
  return it == by_id_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<Prediction> Predictions::Cancel(const std::string& id, int64_t now_ms) {
  std::lock_guard lock(mutex_);
  auto it = by_id_.find(id);
  if (it == by_id_.end()) return std::nullopt;
  const std::string state = StateOf(it->second, now_ms);
  if (state == "starting" || state == "processing" || state == "warming-up") {
    it->second.canceled_ms = now_ms;
    state_.Append({{"op", "cancel"}, {"id", id}, {"atMs", now_ms}});
  }
  return it->second;
}

std::vector<Prediction> Predictions::List(int64_t after_ms, int64_t before_ms, size_t cursor, size_t limit,
                                          size_t* next) {
  std::lock_guard lock(mutex_);
  std::vector<Prediction> page;
  *next = 0;
  // The cursor counts from the oldest, so predictions that are added meanwhile shift nothing.
  for (size_t i = cursor > 0 ? std::min(cursor, in_order_.size()) : in_order_.size(); i > 0; --i) {
    const Prediction& prediction = by_id_[in_order_[i - 1]];
    if (prediction.created_ms < after_ms || prediction.created_ms > before_ms) continue;
    if (page.size() == limit) {
      *next = i;
      break;
    }
    page.push_back(prediction);
  }
  return page;
}

bool Predictions::FirstTimes(const std::string& key, int64_t times) {
  std::lock_guard lock(mutex_);
  return ++uses_[key] <= times;
}

int64_t OutputCount(const Json& input) { return std::clamp<int64_t>(IntOf(input, "num_outputs", 1), 1, 4); }

void OutputSize(const Json& input, uint32_t* width, uint32_t* height) {
  *width = *height = kDefaultSide;
  ReadAspect(TextOf(input, "aspect_ratio"), width, height);
  *width = static_cast<uint32_t>(std::clamp<int64_t>(IntOf(input, "width", *width), 16, kMaxSide));
  *height = static_cast<uint32_t>(std::clamp<int64_t>(IntOf(input, "height", *height), 16, kMaxSide));
}

bool HasSucceeded(const Prediction& prediction, int64_t now_ms) {
  return StateOf(prediction, now_ms) == "succeeded";
}

Json ToJson(const Prediction& p, int64_t now_ms, const std::string& base, const std::string& origin) {
  const std::string state = StateOf(p, now_ms);
  const bool over = state != "starting" && state != "processing" && state != "warming-up";
  const bool removed = IsTrue(p.fault, "dataRemoved");
  const bool started =
      p.canceled_ms > 0 ? p.canceled_ms >= StartedMs(p) : now_ms >= StartedMs(p) && state != "aborted";
  const std::string own = fmt::format("{}/predictions/{}", base, p.id);
  const int64_t end_ms = p.canceled_ms > 0 ? p.canceled_ms : EndMs(p);

  Json json = {{"id", p.id},
               {"status", state},
               {"input", removed ? Json::object() : p.input},
               {"created_at", FormatTime(p.created_ms)},
               {"output", nullptr},
               {"urls", {{"get", own}, {"cancel", own + "/cancel"}}},
               {"source", "api"}};
  if (state == "succeeded" && !removed) json["output"] = OutputOf(p, origin);
  if (state == "failed") json["error"] = TextOf(p.fault, "fail");
  if (!p.model.empty()) json["model"] = p.model;
  if (!p.deployment.empty()) json["deployment"] = p.deployment;
  json["version"] = p.version.empty() ? "hidden" : p.version;
  if (IsTrue(p.fault, "nullFields")) {  // what a careless server leaves out, or sends as "" and null
    if (!json.contains("error")) json["error"] = "";
    json["logs"] = nullptr;
    json["metrics"] = nullptr;
    return json;
  }
  if (!json.contains("error")) json["error"] = nullptr;
  json["logs"] = Logs(p, now_ms);
  json["data_removed"] = removed;
  json["started_at"] = started ? Json(FormatTime(StartedMs(p))) : Json(nullptr);
  json["completed_at"] = over ? Json(FormatTime(end_ms)) : Json(nullptr);
  if (over && started)
    json["metrics"] = {{"predict_time", static_cast<double>(end_ms - StartedMs(p)) / 1000}};
  return json;
}

}  // namespace mediagen::simulator
