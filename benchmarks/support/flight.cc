#include "support/flight.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <thread>

namespace mediagen::bench {
namespace {

double CpuMs() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

Cost CostEach(int flight, int times, const std::function<void()>& work) {
  std::atomic<int> left = times;
  const auto loop = [&] {
    while (left.fetch_sub(1) > 0) work();
  };
  const double cpu = CpuMs();
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (int i = 1; i < flight; ++i) others.emplace_back(loop);
  loop();
  for (std::thread& other : others) other.join();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return {elapsed.count() / times, (CpuMs() - cpu) / times};
}

CostSamples RunCosts(const std::vector<CostContender>& contenders) {
  CostSamples samples;
  std::vector<Contender> timed;
  for (const CostContender& contender : contenders) samples.cpu_ms.push_back({contender.name, {}});
  for (size_t i = 0; i < contenders.size(); ++i) {
    timed.push_back({contenders[i].name, [&, i] {
                       const Cost cost = contenders[i].measure();
                       samples.cpu_ms[i].figures.push_back(cost.cpu_ms);
                       return cost.ms;
                     }});
  }
  samples.ms = RunInterleaved(timed);
  for (Samples& one : samples.cpu_ms) one.figures.erase(one.figures.begin());  // what does not count
  return samples;
}

}  // namespace mediagen::bench
