// serve: a variant of 100 KB that lies in memory, through mediagen_handle_begin, as a host that has an HTTP
// server of its own asks for it: the whole of it, a conditional request whose answer is 304, and a range. The
// picture is private, the principal has a user and an address, and the limiter counts. Timed is all that the
// host does: begin, head, body, and letting go of both.
#include <chrono>

#include "fmt/format.h"
#include "support/folder.h"
#include "support/http_host.h"
#include "support/photo.h"
#include "support/report.h"
#include "support/rounds.h"

namespace {

using namespace mediagen::bench;
using Steady = std::chrono::steady_clock;

constexpr int kRequests = 20'000;
constexpr double kBoundUs = 10, kGoalUs = 3;

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "bench serve: {}\n", what);
  std::exit(1);
}

std::string Config(const Folder& folder) {
  return fmt::format(R"({{"dataDir": "{}", "media": {{"recipes": ["w900,h900,cover,jpeg,q90"]}},)"
                     R"( "rateLimits": {{"pictures": "50000000/min"}}}})",
                     folder.path);
}

// A private picture of the principal's; the target of its variant.
std::string Uploaded(HttpHost* host) {
  Exchange made = host->Ask("POST", "/v1/uploads?visibility=private", "content-type: image/png\r\n",
                            PngOf(MakePhoto(1024, 1024, 1)));
  if (made.status != 201) Die(fmt::format("the upload was answered with {}", made.status));
  std::string target = made.Header("location") + "/image?w=900&h=900&fit=cover&format=jpeg&q=90";
  HttpHost::End(&made);
  return target;
}

class Bench {
 public:
  Bench() {
    for (int i = 0; i < 3; ++i) {  // made, then remembered
      Exchange early = host_.Ask("GET", target_);
      etag_ = early.Header("etag");
      HttpHost::End(&early);
    }
    // Both come out of memory: the same bytes, not their copies.
    Exchange first = host_.Ask("GET", target_), second = host_.Ask("GET", target_);
    if (second.status != 200 || etag_.empty())
      Die(fmt::format("the picture was answered with {}", second.status));
    size_ = second.bytes().size();
    fmt::print("{} bytes; two answers have {} in memory; answered {}\n", size_,
               first.bytes().data() == second.bytes().data() ? "the same bytes" : "COPIES of the bytes",
               second.at_once ? "at once" : "LATER, from another thread");
    HttpHost::End(&first);
    HttpHost::End(&second);
  }

  // The median of one kind of request, µs.
  double Us(std::string_view headers, int status, size_t bytes) {
    std::vector<double> times;
    times.reserve(kRequests);
    for (int i = 0; i < kRequests; ++i) {
      const auto start = Steady::now();
      Exchange exchange = host_.Ask("GET", target_, headers);
      const bool good = exchange.status == status && exchange.bytes().size() == bytes;
      HttpHost::End(&exchange);
      times.push_back(std::chrono::duration<double, std::micro>(Steady::now() - start).count());
      if (!good) Die(fmt::format("an answer was {} in place of {}", exchange.status, status));
    }
    return Percentile(times, 0.5);
  }

  const std::string& etag() const { return etag_; }
  size_t size() const { return size_; }

 private:
  Folder folder_;
  HttpHost host_{Config(folder_)};
  std::string target_ = Uploaded(&host_), etag_;
  size_t size_ = 0;
};

}  // namespace

int main() {
  Bench bench;
  const std::string match = fmt::format("if-none-match: {}\r\n", bench.etag());
  const std::vector<Samples> samples =
      RunInterleaved({{"whole", [&] { return bench.Us("", 200, bench.size()); }},
                      {"304", [&] { return bench.Us(match, 304, 0); }},
                      {"range", [&] { return bench.Us("range: bytes=1000-20999\r\n", 206, 20'000); }}});
  Report report("serve");
  const char* works[] = {"the whole picture", "If-None-Match: 304", "Range: 206"};
  for (size_t i = 0; i < samples.size(); ++i) {
    report.Add({works[i], "p50 µs", "bound", "", CompareWithBound(samples[i], kBoundUs, Better::kLess), 1.0,
                kBoundUs / kGoalUs});
  }
  return report.Finish();
}
