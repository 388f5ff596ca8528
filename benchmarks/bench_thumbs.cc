// thumbs: the three thumbnails of one picture, 600, 300 and 150 px cover, as JPEG q85 with 4:2:0, out of a
// PNG of 1024², beside sharp and Pillow, each in the fastest of its ways (one of them is ours: each thumbnail
// out of the next larger). By one thread and two at once, with the standard's Huffman tables and with the
// picture's own. Beside the speed the bytes and, against a resize in double precision, the PSNR.
#include <algorithm>

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

constexpr int kSides[] = {600, 300, 150}, kQuality = 85, kTimes = 12;

// One decode, and each thumbnail made of the next larger.
std::vector<Buffer> Thumbs(const std::string& png, const char* filter, bool optimise) {
  std::vector<Buffer> made;
  Image image = Decode(png);
  const std::string encode = fmt::format(
      R"({{"format": "jpeg", "quality": {}, "chroma": "420", "optimize": {}}})", kQuality, optimise);
  for (int side : kSides) {
    image = Resize(image, fmt::format(R"({{"width": {0}, "height": {0}, "fit": "cover", "filter": "{1}"}})",
                                      side, filter));
    made.push_back(Encode(image, encode));
  }
  return made;
}

// What is left without the resizes: libpng's decode, and libjpeg's encode of thumbnails that are there.
void Bare(const std::string& png, const std::vector<Photo>& thumbs) {
  ReadPhoto(png);
  for (const Photo& thumb : thumbs) JpegOf(thumb, kQuality);
}

struct Bench {
  Report report{"thumbs"};
  PicturePeers peers;
  Photo photo = MakePhoto(1024, 1024, 1);
  std::string png = PngOf(photo);
  std::string file = peers.Store("photo.png", png);

  json Question(const char* form, bool optimise, int flight, const char* filter) const {
    return {{"work", "thumbs"}, {"form", form},         {"file", file},     {"quality", kQuality},
            {"times", kTimes},  {"optimise", optimise}, {"flight", flight}, {"filter", filter}};
  }
  CostContender Ours(const char* filter, bool optimise, int flight) {
    return {filter, [this, filter, optimise, flight] {
              return CostEach(flight, kTimes, [&] { Thumbs(png, filter, optimise); });
            }};
  }

  void Speed(bool optimise, int flight, const std::vector<Photo>& thumbs);
  void Quality();
};

const Samples& Fastest(const std::vector<Samples>& samples, size_t first, size_t count) {
  return *std::min_element(samples.begin() + first, samples.begin() + first + count,
                           [](auto& a, auto& b) { return Median(a.figures) < Median(b.figures); });
}

void Bench::Speed(bool optimise, int flight, const std::vector<Photo>& thumbs) {
  std::vector<CostContender> all = {Ours("catmull-rom", optimise, flight),
                                    Ours("lanczos3", optimise, flight)};
  for (const char* form : {"separate", "clones", "pixels", "pyramid"})
    all.push_back(peers.Sharp(Question(form, optimise, flight, "lanczos3")));
  for (const char* form : {"pixels", "pyramid"})
    all.push_back(peers.Pillow(Question(form, optimise, flight, "catmull-rom")));
  all.push_back({"bare", [&] { return CostEach(flight, kTimes, [&] { Bare(png, thumbs); }); }});
  const CostSamples costs = RunCosts(all);
  const std::string work = fmt::format("{}, {} Huffman tables", flight == 1 ? "one thread" : "two at once",
                                       optimise ? "optimised" : "standard");
  const auto add = [&](const std::vector<Samples>& samples, const char* metric) {
    const Samples &sharp = Fastest(samples, 2, 4), &pillow = Fastest(samples, 6, 2);
    report.Add({work, metric, sharp.name + " (Lanczos)", peers.sharp_version,
                Compare(samples[0], sharp, Better::kLess), 1.8, 3.0});
    report.Add({work + ", Lanczos on both sides", metric, sharp.name, peers.sharp_version,
                Compare(samples[1], sharp, Better::kLess), 1.8, 3.0});
    report.Add({work, metric, pillow.name + " (bicubic)", peers.pillow_version,
                Compare(samples[0], pillow, Better::kLess), std::nullopt, std::nullopt});
    if (optimise) return;
    report.Add({work, metric, "libpng and libjpeg-turbo without a resize",
                PngVersion() + ", " + JpegVersion(), Compare(samples[0], samples[8], Better::kLess),
                std::nullopt, std::nullopt});
  };
  add(costs.ms, "ms");
  if (flight == 1) add(costs.cpu_ms, "CPU ms");
}

