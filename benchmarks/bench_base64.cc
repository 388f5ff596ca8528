// base64: a picture of 1.5 MB as text and back, beside Node's Buffer. One thread. Both sides make a result of
// their own each time and let it go.
#include "fmt/format.h"
#include "support/flight.h"
#include "support/photo.h"
#include "support/picture_host.h"
#include "support/picture_peers.h"
#include "support/report.h"

namespace {

using namespace mediagen::bench;

constexpr int kTimes = 400;

}  // namespace

int main() {
  PicturePeers peers;
  std::string bytes = PngOf(MakePhoto(1280, 1280, 1));
  bytes.resize(1'500'000, '\x5A');
  const std::string file = peers.Store("bytes", bytes);
  const std::string text(View(ToBase64(bytes)));
  if (View(FromBase64(text)) != bytes) {
    fmt::print(stderr, "base64 does not come back as it went.\n");
    return 1;
  }
  const auto node = [&](const char* work) {
    return peers.Sharp({{"work", work}, {"file", file}, {"times", kTimes}, {"flight", 1}});
  };
  const CostSamples costs =
      RunCosts({{"encode", [&] { return CostEach(1, kTimes, [&] { ToBase64(bytes); }); }},
                node("encode64"),
                {"decode", [&] { return CostEach(1, kTimes, [&] { FromBase64(text); }); }},
                node("decode64")});
  Report report("base64");
  const auto add = [&](const std::vector<Samples>& samples, const char* metric) {
    report.Add({"1.5 MB to text", metric, "Node's Buffer", peers.sharp_version,
                Compare(samples[0], samples[1], Better::kLess), 1.0, 4.0});
    report.Add({"and back", metric, "Node's Buffer", peers.sharp_version,
                Compare(samples[2], samples[3], Better::kLess), 1.0, 4.0});
  };
  add(costs.ms, "ms");
  add(costs.cpu_ms, "CPU ms");
  return report.Finish();
}
