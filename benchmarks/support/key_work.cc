#include "support/key_work.h"

#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <bit>
#include <chrono>
#include <cmath>
#include <fstream>
#include <numeric>
#include <random>
#include <thread>

#include "fmt/format.h"

namespace mediagen::bench {
namespace {

uint64_t SplitMix64(uint64_t index) {
  uint64_t z = (index + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

Keys::Keys(uint32_t count) {
  all_.reserve(kBytes * count);
  for (uint32_t i = 0; i < count; ++i) fmt::format_to(std::back_inserter(all_), "{:016x}", SplitMix64(i));
}

std::vector<uint32_t> ZipfIndexes(uint32_t below, size_t count, double exponent, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint32_t> by_rank(below);
  std::iota(by_rank.begin(), by_rank.end(), 0);
  std::shuffle(by_rank.begin(), by_rank.end(), random);
  std::vector<double> up_to(below);
  double sum = 0;
  for (uint32_t rank = 0; rank < below; ++rank) up_to[rank] = sum += std::pow(rank + 1, -exponent);
  std::uniform_real_distribution<double> draw(0, sum);
  std::vector<uint32_t> indexes(count);
  for (uint32_t& index : indexes) {
    const auto found = std::upper_bound(up_to.begin(), up_to.end() - 1, draw(random));
    index = by_rank[static_cast<size_t>(found - up_to.begin())];
  }
  return indexes;
}

std::string StoreIndexes(const Folder& folder, const std::string& name,
                         const std::vector<uint32_t>& indexes) {
  static_assert(std::endian::native == std::endian::little);
  std::string path = folder.path + "/" + name;
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(indexes.data()),
             static_cast<std::streamsize>(indexes.size() * sizeof indexes[0]));
  if (!file.flush()) {
    fmt::print(stderr, "benchmark: {} cannot be written\n", path);
    std::exit(1);
  }
  return path;
}

Parts RunParts(int threads, const std::function<uint64_t(int)>& part) {
  std::barrier ready(threads + 1);
  std::vector<uint64_t> sums(static_cast<size_t>(threads));
  std::vector<std::thread> workers;
  workers.reserve(sums.size());
  for (int thread = 0; thread < threads; ++thread) {
    workers.emplace_back([&, thread] {
      ready.arrive_and_wait();
      const uint64_t sum = part(thread);
      sums[static_cast<size_t>(thread)] = sum;
    });
  }
  ready.arrive_and_wait();
  const auto begin = std::chrono::steady_clock::now();
  for (std::thread& worker : workers) worker.join();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  return {elapsed.count(), std::accumulate(sums.begin(), sums.end(), uint64_t{0})};
}

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace mediagen::bench
