// pickup: how long an idle queue takes from a job's enqueue to the moment when its worker has it, in one
// process: the commit of the enqueue and the commit of the claim lie between them.
#include <chrono>
#include <thread>

#include "support/folder.h"
#include "support/queue_host.h"
#include "support/report.h"
#include "support/rounds.h"

namespace {

using namespace mediagen::bench;
using Steady = std::chrono::steady_clock;

constexpr int kJobs = 300;
constexpr auto kIdle = std::chrono::milliseconds(3);

// The p99 and the median of one round, in ms.
std::pair<double, double> Pickups() {
  Folder folder;
  QueueHost host(folder.path, R"({"concurrency": 10})");
  std::vector<double> times;
  for (int i = 0; i < kJobs; ++i) {
    mediagen_call* claim = host.BeginClaim();
    std::this_thread::sleep_for(kIdle);
    const auto start = Steady::now();
    host.Enqueue(R"({"queue": "bench", "kind": "work"})");
    const std::string job = host.Taken(claim);
    times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - start).count());
    host.Finish(job);
  }
  return {Percentile(times, 0.99), Percentile(times, 0.5)};
}

}  // namespace

int main() {
  std::vector<double> medians;
  auto samples = RunInterleaved({{"mediagen", [&] {
                                    auto [p99, median] = Pickups();
                                    medians.push_back(median);
                                    return p99;
                                  }}});
  medians.erase(medians.begin());  // the round that does not count
  Report report("pickup");
  const char* work = "idle queue, enqueue to the worker's claim, same process";
  report.Add({work, "p99 ms", "bound", "", CompareWithBound(samples[0], 5, Better::kLess), 1.0, 5.0});
  report.Add({work, "p50 ms", "bound", "", CompareWithBound({"mediagen", medians}, 5, Better::kLess),
              std::nullopt, std::nullopt});
  return report.Finish();
}
