// limiter: what a check costs, beside governor and throttled: one key, a million keys, and two rules at once,
// through the C ABI as hosts call it. The limits are so wide that all is allowed, but for the row of a key
// that is refused. What a key takes is what the limiter's own arrays hold, and the growth of resident memory
// of filling it.
#include <mediagen/mediagen.h>

#include <memory>

#include "fmt/format.h"
#include "support/key_work.h"
#include "support/peer.h"
#include "support/report.h"
#include "support/rounds.h"

namespace {

using namespace mediagen::bench;

constexpr uint32_t kKeys = 1'000'000;
constexpr size_t kChecks = 1'000'000;
// One in a microsecond is the most that a rule may have, so what all rounds ask of one key is its burst.
constexpr int64_t kWide = 1'000'000'000, kNarrow = 1'000, kPeriodMs = 1'000'000;
constexpr int kSpeedRounds = 11;  // of a tenth of a second each
constexpr double kBytesBound = 32, kBytesGoal = 16;

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "bench limiter: {}\n", what);
  std::exit(1);
}

mediagen_str Str(std::string_view text) { return {text.data(), text.size()}; }

class Host {
 public:
  explicit Host(const std::string& rules) {
    const std::string config = fmt::format(R"({{"maxKeys": 4000000, "rules": {{{}}}}})", rules);
    if (mediagen_limiter_open(MEDIAGEN_ABI, Str(config), &limiter_, nullptr) != MEDIAGEN_OK)
      Die("the limiter did not open");
  }
  ~Host() { mediagen_limiter_free(limiter_); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  bool Check(std::string_view rule, std::string_view key) const {
    mediagen_decision decision;
    decision.struct_size = sizeof decision;
    return mediagen_limiter_check(limiter_, Str(rule), Str(key), 1, &decision) == MEDIAGEN_OK &&
           decision.allowed != 0;
  }
  bool CheckAll(std::string_view checks) const {
    mediagen_decision decision;
    decision.struct_size = sizeof decision;
    return mediagen_limiter_check_all(limiter_, Str(checks), &decision) == MEDIAGEN_OK &&
           decision.allowed != 0;
  }
  nlohmann::json Stats() const {
    mediagen_buffer* document = nullptr;
    if (mediagen_limiter_stats(limiter_, &document) != MEDIAGEN_OK) Die("there are no statistics");
    const mediagen_str text = mediagen_buffer_view(document);
    nlohmann::json stats = nlohmann::json::parse(std::string_view(text.data, text.size));
    mediagen_buffer_free(document);
    return stats;
  }

 private:
  mediagen_limiter* limiter_ = nullptr;
};

// ---- what a key takes ------------------------------------------------------------------------------------

// This program as a peer of its own: fills a limiter with limited keys.
int AnswerBytes(const std::string& text) {
  const Keys keys(kKeys);
  const Host host(fmt::format(R"("rule": "{}")", text));
  const double before = ResidentBytes();
  for (uint32_t i = 0; i < kKeys; ++i) {
    if (!host.Check("rule", keys[i])) Die("a new key is refused");
  }
  const double grown = (ResidentBytes() - before) / kKeys;
  const nlohmann::json stats = host.Stats();
  if (stats["keys"] != kKeys) Die("not all keys are in the limiter");
  fmt::print("{}\n",
             nlohmann::json({{"bytes", grown}, {"own", stats["bytes"].get<double>() / kKeys}}).dump());
  return 0;
}

void AddBytes(Report* report, const std::string& text, const std::string& name, double bound, double goal) {
  const std::vector<Samples> samples = RunInterleaved(
      {{"mediagen", [&] {
          return Peer({"/proc/self/exe", "--bytes", text}).Ask({{"work", "fill"}})["bytes"].get<double>();
        }}});
  report->Add({name, "bytes a key", "bound", "", CompareWithBound(samples[0], bound, Better::kLess), 1.0,
               bound / goal});
}

// ---- what a check costs ----------------------------------------------------------------------------------

struct Work {
  std::string name;
  uint32_t keys;
  int rules;
  int64_t limit = kWide;
};

class Speed {
 public:
  Speed(const Folder& folder, const Work& work, Peer* rust, Peer* go)
      : work_(work),
        keys_(work.keys),
        indexes_(ZipfIndexes(work.keys, kChecks, 0, 1)),
        file_(StoreIndexes(folder, work.name, indexes_)) {
    if (rust != nullptr) rivals_.emplace_back("governor", rust);
    if (go != nullptr) rivals_.emplace_back("throttled", go);
    for (uint32_t i = 0; i < work.keys && work.rules == 2; ++i) {
      blocks_.push_back(fmt::format("user\t{}\t1\naddress\t{}\t1\n", keys_[i], keys_[i]));
    }
  }

