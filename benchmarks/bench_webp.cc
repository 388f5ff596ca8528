// webp: a PNG of 1024² becomes a lossy WebP, q85, by the methods 4 and 6, beside sharp, Pillow and the bare
// libwebp, by one thread and two at once. Beside the speed the bytes, and the PSNR and SSIM against the
// picture itself. libwebp's version stands beside each: most of the time is its own.
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

constexpr int kQuality = 85, kTimes = 6;

Buffer ToWebp(const std::string& png, int method) {
  return Encode(Decode(png),
                fmt::format(R"({{"format": "webp", "quality": {}, "method": {}}})", kQuality, method));
}

struct Bench {
  Report report{"webp"};
  PicturePeers peers;
  Photo photo = MakePhoto(1024, 1024, 1);
  std::string png = PngOf(photo);
  std::string file = peers.Store("photo.png", png);

  json Question(int method, int flight) const {
    return {{"work", "webp"},  {"file", file},     {"quality", kQuality},
            {"times", kTimes}, {"method", method}, {"flight", flight}};
  }

  void Speed(int method, int flight);
  void Quality(int method);
};

void Bench::Speed(int method, int flight) {
  const CostSamples costs = RunCosts(
      {{"mediagen", [&] { return CostEach(flight, kTimes, [&] { ToWebp(png, method); }); }},
       peers.Sharp(Question(method, flight)),
       peers.Pillow(Question(method, flight)),
       {"bare", [&] { return CostEach(flight, kTimes, [&] { BareWriteWebp(photo, kQuality, method); }); }}});
  const std::string work = fmt::format("method {}, {}", method, flight == 1 ? "one thread" : "two at once");
  const auto add = [&](const std::vector<Samples>& samples, const char* metric) {
    report.Add({work, metric, "sharp", peers.sharp_version, Compare(samples[0], samples[1], Better::kLess),
                1.1, std::nullopt});
    report.Add({work, metric, "Pillow", peers.pillow_version, Compare(samples[0], samples[2], Better::kLess),
                0.97, std::nullopt});
    report.Add({work, metric, "libwebp's encode of pixels in memory", WebpVersion(),
                Compare(samples[0], samples[3], Better::kLess), std::nullopt, 1 / 1.15});
  };
  add(costs.ms, "ms");
  if (flight == 1) add(costs.cpu_ms, "CPU ms");
}

Comparison Once(double ours, double theirs, Better better) {
  return Compare({"", {ours}}, {"", {theirs}}, better);
}

void Bench::Quality(int method) {
  const std::string ours(View(ToWebp(png, method)));
  const Reference exact = Exactly(photo);
  const Photo mine = ReadPhoto(ours);
  const std::string work = fmt::format("method {}", method);
  const auto compare = [&](const char* peer, const std::string& version, const std::string& theirs) {
    const Photo other = ReadPhoto(theirs);
    report.Add({work, "bytes", peer, version, Once(ours.size(), theirs.size(), Better::kLess), 1 / 1.02,
                std::nullopt});
    report.Add({work, "PSNR dB", peer, version, Once(Psnr(exact, mine), Psnr(exact, other), Better::kMore),
                std::nullopt, std::nullopt});
    report.Add({work, "SSIM", peer, version, Once(Ssim(exact, mine), Ssim(exact, other), Better::kMore),
                std::nullopt, std::nullopt});
  };
  compare("sharp", peers.sharp_version, peers.SharpResults(Question(method, 1), 1)[0]);
  compare("Pillow", peers.pillow_version, peers.PillowResults(Question(method, 1), 1)[0]);
}

}  // namespace

int main() {
  Bench bench;
  fmt::print("a PNG of {} bytes\n", bench.png.size());
  for (int method : {4, 6}) {
    for (int flight : {1, 2}) bench.Speed(method, flight);
  }
  for (int method : {4, 6}) bench.Quality(method);
  return bench.report.Finish();
}