Comparison Once(double ours, double theirs, Better better) {
  return Compare({"", {ours}}, {"", {theirs}}, better);
}

double Bytes(const std::vector<std::string>& files) {
  size_t bytes = 0;
  for (const std::string& file : files) bytes += file.size();
  return static_cast<double>(bytes);
}

std::vector<std::string> Files(const std::vector<Buffer>& buffers) {
  std::vector<std::string> files;
  for (const Buffer& buffer : buffers) files.emplace_back(View(buffer));
  return files;
}

void Bench::Quality() {
  const std::vector<std::string> rom = Files(Thumbs(png, "catmull-rom", false));
  const std::vector<std::string> lanczos = Files(Thumbs(png, "lanczos3", false));
  const std::vector<std::string> sharp = peers.SharpResults(Question("separate", false, 1, "lanczos3"), 3);
  const std::vector<std::string> pillow = peers.PillowResults(Question("pixels", false, 1, "catmull-rom"), 3);
  for (const auto* files : {&rom, &lanczos, &sharp, &pillow}) {
    for (const std::string& file : *files) {
      if (!IsHalfColour(file)) fmt::print("A thumbnail is not 4:2:0; the bytes cannot be compared.\n");
    }
  }
  report.Add({"bytes of the three, Lanczos on both sides", "bytes", "sharp", peers.sharp_version,
              Once(Bytes(lanczos), Bytes(sharp), Better::kLess), 1 / 1.02, std::nullopt});
  report.Add({"bytes of the three, our Catmull-Rom", "bytes", "sharp (Lanczos)", peers.sharp_version,
              Once(Bytes(rom), Bytes(sharp), Better::kLess), 1 / 1.02, std::nullopt});
  report.Add({"bytes of the three", "bytes", "Pillow (bicubic)", peers.pillow_version,
              Once(Bytes(rom), Bytes(pillow), Better::kLess), 1 / 1.02, std::nullopt});
  for (size_t i = 0; i < 3; ++i) {
    const uint32_t side = static_cast<uint32_t>(kSides[i]);
    const Reference exact_rom = ReduceExactly(photo, side, side, Kernel::kCatmullRom);
    const Reference exact_lanczos = ReduceExactly(photo, side, side, Kernel::kLanczos3);
    const auto psnr = [&](const Reference& exact, const std::vector<std::string>& files) {
      return Psnr(exact, ReadPhoto(files[i]));
    };
    const std::string work = fmt::format("{0}×{0} against the exact ", side);
    report.Add({work + "Lanczos, Lanczos on both sides", "PSNR dB", "sharp", peers.sharp_version,
                Once(psnr(exact_lanczos, lanczos), psnr(exact_lanczos, sharp), Better::kMore), 1.0,
                std::nullopt});
    report.Add({work + "filter of its own: ours Catmull-Rom", "PSNR dB", "sharp (Lanczos)",
                peers.sharp_version, Once(psnr(exact_rom, rom), psnr(exact_lanczos, sharp), Better::kMore),
                1.0, std::nullopt});
    report.Add({work + "Catmull-Rom", "PSNR dB", "Pillow (bicubic)", peers.pillow_version,
                Once(psnr(exact_rom, rom), psnr(exact_rom, pillow), Better::kMore), std::nullopt,
                std::nullopt});
  }
}

}  // namespace

int main() {
  Bench bench;
  std::vector<Photo> thumbs;
  for (const Buffer& thumb : Thumbs(bench.png, "catmull-rom", false))
    thumbs.push_back(ReadPhoto(std::string(View(thumb))));
  fmt::print("a PNG of {} bytes\n", bench.png.size());
  for (bool optimise : {false, true}) {
    for (int flight : {1, 2}) bench.Speed(optimise, flight, thumbs);
  }
  bench.Quality();
  return bench.report.Finish();
}
