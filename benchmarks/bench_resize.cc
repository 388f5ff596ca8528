// resize: a JPEG of 2725×2225 becomes one of 720 px width, q80, 4:2:0, beside sharp, Pillow and the bare
// libjpeg-turbo, by one thread and two at once. All reduce in the transform while they decode. Beside the
// speed the bytes, and the PSNR and SSIM against a resize of the decoded picture in double precision.
#include "fmt/format.h"
#include "support/bare.h"
#include "support/flight.h"
#include "support/photo.h"
#include "support/picture_host.h"
#include "support/picture_peers.h"
#include "support/quality.h"
#include "support/report.h"

namespace {

using namespace mediagen::bench;
using nlohmann::json;

constexpr uint32_t kWidth = 720, kHeight = 588;
constexpr int kQuality = 80, kTimes = 16;

Buffer Resized(const std::string& jpeg, const char* filter, bool optimise) {
  const Image image = Decode(jpeg, fmt::format(R"({{"width": {}, "height": {}}})", kWidth, kHeight));
  const Image small = Resize(image, fmt::format(R"({{"width": {}, "filter": "{}"}})", kWidth, filter));
  return Encode(small, fmt::format(R"({{"format": "jpeg", "quality": {}, "chroma": "420", "optimize": {}}})",
                                   kQuality, optimise));
}

struct Bench {
  Report report{"resize"};
  PicturePeers peers;
  std::string jpeg = JpegOf(MakePhoto(2725, 2225, 2), 90);
  std::string file = peers.Store("photo.jpg", jpeg);

  json Question(bool optimise, int flight, const char* filter) const {
    return {{"work", "resize"}, {"file", file},         {"quality", kQuality}, {"width", kWidth},
            {"times", kTimes},  {"optimise", optimise}, {"flight", flight},    {"filter", filter}};
  }
  CostContender Ours(const char* filter, bool optimise, int flight) {
    return {filter, [this, filter, optimise, flight] {
              return CostEach(flight, kTimes, [&] { Resized(jpeg, filter, optimise); });
            }};
  }

  void Speed(bool optimise, int flight, const Photo& small);
  void Quality();
};

void Bench::Speed(bool optimise, int flight, const Photo& small) {
  const CostSamples costs =
      RunCosts({Ours("catmull-rom", optimise, flight),
                Ours("lanczos3", optimise, flight),
                peers.Sharp(Question(optimise, flight, "lanczos3")),
                peers.Pillow(Question(optimise, flight, "catmull-rom")),
                {"bare",
                 [&] {
                   return CostEach(flight, kTimes, [&] {
                     BareReadJpeg(jpeg, 2);
                     JpegOf(small, kQuality);
                   });
                 }},
                {"entropy", [&] { return CostEach(flight, kTimes, [&] { BareReadJpeg(jpeg, 8); }); }}});
  const std::string work = fmt::format("{}, {} Huffman tables", flight == 1 ? "one thread" : "two at once",
                                       optimise ? "optimised" : "standard");
  const auto add = [&](const std::vector<Samples>& samples, const char* metric) {
    report.Add({work, metric, "sharp (Lanczos)", peers.sharp_version,
                Compare(samples[0], samples[2], Better::kLess), 1.1, std::nullopt});
    report.Add({work + ", Lanczos on both sides", metric, "sharp", peers.sharp_version,
                Compare(samples[1], samples[2], Better::kLess), 1.1, std::nullopt});
    report.Add({work, metric, "Pillow (bicubic)", peers.pillow_version,
                Compare(samples[0], samples[3], Better::kLess), std::nullopt, std::nullopt});
    if (optimise) return;
    report.Add({work, metric, "libjpeg-turbo's half-scale decode and encode, no resize", JpegVersion(),
                Compare(samples[0], samples[4], Better::kLess), std::nullopt, std::nullopt});
    report.Add({work, metric, "libjpeg-turbo's decode at 1/8: hardly more than the entropy decoder",
                JpegVersion(), Compare(samples[0], samples[5], Better::kLess), std::nullopt, 1 / 1.15});
  };
  add(costs.ms, "ms");
  if (flight == 1) add(costs.cpu_ms, "CPU ms");
}

Comparison Once(double ours, double theirs, Better better) {
  return Compare({"", {ours}}, {"", {theirs}}, better);
}

void Bench::Quality() {
  const Photo whole = ReadPhoto(jpeg);
  struct Side {
    const char* filters;
    Kernel ours, theirs;
    std::string mine, other;
    const char* peer;
    std::string version;
  };
  const std::string rom(View(Resized(jpeg, "catmull-rom", false)));
  const std::string lanczos(View(Resized(jpeg, "lanczos3", false)));
  const std::string sharp = peers.SharpResults(Question(false, 1, "lanczos3"), 1)[0];
  const std::string pillow = peers.PillowResults(Question(false, 1, "catmull-rom"), 1)[0];
  const Side sides[] = {{"Lanczos on both sides", Kernel::kLanczos3, Kernel::kLanczos3, lanczos, sharp,
                         "sharp", peers.sharp_version},
                        {"each by its own filter: ours Catmull-Rom", Kernel::kCatmullRom, Kernel::kLanczos3,
                         rom, sharp, "sharp (Lanczos)", peers.sharp_version},
                        {"Catmull-Rom on both sides", Kernel::kCatmullRom, Kernel::kCatmullRom, rom, pillow,
                         "Pillow (bicubic)", peers.pillow_version}};
  for (const Side& side : sides) {
    if (!IsHalfColour(side.mine) || !IsHalfColour(side.other))
      fmt::print("A result is not 4:2:0; the bytes cannot be compared.\n");
    const Photo mine = ReadPhoto(side.mine), other = ReadPhoto(side.other);
    const Reference my_exact = ReduceExactly(whole, kWidth, kHeight, side.ours);
    const Reference other_exact = ReduceExactly(whole, kWidth, kHeight, side.theirs);
    const auto add = [&](const char* metric, Comparison comparison) {
      report.Add({side.filters, metric, side.peer, side.version, comparison, std::nullopt, std::nullopt});
    };
    add("bytes", Once(side.mine.size(), side.other.size(), Better::kLess));
    add("PSNR dB", Once(Psnr(my_exact, mine), Psnr(other_exact, other), Better::kMore));
    add("SSIM", Once(Ssim(my_exact, mine), Ssim(other_exact, other), Better::kMore));
  }
}

}  // namespace

int main() {
  Bench bench;
  const Photo small = ReadPhoto(std::string(View(Resized(bench.jpeg, "catmull-rom", false))));
  fmt::print("a JPEG of {} bytes\n", bench.jpeg.size());
  for (bool optimise : {false, true}) {
    for (int flight : {1, 2}) bench.Speed(optimise, flight, small);
  }
  bench.Quality();
  return bench.report.Finish();
}
