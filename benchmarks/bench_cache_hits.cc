// cache-hits: what share of a trace's requests, and of their bytes, the cache's policy answers, beside
// Caffeine of the same size. The traces are made by seed: Zipf, popularity that drifts, scans, loops, keys
// that are wanted again soon, pictures behind a CDN; files come with them that are named on the command line
// or lie in the folder MEDIAGEN_TRACES, their format told by their name (docs/cache-policies.md). A row's
// ratio is 1 + (ours - theirs) / 100: 0.99 is one point less.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "base/id.h"
#include "cachesim/simulation.h"
#include "fmt/format.h"
#include "support/folder.h"
#include "support/peer.h"
#include "support/report.h"

namespace {

using namespace mediagen;
using namespace mediagen::bench;
using cachesim::Request;
using cachesim::TraceFormat;

constexpr double kOnePointLess = 0.99;
constexpr size_t kMostRequests = 20'000'000;  // of a file: what both sides can hold

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "bench cache-hits: {}\n", what);
  std::exit(1);
}

// ---- traces by seed --------------------------------------------------------------------------------------

class Zipf {
 public:
  Zipf(size_t keys, double exponent, uint64_t seed) : random_(SeededRandom(seed)) {
    double sum = 0;
    for (size_t i = 1; i <= keys; ++i) sums_.push_back(sum += std::pow(static_cast<double>(i), -exponent));
  }
  uint64_t Next() {
    const double at = Fraction() * sums_.back();
    return static_cast<uint64_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }
  double Fraction() { return static_cast<double>(random_->Below(uint64_t{1} << 53)) / 0x1p53; }
  uint64_t Below(uint64_t bound) { return random_->Below(bound); }

 private:
  std::unique_ptr<Random> random_;
  std::vector<double> sums_;
};

constexpr uint64_t kOnce = uint64_t{1} << 40;  // keys from here on are asked for once

