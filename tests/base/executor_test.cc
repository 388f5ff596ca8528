#include "base/executor.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

using namespace mediagen;

namespace {

// Runs what is ready or due until nothing is.
int RunAll(Executor& executor) {
  int ran = 0;
  while (executor.RunOne()) ++ran;
  return ran;
}

}  // namespace

TEST_CASE("a manual executor runs tasks in order, one a call, on the caller's thread") {
  FakeClock clock;
  auto executor = NewManualExecutor(&clock);
  CHECK_FALSE(executor->threaded());
  CHECK_FALSE(executor->RunOne());
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) CHECK(executor->Post([&order, i] { order.push_back(i); }));
  CHECK(order.empty());
  CHECK(executor->RunOne());
  CHECK(order == std::vector<int>{0});
  CHECK(RunAll(*executor) == 2);
  CHECK(order == std::vector<int>{0, 1, 2});
}

TEST_CASE("a task may post, and run others while it waits") {
  FakeClock clock;
  auto executor = NewManualExecutor(&clock);
  std::vector<int> order;
  executor->Post([&] {
    executor->Post([&] { order.push_back(1); });
    CHECK(executor->RunOne());
    order.push_back(2);
  });
  CHECK(RunAll(*executor) == 1);
  CHECK(order == std::vector<int>{1, 2});
}

TEST_CASE("timers run when they are due, by time and then by order of making") {
  FakeClock clock;
  auto executor = NewManualExecutor(&clock);
  const int64_t now = clock.MonotonicMs();
  CHECK(executor->NextDue() == INT64_MAX);
  std::vector<int> order;
  executor->PostAt(now + 200, [&] { order.push_back(3); });
  executor->PostAt(now + 100, [&] { order.push_back(1); });
  executor->PostAt(now + 100, [&] { order.push_back(2); });
  executor->PostAt(now - 5, [&] { order.push_back(0); });
  CHECK(executor->NextDue() == now - 5);
  CHECK(RunAll(*executor) == 1);
  CHECK(executor->NextDue() == now + 100);
  clock.Advance(99);
  CHECK(RunAll(*executor) == 0);
  clock.Advance(1);
  CHECK(RunAll(*executor) == 2);
  clock.JumpWall(1'000'000);  // timers are monotonic
  CHECK(RunAll(*executor) == 0);
  clock.Advance(100);
  CHECK(RunAll(*executor) == 1);
  CHECK(order == std::vector<int>{0, 1, 2, 3});
  executor->Post([] {});
  CHECK(executor->NextDue() <= clock.MonotonicMs());  // something is ready now
}

TEST_CASE("a timer is taken back once, and only before it runs") {
  FakeClock clock;
  auto executor = NewManualExecutor(&clock);
  int ran = 0;
  auto held = std::make_shared<int>(1);
  TimerId first = executor->PostAt(clock.MonotonicMs() + 10, [&ran, held] { ++ran; });
  TimerId second = executor->PostAt(clock.MonotonicMs() + 10, [&] { ++ran; });
  CHECK(first != 0);
  CHECK(second != first);
  CHECK(executor->Cancel(first));
  CHECK(held.use_count() == 1);  // its captures are gone with it
  CHECK_FALSE(executor->Cancel(first));
  CHECK_FALSE(executor->Cancel(0));
  clock.Advance(10);
  CHECK(RunAll(*executor) == 1);
  CHECK_FALSE(executor->Cancel(second));
  CHECK(ran == 1);
}

TEST_CASE("stop runs what was taken, forgets timers and takes nothing new") {
  FakeClock clock;
  auto executor = NewManualExecutor(&clock);
  int ran = 0;
  bool refused = false;
  executor->Post([&] {
    ++ran;
    refused = !executor->Post([&] { ran += 100; });
  });
  executor->Post([&] { ++ran; });
  // A forgotten task whose capture calls back must not find the lock taken.
  std::shared_ptr<int> calls_back(new int, [&](int* p) {
    delete p;
    CHECK(executor->NextDue() == INT64_MAX);
  });
  executor->PostAt(clock.MonotonicMs() + 1, [calls_back, &ran] { ran += 100; });
  calls_back.reset();
  executor->Stop();
  CHECK(ran == 2);
  CHECK(refused);
  CHECK_FALSE(executor->Post([&] { ++ran; }));
  CHECK(executor->PostAt(0, [&] { ++ran; }) != 0);
  clock.Advance(1000);
  CHECK_FALSE(executor->RunOne());
  executor->Stop();
  CHECK(ran == 2);
}

