#include "support/flight.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace mediagen::bench {

double MsEach(int flight, int times, const std::function<void()>& work) {
  std::atomic<int> left = times;
  const auto loop = [&] {
    while (left.fetch_sub(1) > 0) work();
  };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> others;
  for (int i = 1; i < flight; ++i) others.emplace_back(loop);
  loop();
  for (std::thread& other : others) other.join();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / times;
}

}  // namespace mediagen::bench