  void AddRows(Report* report, int threads) {
    std::vector<Contender> contenders = {{"mediagen", [=, this] { return Ours(threads); }}};
    for (const auto& rival : rivals_) {
      contenders.push_back({rival.first, [=, this] { return Ask(rival.first, rival.second, threads); }});
    }
    const std::vector<Samples> samples = RunInterleaved(contenders, kSpeedRounds);
    for (size_t i = 1; i < samples.size(); ++i) {
      const bool floor = samples[i].name == "governor";
      report->Add({fmt::format("{}, {} thread{}", work_.name, threads, threads == 1 ? "" : "s"), "checks/s",
                   samples[i].name, versions_[i - 1], Compare(samples[0], samples[i], Better::kMore),
                   floor ? std::optional(1.0) : std::nullopt, std::nullopt});
    }
  }

 private:
  double Ours(int threads) const {
    const KeyRun run = RunOver(indexes_, threads, [&](uint32_t index) {
      return work_.rules == 1 ? host_.Check("user", keys_[index]) : host_.CheckAll(blocks_[index]);
    });
    CheckAllowed("mediagen", run.yes);
    return run.per_second;
  }
  void CheckAllowed(const std::string& name, double share) const {
    if (work_.limit == kWide ? share < 1 : share > 0.01) {
      Die(fmt::format("{}: {} allowed {:.1f} %", work_.name, name, share * 100));
    }
  }
  double Ask(const std::string& name, Peer* peer, int threads) {
    nlohmann::json rules = nlohmann::json::array();
    for (int i = 0; i < work_.rules; ++i) {
      rules.push_back({{"limit", work_.limit}, {"periodMs", kPeriodMs}});
    }
    const nlohmann::json said = peer->Ask({{"work", "limiter"},
                                           {"limiter", name},
                                           {"keys", work_.keys},
                                           {"indexes", file_},
                                           {"rules", rules},
                                           {"threads", threads}});
    // throttled calls a lost race of two threads an error, which its peer counts as refused.
    if (threads == 1) CheckAllowed(name, said["allowed"]);
    versions_[name == "governor" ? 0 : rivals_.size() - 1] = said["version"];
    return said["checksPerSecond"];
  }

  const Work work_;
  const Keys keys_;
  const std::vector<uint32_t> indexes_;
  const std::string file_;
  const Host host_{
      fmt::format(R"("user": "{0}/{1}s", "address": "{0}/{1}s")", work_.limit, kPeriodMs / 1000)};
  std::vector<std::string> blocks_;
  std::vector<std::pair<std::string, Peer*>> rivals_;
  std::string versions_[2];
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--bytes") return AnswerBytes(argv[2]);
  Report report("limiter");
  AddBytes(&report, "1000/d", "1 M keys, GCRA", kBytesBound, kBytesGoal);
  AddBytes(&report, "5/d", "1 M keys, exact window of 5", 16 + 4 * 5, 16 + 4 * 5);
  AddBytes(&report, "32/d", "1 M keys, exact window of 32", 16 + 4 * 32, 16 + 4 * 32);
  const Folder folder;
  const auto start = [](std::vector<std::string> command) {
    return command.empty() ? nullptr : std::make_unique<Peer>(std::move(command));
  };
  const auto rust = start(RustPeer()), go = start(GoPeer());
  for (const Work& work :
       {Work{"one key", 1, 1}, Work{"one key, refused", 1, 1, kNarrow}, Work{"1 M keys", kKeys, 1},
        Work{"one key, two rules", 1, 2}, Work{"1 M keys, two rules", kKeys, 2}}) {
    Speed speed(folder, work, rust.get(), go.get());
    for (int threads : {1, 2}) speed.AddRows(&report, threads);
  }
  return report.Finish();
}
