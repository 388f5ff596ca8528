// crash_harness N: N rounds of 50 generations whose workers are killed with SIGKILL; every second round two
// workers share the directory.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "crash/crash.h"
#include "fmt/format.h"

int main(int argc, char** argv) {
  using namespace mediagen;
  namespace fs = std::filesystem;
  if (argc == 3 && std::string(argv[1]) == "--worker") return crash::WorkerMain(Json::parse(argv[2]));
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
  const uint64_t first_seed =
      argc > 2 ? std::strtoull(argv[2], nullptr, 10) : static_cast<uint64_t>(SystemClock()->WallMs());
  if (rounds < 1) {
    std::fprintf(stderr, "usage: crash_harness ROUNDS [SEED]\n");
    return 2;
  }
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  crash::Verdict sum;
  bool bad = false;
  for (int round = 0; round < rounds; ++round) {
    crash::RoundOptions options;
    options.seed = first_seed + static_cast<uint64_t>(round);
    options.workers = 1 + round % 2;
    std::string pattern = (fs::temp_directory_path() / "mediagen-crash-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return 1;
    options.dir = pattern;
    const int64_t start = SystemClock()->MonotonicMs();
    crash::Verdict verdict = Judge(RunRound(options, self));
    fmt::print(
        "round {:3} seed {}: {} generations, {} completed, {} lost, {} paid twice, {} unknown ({} in the "
        "journal, {} by a kill), {:.1f} s\n",
        round + 1, options.seed, verdict.generations, verdict.completed, verdict.lost, verdict.paid_twice,
        verdict.unknown, verdict.unknown_by_journal, verdict.unknown_by_kill,
        static_cast<double>(SystemClock()->MonotonicMs() - start) / 1000);
    for (const std::string& complaint : verdict.complaints) fmt::print("    {}\n", complaint);
    std::fflush(stdout);
    sum.generations += verdict.generations;
    sum.lost += verdict.lost;
    sum.paid_twice += verdict.paid_twice;
    sum.unknown += verdict.unknown;
    const bool round_bad = !verdict.complaints.empty() || verdict.generations != options.generations;
    bad = bad || round_bad;
    if (round_bad) {
      fmt::print("    kept: {}\n", options.dir);
    } else {
      fs::remove_all(options.dir);
    }
  }
  fmt::print("crash: {} runs, {} generations, {} lost, {} paid twice, {} unknown ({})\n", rounds,
             sum.generations, sum.lost, sum.paid_twice, sum.unknown,
             bad ? "see the complaints above" : "all justified");
  return bad ? 1 : 0;
}
