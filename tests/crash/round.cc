#include <algorithm>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/id.h"
#include "crash/crash.h"
#include "crash/fast_clock.h"
#include "crash/process.h"
#include "fmt/format.h"

namespace mediagen::crash {
namespace {

constexpr int64_t kLastWorkerMs = 180'000;  // for everything to come to rest without kills
constexpr int64_t kTrapMs = 4'000;          // for a process to come by its trap
constexpr int64_t kDeriveMs = 1'000;        // thumbnails follow when everything else rests
// A lease, a scan for it, and some time to work with what was taken over.
constexpr int64_t kFrozenMs = 30'000 / FastClock::kRate + 400;

class Round {
 public:
  Round(const RoundOptions& options, const std::string& self)
      : options_(options),
        self_(self),
        random_(SeededRandom(options.seed)),
        journal_(options.dir + "/journal.jsonl"),
        log_(options.dir + "/landmarks.log"),
        simulator_({MEDIAGEN_SIMULATOR, "--journal", journal_, "--work-ms", "100"}) {}

  Evidence Run() {
    if (!FindSimulator()) return std::move(evidence_);
    for (int i = 0; i < options_.workers; ++i) workers_.push_back({});
    if (options_.freeze) {
      for (const Trap& trap : options_.traps) Freeze(trap);
      for (size_t i = 0; i < workers_.size(); ++i) KillAtRandom();
    } else {
      for (size_t i = 0; i < options_.traps.size(); ++i) {
        Catch(options_.traps[i]);
        if (i % 2 == 0) KillAtRandom();
      }
    }
    for (Worker& worker : workers_) Kill(worker);
    Finish();
    evidence_.paid = ReadJournal(journal_);
    evidence_.passed = ReadLandmarks(log_);
    return std::move(evidence_);
  }

 private:
  struct Worker {
    std::unique_ptr<Process> process;
    std::optional<Trap> trap;
    bool hit = false, idle = false;
  };

  bool FindSimulator() {
    for (int i = 0; i < 100 && base_url_.empty(); ++i) {
      simulator_.Read(100, [&](const std::string& line) {
        if (line.rfind("listening ", 0) == 0) base_url_ = line.substr(10);
      });
    }
    if (base_url_.empty()) evidence_.troubles.push_back("the simulator did not start");
    return !base_url_.empty();
  }

  // Each trap brings new work, so that somebody comes by.
  int Submitted(bool more) const {
    const int traps = options_.freeze ? 1 : static_cast<int>(std::max<size_t>(options_.traps.size(), 1));
    return std::min(options_.generations, (tried_ + (more ? 1 : 0)) * (options_.generations / traps + 1));
  }

  void Start(Worker& worker, const std::optional<Trap>& trap, bool last = false) {
    Json options = {
        {"seed", options_.seed},
        {"generations", last ? options_.generations : Submitted(trap.has_value() || options_.freeze)},
        {"dir", options_.dir + "/data"},
        {"log", log_},
        {"simulator", base_url_},
        {"final", last}};
    if (trap) options["trap"] = trap->Document();
    worker = {std::make_unique<Process>(std::vector<std::string>{self_, "--worker", Dump(options)}), trap};
  }

  // Reads from every process for `ms` altogether, until `until` holds. Those that died are taken off.
  template <typename Until>
  bool Listen(int64_t ms, Until until) {
    const int64_t end = SystemClock()->MonotonicMs() + ms;
    while (!until()) {
      if (SystemClock()->MonotonicMs() >= end) return false;
      for (Worker& worker : workers_) {
        if (!worker.process) continue;
        auto note = [&](const std::string& line) { Note(worker, line); };
        if (!worker.process->Read(workers_.size() == 1 ? 20 : 5, note)) worker.process.reset();
      }
    }
    return true;
  }

  void Note(Worker& worker, const std::string& line) {
    Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return;
    if (json.contains("accepted")) evidence_.accepted.insert(json["accepted"].get<std::string>());
    if (json.contains("trouble")) evidence_.troubles.push_back(json["trouble"].get<std::string>());
    if (json.contains("end")) ended_ = true;
    if (json.contains("idle")) worker.idle = true;
    if (json.contains("fate")) evidence_.fates.push_back(FateFrom(json["fate"]));
    for (const Json& attempt : json.value("billed", Json::array())) evidence_.billed.insert(attempt);
    if (json.contains("hit")) {
      worker.hit = true;
      evidence_.hit.push_back(Trap::From(json["hit"]));
      evidence_.cuts_ms.push_back(json["at"]);
    }
  }