std::vector<Request> Popular(double exponent) {
  Zipf zipf(200'000, exponent, 1);
  std::vector<Request> trace(1'500'000);
  for (Request& request : trace) request.key = zipf.Next();
  return trace;
}

std::vector<Request> Drifting() {
  Zipf zipf(30'000, 1.0, 2);
  std::vector<Request> trace(1'500'000);
  for (size_t i = 0; i < trace.size(); ++i) trace[i].key = zipf.Next() + i / 40;
  return trace;
}

std::vector<Request> Scanned() {
  Zipf zipf(50'000, 0.9, 3);
  std::vector<Request> trace;
  for (uint64_t once = kOnce; trace.size() < 1'500'000;) {
    for (int i = 0; i < 20'000; ++i) trace.push_back({zipf.Next()});
    for (int i = 0; i < 8'000; ++i) trace.push_back({once++});
  }
  return trace;
}

std::vector<Request> Looping() {
  std::vector<Request> trace(500'000);
  for (size_t i = 0; i < trace.size(); ++i) trace[i].key = i % 1'011;
  return trace;
}

// Half of the requests are new keys, the others for one of the latest 800.
std::vector<Request> Recent() {
  Zipf dice(1, 1, 4);
  std::vector<Request> trace;
  uint64_t newest = 800;
  for (int i = 0; i < 1'000'000; ++i) trace.push_back({dice.Below(2) ? ++newest : newest - dice.Below(800)});
  return trace;
}

// What databases and file systems ask their caches: popular blocks, then loops, then recent ones, in turns.
std::vector<Request> Phases() {
  Zipf zipf(20'000, 0.9, 5);
  std::vector<Request> trace;
  uint64_t newest = kOnce;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 150'000; ++i) trace.push_back({zipf.Next()});
    for (uint64_t i = 0; i < 150'000; ++i) trace.push_back({kOnce / 2 + i % 4'000});
    for (int i = 0; i < 150'000; ++i) trace.push_back({zipf.Below(2) ? ++newest : newest - zipf.Below(800)});
  }
  return trace;
}

// Log-normal sizes to 4 MB, Zipf popularity that drifts, and some that are asked for once.
std::vector<Request> Pictures(size_t keys, double exponent, size_t drift, double once_share) {
  Zipf zipf(keys, exponent, 6);
  std::unordered_map<uint64_t, uint64_t> sizes;
  std::vector<Request> trace;
  uint64_t once = kOnce;
  for (size_t i = 0; i < 1'000'000; ++i) {
    const uint64_t moved = drift > 0 ? i / drift : 0;
    const uint64_t key = zipf.Fraction() < once_share ? once++ : zipf.Next() + moved;
    auto [size, unknown] = sizes.try_emplace(key, 0);
    if (unknown) {
      const double normal =
          std::sqrt(-2 * std::log(1 - zipf.Fraction())) * std::cos(2 * M_PI * zipf.Fraction());
      size->second = static_cast<uint64_t>(std::clamp(std::exp(10.3 + 1.5 * normal), 1.0, 4e6));
    }
    trace.push_back({key, size->second});
  }
  return trace;
}

// ---- traces of files -------------------------------------------------------------------------------------

std::optional<TraceFormat> FormatOfFile(std::string name) {
  for (const char* packed : {".gz", ".xz", ".zst"}) {
    if (name.ends_with(packed)) name.resize(name.size() - std::string_view(packed).size());
  }
  const size_t dot = name.rfind('.');
  const std::string ending = dot == std::string::npos ? "" : name.substr(dot + 1);
  if (ending == "trace" || ending == "txt") return TraceFormat::kKeys;
  if (ending == "lis") return TraceFormat::kArc;
  if (ending == "tr") return TraceFormat::kSized;
  if (name.find("oracleGeneral") != std::string::npos) return TraceFormat::kOracle;
  return cachesim::FormatOf(ending);
}

std::vector<Request> ReadFile(const std::string& path, TraceFormat format) {
  auto input = cachesim::OpenInput(path);
  if (!input.ok()) Die(InfoOf(input.status()).message);
  cachesim::TraceReader reader(std::move(*input), format);
  std::vector<Request> trace(4096);
  for (size_t used = 0; used < kMostRequests;) {
    trace.resize(used + 4096);
    auto count = reader.Read({&trace[used], 4096});
    if (!count.ok()) Die(path + ": " + InfoOf(count.status()).message);
    trace.resize(used += *count);
    if (*count == 0) break;
  }
  return trace;
}

std::vector<std::string> Files(int count, char** names) {
  std::vector<std::string> files(names + 1, names + count);
  if (const char* folder = std::getenv("MEDIAGEN_TRACES")) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// ---- the comparison --------------------------------------------------------------------------------------

struct Percent {
  double objects = 0, bytes = 0;
};

class Bench {
 public:
  Bench() : caffeine_(Command()) {}

  void Run(const std::string& name, const std::vector<Request>& trace);
  int Finish();

 private:
  static std::vector<std::string> Command() {
    auto command = JavaPeer("CacheHits");
    if (command.empty()) Die("this benchmark's peer is Caffeine; it needs a JDK and Maven.");
    return command;
  }
  void Compare(const std::string& name, const std::vector<Request>& trace, bool sized, bool by_bytes,
               uint64_t size);
  void Add(const std::string& work, const char* metric, double ours, double theirs,
           std::optional<double> floor);

  Report report_{"cache-hits"};
  Folder folder_;
  Peer caffeine_;
  std::string version_;
  Percent ours_, theirs_;
  int rows_ = 0, sized_rows_ = 0;
};

void Bench::Run(const std::string& name, const std::vector<Request>& trace) {
  std::unordered_map<uint64_t, uint64_t> sizes;
  for (const Request& request : trace) sizes.try_emplace(request.key, std::max<uint64_t>(1, request.size));
  uint64_t bytes = 0;
  for (const auto& [key, size] : sizes) bytes += size;
  std::ofstream(folder_.path + "/trace", std::ios::binary)
      .write(reinterpret_cast<const char*>(trace.data()),
             static_cast<std::streamsize>(trace.size() * sizeof(Request)));
  const bool sized = bytes > sizes.size();
  std::vector<uint64_t> counts = {500, 2'000};
  for (uint64_t part : {100, 20, 5}) counts.push_back(sizes.size() / part);
  std::sort(counts.begin(), counts.end());
  for (uint64_t entries : counts) {
    if (entries >= 100 && entries < sizes.size()) Compare(name, trace, sized, false, entries);
  }
  for (uint64_t part : {100, 30, 10, 3}) {
    if (sized) Compare(name, trace, true, true, bytes / part);
  }
}

void Bench::Compare(const std::string& name, const std::vector<Request>& trace, bool sized, bool by_bytes,
                    uint64_t size) {
  memory_cache::Room room;
  (by_bytes ? room.bytes : room.entries) = size;
  cachesim::Simulation simulation(memory_cache::NewTinyLfu, room);
  simulation.Run(trace);
  const Percent ours{simulation.figures().object_hit_ratio() * 100,
                     simulation.figures().byte_hit_ratio() * 100};
  const auto said = caffeine_.Ask(
      {{"work", "hits"}, {"trace", folder_.path + "/trace"}, {by_bytes ? "bytes" : "entries", size}});
  const Percent theirs{said["objectHitRatio"].get<double>() * 100, said["byteHitRatio"].get<double>() * 100};
  version_ = said["version"];
  const std::string work = fmt::format("{}, {} {}", name, size, by_bytes ? "B" : "entries");
  Add(work, "object hit %", ours.objects, theirs.objects, kOnePointLess);
  ours_.objects += ours.objects;
  theirs_.objects += theirs.objects;
  ++rows_;
  if (!sized) return;
  Add(work, "byte hit %", ours.bytes, theirs.bytes, kOnePointLess);
  ours_.bytes += ours.bytes;
  theirs_.bytes += theirs.bytes;
  ++sized_rows_;
}

void Bench::Add(const std::string& work, const char* metric, double ours, double theirs,
                std::optional<double> floor) {
  report_.Add({work, metric, "Caffeine", version_, {ours, theirs, 1 + (ours - theirs) / 100, 0}, floor, 1.0});
}

int Bench::Finish() {
  if (rows_ > 0) Add("mean of all", "object hit %", ours_.objects / rows_, theirs_.objects / rows_, 1.0);
  if (sized_rows_ > 0)
    Add("mean of all with sizes", "byte hit %", ours_.bytes / sized_rows_, theirs_.bytes / sized_rows_, 1.0);
  return report_.Finish();
}

}  // namespace

int main(int argc, char** argv) {
  Bench bench;
  bench.Run("Zipf 0.7", Popular(0.7));
  bench.Run("Zipf 0.9", Popular(0.9));
  bench.Run("Zipf 1.0, drifting", Drifting());
  bench.Run("scans", Scanned());
  bench.Run("loop of 1,011", Looping());
  bench.Run("recent", Recent());
  bench.Run("phases", Phases());
  bench.Run("CDN", Pictures(100'000, 0.9, 0, 0.2));
  bench.Run("CDN, flat", Pictures(300'000, 0.7, 0, 0.05));
  bench.Run("CDN, drifting", Pictures(60'000, 1.0, 60, 0.05));
  for (const std::string& file : Files(argc, argv)) {
    const std::string name = std::filesystem::path(file).filename();
    const auto format = FormatOfFile(name);
    if (!format) Die("the format of " + file + " is not told by its name; see docs/cache-policies.md.");
    bench.Run(name, ReadFile(file, *format));
  }
  return bench.Finish();
}
