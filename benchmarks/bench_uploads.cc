// uploads: the most memory that 100 uploads at once need, each a PNG of 4096², which is 50 MB of pixels. What
// does not fit into the budget of decoded bytes is answered with 503 and a time to come back, and this host
// does come back until all were taken.
#include <malloc.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>

#include "fmt/format.h"
#include "support/folder.h"
#include "support/http_host.h"
#include "support/photo.h"
#include "support/report.h"
#include "support/rounds.h"

namespace {

using namespace mediagen::bench;
using Steady = std::chrono::steady_clock;

constexpr uint64_t kUploads = 100;
constexpr uint32_t kSide = 4096, kRepeat = 8;
constexpr double kMega = 1 << 20;

mediagen_str Str(std::string_view text) { return {text.data(), text.size()}; }

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "bench uploads: {}\n", what);
  std::exit(1);
}

// A small picture whose every pixel is a square: many pixels in a small file, so that what the bodies take
// does not hide what decoding takes.
std::string LargePng() {
  const Photo small = MakePhoto(kSide / kRepeat, kSide / kRepeat, 3);
  Photo large{kSide, kSide, {}};
  large.rgb.reserve(large.stride() * kSide);
  for (uint32_t y = 0; y < kSide; ++y) {
    for (uint32_t x = 0; x < kSide; ++x) {
      const uint8_t* pixel = small.rgb.data() + small.stride() * (y / kRepeat) + size_t{x / kRepeat} * 3;
      large.rgb.insert(large.rgb.end(), pixel, pixel + 3);
    }
  }
  return PngOf(large);
}

// A line of /proc/self/status in MB.
double StatusMb(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtod(line.c_str() + name.size() + 1, nullptr) / 1024;
  }
  Die("there is no /proc/self/status");
}

struct Figures {
  double peak_mb = 0;
  int refusals = 0;
  double seconds = 0;
};

// All uploads at once on one thread, by one inbox.
class Storm {
 public:
  Storm(mediagen_engine* engine, const std::string& png) : engine_(engine), png_(png) {
    if (mediagen_inbox_new(&inbox_, nullptr) != MEDIAGEN_OK) Die("there is no inbox");
  }
  ~Storm() { mediagen_inbox_free(inbox_); }

  // How many were refused before all were taken.
  int Run() {
    for (uint64_t tag = 0; tag < kUploads; ++tag) Begin(tag);
    while (!running_.empty() || !later_.empty()) {
      while (!later_.empty() && later_.begin()->first <= Steady::now()) {
        Begin(later_.begin()->second);
        later_.erase(later_.begin());
      }
      Await();
    }
    return refusals_;
  }

 private:
  struct Upload {
    mediagen_call* call = nullptr;
    size_t written = 0;
  };

  void Begin(uint64_t tag) {
    Upload upload;
    if (mediagen_handle_begin(engine_, Str("POST"), Str("/v1/uploads?reuse=false"),
                              Str("content-type: image/png\r\n"), Str(BenchPrincipal()), Str(""), inbox_, tag,
                              &upload.call, nullptr) < 0)
      Die("an upload was not begun");
    running_[tag] = upload;
    Write(tag);
  }

  void Write(uint64_t tag) {
    Upload& upload = running_.at(tag);
    while (upload.written < png_.size()) {
      size_t taken = 0;
      const auto rest = std::string_view(png_).substr(upload.written, 256 << 10);
      const int32_t code = mediagen_call_write(upload.call, Str(rest), &taken);
      if (code == MEDIAGEN_OVERLOADED) return Refused(tag, 1);
      if (code == MEDIAGEN_CLOSED) return;  // the answer is there
      if (code < 0) Die("a piece was refused");
      upload.written += taken;
      if (taken < rest.size()) return;
    }
    if (mediagen_call_end(upload.call) < 0) Die("a body could not be ended");
  }

  void Refused(uint64_t tag, int64_t seconds) {
    ++refusals_;
    later_.emplace(Steady::now() + std::chrono::seconds(seconds), tag);
    mediagen_call_free(running_.at(tag).call);
    running_.erase(tag);
  }