  static Fate FateFrom(const Json& in) {
    Fate fate;
    fate.id = in["id"];
    fate.prompt = in["prompt"];
    fate.status = in["status"];
    fate.wanted = in["n"];
    fate.outputs = in["outputs"];
    fate.served = in["served"];
    fate.decision = in.value("decision", "");
    fate.then = in.value("then", "");
    for (const Json& part : in.value("undecided", Json::array()))
      fate.undecided_parts.insert(part.get<int64_t>());
    // Their states are those of the first rest; a retry adds attempts.
    std::map<std::string, Json> rested;
    for (const Json& attempt : in["states"]) rested[attempt["id"]] = attempt;
    for (const Json& now : in["attempts"]) {
      const Json& attempt = rested.try_emplace(now["id"], now).first->second;
      fate.attempts.push_back(
          {attempt["id"], attempt["state"], attempt["part"], attempt["created"], attempt["updated"]});
    }
    return fate;
  }

  void Kill(Worker& worker) {
    if (!worker.process) return;
    evidence_.cuts_ms.push_back(SystemClock()->WallMs());
    worker.process->Kill();
    worker.process->Read(0, [&](const std::string& line) { Note(worker, line); });  // its last words
    worker.process.reset();
  }

  // Every process works towards the trap until one is caught; when all is done before, the trap is missed.
  void Catch(const Trap& trap) {
    for (Worker& worker : workers_) {
      if (!worker.process) Start(worker, trap);
    }
    auto caught = [&] {
      return std::any_of(workers_.begin(), workers_.end(),
                         [&](const Worker& w) { return w.hit && w.trap->Name() == trap.Name(); });
    };
    auto over = [&] {
      return caught() || std::none_of(workers_.begin(), workers_.end(), [&](const Worker& w) {
               return w.process && w.trap && w.trap->Name() == trap.Name() && !w.idle;
             });
    };
    Listen(kTrapMs, over);
    if (!caught()) Listen(kDeriveMs, caught);
    if (!caught()) evidence_.missed.push_back(trap);
    for (Worker& worker : workers_) {
      if (worker.hit || worker.idle || !caught()) Kill(worker);
    }
    ++tried_;
  }

  // Early kills meet submits and intents, late ones downloads and settles.
  void KillAtRandom() {
    for (Worker& worker : workers_) {
      if (!worker.process) Start(worker, std::nullopt);
    }
    Listen(20 + static_cast<int64_t>(random_->Below(300)), [] { return false; });
    Worker& victim = workers_[random_->Below(workers_.size())];
    evidence_.random_kills += victim.process ? 1 : 0;
    Kill(victim);
  }

  // The first process is stopped in its trap until its lease is long over, while the others work on.
  void Freeze(const Trap& trap) {
    Worker& frozen = workers_.front();
    Start(frozen, trap);
    for (Worker& worker : workers_) {
      if (!worker.process) Start(worker, std::nullopt);
    }
    if (!Listen(kTrapMs, [&] { return frozen.hit; })) {
      evidence_.missed.push_back(trap);
      return Kill(frozen);
    }
    ++evidence_.freezes;
    Listen(kFrozenMs, [] { return false; });
    frozen.process->Continue();
    evidence_.cuts_ms.push_back(SystemClock()->WallMs());
    Listen(200, [] { return false; });
  }

  void Finish() {
    workers_.resize(1);
    Start(workers_.front(), std::nullopt, true);
    if (!Listen(kLastWorkerMs, [&] { return ended_ || !workers_.front().process; }) || !ended_)
      evidence_.troubles.push_back("the last worker did not bring everything to rest");
  }

  const RoundOptions& options_;
  const std::string& self_;
  const std::unique_ptr<Random> random_;
  const std::string journal_, log_;
  Process simulator_;
  std::string base_url_;
  std::vector<Worker> workers_;
  int tried_ = 0;  // traps
  bool ended_ = false;
  Evidence evidence_;
};

}  // namespace

Evidence RunRound(const RoundOptions& options, const std::string& self) { return Round(options, self).Run(); }

}  // namespace mediagen::crash
