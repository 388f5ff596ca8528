// crash_harness N [SEED]: N rounds of 50 generations over every wire, whose processes are killed before and
// after every landmark and at random. Every third round has two processes on the directory, every fourth
// freezes one of them until its lease is over. MEDIAGEN_CRASH_JOBS rounds run at once (default: one a core).
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "crash/crash.h"
#include "fmt/format.h"

namespace mediagen::crash {
namespace {

namespace fs = std::filesystem;

struct Totals {
  Verdict verdict;
  int freezes = 0;
  bool bad = false;
};

void Report(int round, const RoundOptions& options, const Evidence& evidence, const Verdict& verdict,
            int64_t ms) {
  fmt::print(
      "round {:3} seed {}: {} generations, {} completed, {} lost, {} paid twice, {} unknown ({} in the "
      "journal, {} by a kill), {} of {} traps hit, {} jobs taken over{}, {:.1f} s\n",
      round + 1, options.seed, verdict.generations, verdict.completed, verdict.lost, verdict.paid_twice,
      verdict.unknown, verdict.unknown_by_journal, verdict.unknown_by_kill,
      options.traps.size() - evidence.missed.size(), options.traps.size(), verdict.taken_over,
      options.freeze ? ", frozen" : (options.workers > 1 ? ", two processes" : ""),
      static_cast<double>(ms) / 1000);
  for (const std::string& complaint : verdict.complaints) fmt::print("    {}\n", complaint);
  std::fflush(stdout);
}

void Add(const Verdict& verdict, Verdict* sum) {
  sum->generations += verdict.generations;
  sum->lost += verdict.lost;
  sum->paid_twice += verdict.paid_twice;
  sum->unknown += verdict.unknown;
  sum->unknown_by_journal += verdict.unknown_by_journal;
  sum->unknown_by_kill += verdict.unknown_by_kill;
  sum->retried += verdict.retried;
  sum->abandoned += verdict.abandoned;
  sum->taken_over += verdict.taken_over;
}

// Hands the rounds to some threads. Rounds share nothing but the plan and the totals.
class Rounds {
 public:
  Rounds(int count, uint64_t first_seed)
      : count_(count), first_seed_(first_seed), self_(fs::read_symlink("/proc/self/exe").string()) {}

  // False when a directory could not be made.
  bool Run(int at_once) {
    // A child ends with the thread that began it, so each thread stays with its round.
    std::vector<std::thread> threads;
    threads.reserve(static_cast<size_t>(at_once));
    for (int i = 0; i < at_once; ++i) {
      threads.emplace_back([this] {
        for (int round; !failed_ && (round = next_++) < count_;) RunOne(round);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return !failed_;
  }

  int Summarise();

 private:
  void RunOne(int round) {
    RoundOptions options;
    options.seed = first_seed_ + static_cast<uint64_t>(round);
    options.freeze = round % 4 == 3;
    options.workers = options.freeze || round % 3 == 2 ? 2 : 1;
    {
      std::lock_guard lock(mutex_);
      options.traps = options.freeze ? plan_.NextFreezes() : plan_.NextKills();
    }
    std::string pattern = (fs::temp_directory_path() / "mediagen-crash-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      failed_ = true;
      return;
    }
    options.dir = pattern;
    const int64_t start = SystemClock()->MonotonicMs();
    const Evidence evidence = RunRound(options, self_);
    Note(round, options, evidence, Judge(evidence), SystemClock()->MonotonicMs() - start);
  }

  void Note(int round, const RoundOptions& options, const Evidence& evidence, const Verdict& verdict,
            int64_t ms) {
    std::lock_guard lock(mutex_);
    Report(round, options, evidence, verdict, ms);
    plan_.Note(evidence.hit, evidence.missed);
    plan_.NoteRandom(evidence.random_kills);
    Add(verdict, &totals_.verdict);
    totals_.freezes += evidence.freezes;
    const bool bad = !verdict.complaints.empty() || verdict.generations != options.generations;
    totals_.bad = totals_.bad || bad;
    if (bad) {
      fmt::print("    kept: {}\n", options.dir);
    } else {
      fs::remove_all(options.dir);
    }
  }

  const int count_;
  const uint64_t first_seed_;
  const std::string self_;
  std::atomic<int> next_{0};
  std::atomic<bool> failed_{false};
  const int64_t begun_ms_ = SystemClock()->MonotonicMs();
  std::mutex mutex_;  // all below, and the output
  Plan plan_;
  Totals totals_;
};

// The exit code.
int Rounds::Summarise() {
  const Verdict& sum = totals_.verdict;
  fmt::print("\n{}\n", plan_.Table());
  for (const std::string& name : plan_.NeverHit()) {
    fmt::print("never hit: {}\n", name);
    totals_.bad = true;
  }
  fmt::print(
      "{} processes were frozen past their lease; {} claims took over another process's job. Unknown: {} in "
      "the journal, {} by a kill; {} retried, {} abandoned. {:.1f} s a run.\n",
      totals_.freezes, sum.taken_over, sum.unknown_by_journal, sum.unknown_by_kill, sum.retried,
      sum.abandoned, static_cast<double>(SystemClock()->MonotonicMs() - begun_ms_) / 1000 / count_);
  fmt::print("crash: {} runs, {} generations, {} lost, {} paid twice, {} unknown ({})\n", count_,
             sum.generations, sum.lost, sum.paid_twice, sum.unknown,
             totals_.bad ? "see the complaints above" : "all justified");
  return totals_.bad ? 1 : 0;
}

int AtOnce() {
  const char* wish = std::getenv("MEDIAGEN_CRASH_JOBS");
  const int jobs = wish == nullptr ? static_cast<int>(std::thread::hardware_concurrency()) : std::atoi(wish);
  return std::clamp(jobs, 1, 64);
}

}  // namespace
}  // namespace mediagen::crash

int main(int argc, char** argv) {
  using namespace mediagen;
  if (argc == 3 && std::string(argv[1]) == "--worker") return crash::WorkerMain(Json::parse(argv[2]));
  const int count = argc > 1 ? std::atoi(argv[1]) : 0;
  if (count < 1) {
    std::fprintf(stderr, "usage: crash_harness ROUNDS [SEED]\n");
    return 2;
  }
  crash::Rounds rounds(
      count, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : static_cast<uint64_t>(SystemClock()->WallMs()));
  if (!rounds.Run(std::min(crash::AtOnce(), count))) {
    std::fprintf(stderr, "crash: no directory could be made for a round\n");
    return 1;
  }
  return rounds.Summarise();
}
