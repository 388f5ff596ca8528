#include "base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>
#include <vector>

using namespace mediagen;

TEST_CASE("every piece is done once, with threads and without") {
  FakeClock clock;
  for (int threads : {0, 1, 3}) {
    CAPTURE(threads);
    auto executor = threads == 0 ? NewManualExecutor(&clock) : NewThreadExecutor(&clock, threads, "parallel");
    std::vector<std::atomic<int>> calls(50);
    ParallelFor(executor.get(), calls.size(), [&](size_t i) { ++calls[i]; });
    for (const auto& count : calls) CHECK(count == 1);
    ParallelFor(executor.get(), 0, [](size_t) { CHECK(false); });
    executor->Stop();
  }
  std::atomic<int> alone{0};
  ParallelFor(nullptr, 3, [&](size_t) { ++alone; });
  CHECK(alone == 3);
}

TEST_CASE("another thread takes part: two pieces that wait for each other come to their end") {
  FakeClock clock;
  auto executor = NewThreadExecutor(&clock, 1, "parallel");
  std::promise<void> first, second;
  ParallelFor(executor.get(), 2, [&](size_t i) {
    (i == 0 ? first : second).set_value();
    (i == 0 ? second : first).get_future().wait();
  });
  executor->Stop();
}

TEST_CASE("a task whose executor has no other thread does all of it itself") {
  FakeClock clock;
  auto executor = NewThreadExecutor(&clock, 1, "parallel");
  std::promise<std::set<std::thread::id>> result;
  REQUIRE(executor->Post([&] {
    std::set<std::thread::id> threads;
    ParallelFor(executor.get(), 8, [&](size_t) { threads.insert(std::this_thread::get_id()); });
    result.set_value(threads);
  }));
  CHECK(result.get_future().get().size() == 1);
  executor->Stop();
}
