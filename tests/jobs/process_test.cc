// Real threads, real time, and a real process that is killed.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

#include "fmt/format.h"
#include "jobs/fixture.h"

namespace mediagen {
namespace {

using test::Machine;
using test::Process;

constexpr char kChildDir[] = "MEDIAGEN_TEST_JOBS_DIR";
constexpr char kChildPipe[] = "MEDIAGEN_TEST_JOBS_PIPE";

void MakeReal(Machine& machine) {
  machine.clock = SystemClock();
  machine.threaded = true;
  machine.options.scan_ms = 20;
}

// What handlers have done, awaited by the test.
class Tally {
 public:
  void Add(const Id& id) {
    std::lock_guard lock(mutex_);
    ++runs_[id];
    changed_.notify_all();
  }
  void AwaitJobs(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return runs_.size() >= count; });
  }
  bool EachOnce() {
    std::lock_guard lock(mutex_);
    for (const auto& [id, runs] : runs_) {
      if (runs != 1) return false;
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Id, int> runs_;
};

// How many jobs hold a slot, by the rows.
int RunningIn(Process& process, const std::string& queue) {
  int64_t running = 0;
  Status read = process.store->Read([&](const Snapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(auto counts, snapshot.jobs().CountByState(queue));
    running = counts[JobState::kRunning];
    return OkStatus();
  });
  CHECK(read.ok());
  return static_cast<int>(running);
}

// Finishes a claim as done, without waiting, and counts it when that has committed.
void FinishLater(Process& process, const Claim& claim, std::atomic<int>* running, Tally* tally) {
  process.store->CommitAsync(
      [&process, claim](Transaction& transaction) {
        return process.queues->Finish(transaction, claim.id(), claim.fence(), Outcome::Done());
      },
      [&process, claim, running, tally](Status status) {
        CHECK(status.ok());
        --*running;
        process.queues->Released(claim.id());
        tally->Add(claim.id());
      });
}

TEST_CASE("two processes' workers run every job once and share the slots") {
  Machine machine;
  MakeReal(machine);
  constexpr int kJobs = 120, kSlots = 4;
  std::atomic<int> running = 0, most = 0;
  Tally tally;
  Process one(machine, 1), two(machine, 2);
  for (Process* process : {&one, &two}) {
    process->queues->Configure("work", {.concurrency = kSlots});
    auto handle = [process, &running, &most, &tally](Claim claim) {
      // Counted by the rows: between a commit and what it calls here the other process may have claimed.
      int now = RunningIn(*process, "work");
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      ++running;
      FinishLater(*process, claim, &running, &tally);
    };
    process->queues->Serve("work", handle, nullptr);
  }
  for (int i = 0; i < kJobs; ++i) (i % 2 ? one : two).Enqueue("work");
  tally.AwaitJobs(kJobs);
  CHECK(tally.EachOnce());
  CHECK(most > 0);
  CHECK(most <= kSlots);
}

TEST_CASE("host workers on many threads get every job once") {
  Machine machine;
  MakeReal(machine);
  constexpr int kJobs = 60, kThreads = 6;
  std::atomic<int> running = 0;
  Tally tally;
  Queues::ClaimDone work;
  Process process(machine);
  process.queues->Configure("work", {.concurrency = 20});
  work = [&](StatusOr<std::vector<Claim>> got) {
    if (!got.ok()) {
      CHECK(CodeOf(got.status()) == Code::kClosed);
      return;
    }
    for (const Claim& claim : *got) {
      ++running;
      FinishLater(process, claim, &running, &tally);
    }
    process.queues->ClaimAsync({"work"}, 3, work);
  };
  for (int i = 0; i < kThreads; ++i) process.queues->ClaimAsync({"work"}, 3, work);
  std::vector<Thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back("test", [&] {
      for (int j = 0; j < kJobs / 3; ++j) process.Enqueue("work");
    });
  }
  threads.clear();
  tally.AwaitJobs(kJobs);
  CHECK(tally.EachOnce());
  process.queues->StopClaiming();
}

TEST_CASE("on its own threads a worker renews, promotes and recovers as the clock passes") {
  Machine machine;
  machine.threaded = true;  // and the fake clock
  Tally tally;
  std::atomic<int> running = 0;
  Process process(machine);
  auto handle = [&](Claim claim) {
    ++running;
    FinishLater(process, claim, &running, &tally);
  };
  process.queues->Serve("work", handle, nullptr);
  process.Enqueue({.queue = "work", .kind = "test", .run_at_ms = machine.fake.WallMs() + 5000});
  machine.fake.Advance(5000);
  tally.AwaitJobs(1);
  machine.fake.Advance(machine.options.lease_ms * 2);  // the lease has lapsed until the renewer gets to it
  process.Enqueue("work");
  tally.AwaitJobs(2);
  CHECK(process.queues->LeaseLeftMs() > 0);
}

// Not a test: the body of the child that the next test starts and kills.
TEST_CASE("child: holds a job until it is killed" * doctest::skip()) {
  const char* dir = getenv(kChildDir);
  const char* pipe_text = getenv(kChildPipe);
  if (!dir || !pipe_text) return;
  const int pipe_fd = atoi(pipe_text);
  Metrics metrics;
  LogSink log(SystemClock());
  IdSource ids(SystemClock(), SystemRandom());
  auto store =
      OpenSqliteStore(SystemClock(), SystemFiles(), &metrics, &log, {.dir = dir, .reserve_bytes = 0});
  REQUIRE(store.ok());
  auto executor = NewThreadExecutor(SystemClock(), 1, "child");
  auto queues = OpenQueues(store->get(), executor.get(), SystemClock(), SystemRandom(), &ids, SystemFiles(),
                           &metrics, &log, {.dir = dir});
  REQUIRE(queues.ok());
  (*queues)->Serve(
      "work", [pipe_fd](Claim) { REQUIRE(write(pipe_fd, "!", 1) == 1); }, nullptr);
  REQUIRE((*queues)->Start().ok());
  while (true) pause();
}

pid_t StartChild(const std::string& dir, int pipe_fd) {
  std::string dir_text = fmt::format("{}={}", kChildDir, dir),
              pipe_text = fmt::format("{}={}", kChildPipe, pipe_fd);
  std::vector<char*> environment;
  for (char** entry = environ; *entry; ++entry) environment.push_back(*entry);
  for (std::string* entry : {&dir_text, &pipe_text}) environment.push_back(entry->data());
  environment.push_back(nullptr);
  char name[] = "/proc/self/exe", only[] = "--test-case=child: holds a job until it is killed",
       all[] = "--no-skip", quiet[] = "--minimal";
  char* arguments[] = {name, only, all, quiet, nullptr};
  pid_t child = fork();
  if (child == 0) {
    execve(name, arguments, environment.data());
    _exit(127);
  }
  return child;
}

TEST_CASE("the job of a process that was killed runs again at once, elsewhere") {
  Machine machine;
  MakeReal(machine);
  Id id;
  {
    Process first(machine, 1);
    id = first.Enqueue("work");
  }
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  Fd reading(ends[0]), writing(ends[1]);
  REQUIRE(fcntl(writing.get(), F_SETFD, 0) == 0);
  pid_t child = StartChild(machine.dir.path(), writing.get());
  REQUIRE(child > 0);
  writing.Reset();
  char byte = 0;
  REQUIRE(read(reading.get(), &byte, 1) == 1);  // the child holds the job

  std::mutex mutex;
  std::condition_variable claimed_cv;
  std::optional<Claim> claimed;
  Process survivor(machine, 2);
  auto handle = [&](Claim claim) {
    std::lock_guard lock(mutex);
    claimed = std::move(claim);
    claimed_cv.notify_all();
  };
  survivor.queues->Serve("work", handle, nullptr);
  CHECK(survivor.Row(id).state == JobState::kRunning);
  REQUIRE(kill(child, SIGKILL) == 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));

  std::unique_lock lock(mutex);
  claimed_cv.wait(lock, [&] { return claimed.has_value(); });
  CHECK(claimed->id() == id);
  CHECK(claimed->job.tries == 1);
  CHECK(claimed->job.worker == survivor.queues->worker());
  lock.unlock();
  CHECK(survivor.Finish(*claimed, Outcome::Done()).ok());
}

}  // namespace
}  // namespace mediagen
