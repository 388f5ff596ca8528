// crash_harness N [SEED]: N rounds of 50 generations over every wire, whose processes are killed before and
// after every landmark and at random. Every third round has two processes on the directory, every fourth
// freezes one of them until its lease is over.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "crash/crash.h"
#include "fmt/format.h"

namespace mediagen::crash {
namespace {

namespace fs = std::filesystem;

struct Totals {
  Verdict verdict;
  int freezes = 0;
  int64_t ms = 0;
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

// False when its directory cannot be made.
bool RunOne(int round, uint64_t seed, const std::string& self, Plan* plan, Totals* totals) {
  RoundOptions options;
  options.seed = seed;
  options.freeze = round % 4 == 3;
  options.workers = options.freeze || round % 3 == 2 ? 2 : 1;
  options.traps = options.freeze ? plan->NextFreezes() : plan->NextKills();
  std::string pattern = (fs::temp_directory_path() / "mediagen-crash-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return false;
  options.dir = pattern;
  const int64_t start = SystemClock()->MonotonicMs();
  const Evidence evidence = RunRound(options, self);
  const Verdict verdict = Judge(evidence);
  const int64_t ms = SystemClock()->MonotonicMs() - start;
  Report(round, options, evidence, verdict, ms);
  plan->Note(evidence.hit, evidence.missed);
  plan->NoteRandom(evidence.random_kills);
  Verdict& sum = totals->verdict;
  sum.generations += verdict.generations;
  sum.lost += verdict.lost;
  sum.paid_twice += verdict.paid_twice;
  sum.unknown += verdict.unknown;
  sum.unknown_by_journal += verdict.unknown_by_journal;
  sum.unknown_by_kill += verdict.unknown_by_kill;
  sum.retried += verdict.retried;
  sum.abandoned += verdict.abandoned;
  sum.taken_over += verdict.taken_over;
  totals->freezes += evidence.freezes;
  totals->ms += ms;
  const bool bad = !verdict.complaints.empty() || verdict.generations != options.generations;
  totals->bad = totals->bad || bad;
  if (bad) {
    fmt::print("    kept: {}\n", options.dir);
  } else {
    fs::remove_all(options.dir);
  }
  return true;
}

void Summarise(int rounds, const Plan& plan, Totals* totals) {
  const Verdict& sum = totals->verdict;
  fmt::print("\n{}\n", plan.Table());
  for (const std::string& name : plan.NeverHit()) {
    fmt::print("never hit: {}\n", name);
    totals->bad = true;
  }
  fmt::print(
      "{} processes were frozen past their lease; {} claims took over another process's job. Unknown: {} in "
      "the "
      "journal, {} by a kill; {} retried, {} abandoned. {:.1f} s a run.\n",
      totals->freezes, sum.taken_over, sum.unknown_by_journal, sum.unknown_by_kill, sum.retried,
      sum.abandoned, static_cast<double>(totals->ms) / 1000 / rounds);
  fmt::print("crash: {} runs, {} generations, {} lost, {} paid twice, {} unknown ({})\n", rounds,
             sum.generations, sum.lost, sum.paid_twice, sum.unknown,
             totals->bad ? "see the complaints above" : "all justified");
}

int Main(int rounds, uint64_t first_seed) {
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  Plan plan;
  Totals totals;
  for (int round = 0; round < rounds; ++round) {
    if (!RunOne(round, first_seed + static_cast<uint64_t>(round), self, &plan, &totals)) return 1;
  }
  Summarise(rounds, plan, &totals);
  return totals.bad ? 1 : 0;
}

}  // namespace
}  // namespace mediagen::crash

int main(int argc, char** argv) {
  using namespace mediagen;
  if (argc == 3 && std::string(argv[1]) == "--worker") return crash::WorkerMain(Json::parse(argv[2]));
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
  if (rounds < 1) {
    std::fprintf(stderr, "usage: crash_harness ROUNDS [SEED]\n");
    return 2;
  }
  return crash::Main(rounds, argc > 2 ? std::strtoull(argv[2], nullptr, 10)
                                      : static_cast<uint64_t>(SystemClock()->WallMs()));
}