  void Answered(uint64_t tag) {
    Exchange exchange;
    exchange.call = running_.at(tag).call;
    mediagen_str head{};
    if (mediagen_response_head(exchange.call, &exchange.status, &head) != MEDIAGEN_OK)
      Die("there is no head");
    exchange.headers = {head.data, head.size};
    if (exchange.status == 503) {
      const std::string seconds = exchange.Header("retry-after");
      if (seconds.empty()) Die("a 503 does not say when to come back");
      return Refused(tag, std::max(1, std::atoi(seconds.c_str())));
    }
    if (exchange.status != 201) Die(fmt::format("an upload was answered with {}", exchange.status));
    mediagen_call_free(exchange.call);
    running_.erase(tag);
  }

  void Await() {
    pollfd ready{mediagen_inbox_fd(inbox_), POLLIN, 0};
    const auto until =
        later_.empty()
            ? std::chrono::milliseconds(1000)
            : std::chrono::duration_cast<std::chrono::milliseconds>(later_.begin()->first - Steady::now());
    poll(&ready, 1, static_cast<int>(std::max<int64_t>(0, until.count()) + 1));
    for (;;) {
      uint64_t tag = 0;
      int32_t kind = MEDIAGEN_KIND_EMPTY;
      mediagen_buffer* event = nullptr;
      if (mediagen_inbox_next(inbox_, &tag, &kind, &event) < 0) Die("the inbox cannot be read");
      if (kind == MEDIAGEN_KIND_EMPTY) return;
      if (running_.count(tag) == 0) continue;  // what is left of one that was refused
      if (kind == MEDIAGEN_KIND_WRITABLE) Write(tag);
      if (kind == MEDIAGEN_KIND_HEAD) Answered(tag);
    }
  }

  mediagen_engine* engine_;
  const std::string& png_;
  mediagen_inbox* inbox_ = nullptr;
  std::map<uint64_t, Upload> running_;
  std::multimap<Steady::time_point, uint64_t> later_;
  int refusals_ = 0;
};

Figures Uploads(const std::string& png, int budget_mb) {
  Folder folder;
  HttpHost host(
      fmt::format(R"({{"dataDir": "{}", "rateLimits": {{"writes": "1000000/min"}},)"
                  R"( "media": {{"decodeBudgetBytes": {}}}, "queues": {{"media": {{"paused": true}}}}}})",
                  folder.path, int64_t{budget_mb} << 20));
  mediagen_trim();
  malloc_trim(0);
  const double idle = StatusMb("VmRSS:");
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
  const auto start = Steady::now();
  const int refusals = Storm(host.engine(), png).Run();
  const std::chrono::duration<double> elapsed = Steady::now() - start;
  return {StatusMb("VmHWM:") - idle, refusals, elapsed.count()};
}

}  // namespace

int main() {
  const std::string png = LargePng();
  fmt::print("100 PNGs of {} bytes each, 4096², {:.0f} MB of pixels each\n", png.size(),
             double(kSide) * kSide * 3 / kMega);
  Report report("uploads");
  for (int budget_mb : {512, 128}) {
    int refusals = 0;
    const std::vector<Samples> samples =
        RunInterleaved({{"mediagen",
                         [&] {
                           const Figures figures = Uploads(png, budget_mb);
                           refusals = figures.refusals;
                           fmt::print("budget {} MB: {:.0f} MB above idle, {} times 503, {:.1f} s\n",
                                      budget_mb, figures.peak_mb, figures.refusals, figures.seconds);
                           return figures.peak_mb;
                         }}},
                       kRounds);
    report.Add({fmt::format("100 uploads at once, all taken; {} times 503 before", refusals),
                "peak MB above idle", fmt::format("decodeBudgetBytes {} MiB", budget_mb), "",
                CompareWithBound(samples[0], budget_mb, Better::kLess), std::nullopt, std::nullopt});
  }
  return report.Finish();
}
