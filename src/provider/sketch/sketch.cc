#include "provider/sketch/sketch.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/hash.h"
#include "codec/image.h"
#include "fmt/format.h"
#include "provider/sketch/draw.h"

namespace mediagen {
namespace {

constexpr std::string_view kModel = "abstract";
constexpr uint32_t kDefaultSide = 1024, kMaxSide = 4096;
constexpr int kMaxPerRequest = 4;
constexpr int64_t kSliceMs = 20;  // how long a pause goes on before it asks whether it was cancelled

struct Options {
  int64_t steps = 50;
  int64_t step_ms = 0;
};

struct Job {
  uint32_t width = kDefaultSide, height = kDefaultSide;
  Options options;
  const std::function<void(const Progress&)>& progress;
  const std::function<bool()>& canceled;
};

StatusOr<Options> ReadOptions(const Json& json) {
  Options options;
  FieldReader fields(json, "sketch options");
  fields.Int("steps", &options.steps, 1, 200);
  fields.Int("stepMs", &options.step_ms, 0, 10'000);
  RETURN_IF_ERROR(fields.Finish());
  return options;
}

Status Canceled() { return Error(Code::kCanceled, "The sketch was canceled."); }

// The pause is of real time by intent: it makes a drawing last for somebody who watches.
Status Pause(const Job& job) {
  for (int64_t left = job.options.step_ms; left > 0; left -= kSliceMs) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(left, kSliceMs)));
    if (job.canceled && job.canceled()) return Canceled();
  }
  return OkStatus();
}

StatusOr<RemoteOutput> DrawOne(const PartRequest& request, const Job& job, int index, int n) {
  const int64_t total = job.options.steps * n;
  const auto report = [&](int64_t done) {
    if (!job.progress) return;
    job.progress({.fraction = static_cast<double>(done) / static_cast<double>(total),
                  .current = done,
                  .total = total,
                  .message = fmt::format("step {} of {}", done, total)});
  };
  const auto on_step = [&](int step, int) -> Status {
    const int64_t before = int64_t{index} * job.options.steps + step - 1;
    if (step > 1) report(before);
    if (job.canceled && job.canceled()) return Canceled();
    return Pause(job);
  };
  ASSIGN_OR_RETURN(const Pixels pixels, DrawSketch(request.prompt, SketchSeed(request, index), job.width,
                                                   job.height, on_step, static_cast<int>(job.options.steps)));
  RemoteOutput output;
  ASSIGN_OR_RETURN(output.bytes, Encode(pixels, {.format = Format::kPng}));
  output.media_type = MediaType(Format::kPng);
  report(int64_t{index + 1} * job.options.steps);
  return output;
}

class SketchAdapter : public Adapter {
 public:
  explicit SketchAdapter(ProviderConfig config) : config_(std::move(config)) {}

  const ProviderConfig& config() const override { return config_; }
  bool billed() const override { return false; }
  std::optional<uint64_t> DefaultSeed(const PartRequest& request) const override {
    return SketchSeed(request, 0);
  }
  bool local() const override { return true; }

  Capabilities CapabilitiesOf(std::string_view) const override {
    Capabilities capabilities;
    capabilities.models = {std::string(kModel)};
    capabilities.max_n_per_request = kMaxPerRequest;
    capabilities.max_width = capabilities.max_height = kMaxSide;
    return capabilities;
  }

  StatusOr<std::vector<RemoteOutput>> Run(const PartRequest& request,
                                          const std::function<void(const Progress&)>& progress,
                                          const std::function<bool()>& canceled) const override {
    PartRequest asked = request;
    if (asked.model.empty()) asked.model = kModel;
    Capabilities capabilities = CapabilitiesOf(asked.model);
    capabilities.max_n = kMaxPerRequest;
    RETURN_IF_ERROR(CheckRequest(config_.name, capabilities, asked, asked.n));
    Job job{.progress = progress, .canceled = canceled};
    ASSIGN_OR_RETURN(job.options, ReadOptions(asked.options));
    if (!asked.size.empty()) RETURN_IF_ERROR(ParseSize(asked.size, &job.width, &job.height));
    std::vector<RemoteOutput> outputs;
    for (int i = 0; i < asked.n; ++i) {
      ASSIGN_OR_RETURN(RemoteOutput output, DrawOne(asked, job, i, asked.n));
      outputs.push_back(std::move(output));
    }
    return outputs;
  }

 private:
  const ProviderConfig config_;
};

}  // namespace

uint64_t SketchSeed(const PartRequest& request, int index) {
  constexpr uint64_t kSafeInteger = (uint64_t{1} << 53) - 1;  // what every JSON reader holds exactly
  const uint64_t first = request.seed ? *request.seed : Xxh3(request.prompt) & kSafeInteger;
  return first + static_cast<uint64_t>(index);
}

std::unique_ptr<Adapter> NewSketchAdapter(ProviderConfig config) {
  return std::make_unique<SketchAdapter>(std::move(config));
}

}  // namespace mediagen