TEST_CASE("threads run tasks at the same time, and stop runs all that was taken") {
  auto executor = NewThreadExecutor(SystemClock(), 2, "test-worker");
  CHECK(executor->threaded());
  // Each waits for the other: one thread alone would never get on.
  std::promise<void> a, b;
  executor->Post([&] {
    a.set_value();
    b.get_future().wait();
  });
  executor->Post([&] {
    a.get_future().wait();
    b.set_value();
  });
  std::atomic<int> ran{0};
  for (int i = 0; i < 1000; ++i) executor->Post([&] { ++ran; });
  executor->Stop();
  CHECK(ran == 1000);
  CHECK_FALSE(executor->Post([&] { ++ran; }));
}

TEST_CASE("one thread keeps the order") {
  auto executor = NewThreadExecutor(SystemClock(), 0, "test-worker");  // at least one
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) executor->Post([&order, i] { order.push_back(i); });
  executor->Stop();
  for (int i = 0; i < 100; ++i) REQUIRE(order[static_cast<size_t>(i)] == i);
}

TEST_CASE("threads wait for a fake clock by its advance, for a real one by time") {
  FakeClock fake;
  auto faked = NewThreadExecutor(&fake, 2, "test-fake");
  std::promise<void> ran;
  std::atomic<bool> early{true};
  faked->PostAt(fake.MonotonicMs() + 3'600'000, [&] {
    CHECK_FALSE(early);
    ran.set_value();
  });
  std::promise<void> looked;
  faked->Post([&] { looked.set_value(); });
  looked.get_future().wait();
  early = false;
  fake.Advance(3'600'000);
  ran.get_future().wait();
  faked->Stop();

  auto real = NewThreadExecutor(SystemClock(), 1, "test-real");
  std::promise<int64_t> at;
  int64_t due = SystemClock()->MonotonicMs() + 20;
  real->PostAt(INT64_MAX, [] { CHECK(false); });  // far beyond what a condition variable can count
  real->PostAt(due, [&] { at.set_value(SystemClock()->MonotonicMs()); });
  CHECK(at.get_future().get() >= due);
  real->Stop();
}

TEST_CASE("a thread executor's work may be done by a waiting caller too") {
  auto executor = NewThreadExecutor(SystemClock(), 1, "test-worker");
  std::promise<void> busy, release;
  executor->Post([&] {
    busy.set_value();
    release.get_future().wait();
  });
  busy.get_future().wait();
  std::thread::id ran_on;
  executor->Post([&] { ran_on = std::this_thread::get_id(); });
  CHECK(executor->RunOne());
  CHECK(ran_on == std::this_thread::get_id());
  CHECK_FALSE(executor->RunOne());
  release.set_value();
  executor->Stop();
}

TEST_CASE("an executor may die before its clock is advanced again") {
  FakeClock clock;
  NewThreadExecutor(&clock, 1, "test-worker")->PostAt(clock.MonotonicMs() + 1, [] { CHECK(false); });
  clock.Advance(10);
  CHECK(clock.MonotonicMs() == 1'000'010);
}

TEST_CASE("a thread has its name, blocks every signal, and leaves the caller's mask alone") {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  char name[16] = "";
  bool blocked = false;
  Thread thread("test-thread", [&] {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked = sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 &&
              sigismember(&mask, SIGCHLD) == 1;
  });
  CHECK(thread.joinable());
  thread.Join();
  CHECK(blocked);
  CHECK_FALSE(thread.joinable());
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&before, SIGINT) == sigismember(&after, SIGINT));

  std::promise<void> named;
  Thread other("test-thread", [&] {
    named.get_future().wait();
    pthread_getname_np(pthread_self(), name, sizeof name);
  });
  named.set_value();
  Thread moved = std::move(other);
  CHECK_FALSE(other.joinable());  // NOLINT(bugprone-use-after-move): that it is empty is the rule
  moved = Thread();               // joins first
  CHECK(std::string_view(name) == "test-thread");
}
